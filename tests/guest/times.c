/* SPDX-License-Identifier: Apache-2.0 */
/* Times of files: setting them, and what moves them. */
#include "check.h"

#include <sys/time.h>
#include <time.h>
#include <utime.h>

static void setting(void)
{
	struct timespec t[2] = {{1000, 123456789}, {2000, 987654321}};
	struct timeval tv[2] = {{3000, 5}, {4000, 6}};
	struct utimbuf ub = {5000, 6000};
	struct stat st;
	int fd;

	put_file("f", "x");
	OK(utimensat(AT_FDCWD, "f", t, 0));
	OK(stat("f", &st));
	EQ(st.st_atim.tv_sec, 1000);
	EQ(st.st_atim.tv_nsec, 123456789);
	EQ(st.st_mtim.tv_sec, 2000);
	EQ(st.st_mtim.tv_nsec, 987654321);
	t[0].tv_nsec = UTIME_OMIT;
	t[1].tv_sec = 77;
	OK(utimensat(AT_FDCWD, "f", t, 0));
	OK(stat("f", &st));
	EQ(st.st_atim.tv_sec, 1000);
	EQ(st.st_mtim.tv_sec, 77);
	t[0].tv_nsec = UTIME_NOW;
	t[1].tv_nsec = UTIME_OMIT;
	OK(utimensat(AT_FDCWD, "f", t, 0));
	OK(stat("f", &st));
	CHECK(st.st_atim.tv_sec > 1000000000);
	EQ(st.st_mtim.tv_sec, 77);
	t[0].tv_nsec = 1000000000;
	FAILS(utimensat(AT_FDCWD, "f", t, 0), EINVAL);
	FAILS(utimensat(AT_FDCWD, "none", NULL, 0), ENOENT);
	FAILS(utimensat(AT_FDCWD, "f", NOWHERE, 0), EFAULT);
	OK(utimes("f", tv));
	OK(stat("f", &st));
	EQ(st.st_mtim.tv_sec, 4000);
	EQ(st.st_mtim.tv_nsec, 6000);
	OK(utime("f", &ub));
	OK(stat("f", &st));
	EQ(st.st_atim.tv_sec, 5000);
	EQ(st.st_mtim.tv_sec, 6000);
	fd = open("f", O_RDONLY);
	OK(fd);
	OK(futimens(fd, NULL));
	OK(fstat(fd, &st));
	CHECK(st.st_mtim.tv_sec > 1000000000);
	OK(close(fd));
	OK(symlink("f", "l"));
	t[0].tv_nsec = t[1].tv_nsec = 0;
	t[1].tv_sec = 99;
	OK(utimensat(AT_FDCWD, "l", t, AT_SYMLINK_NOFOLLOW));
	OK(lstat("l", &st));
	EQ(st.st_mtim.tv_sec, 99);
	OK(stat("f", &st));
	CHECK(st.st_mtim.tv_sec != 99);
}

/* Puts both times of a path back to the dawn, to see who moves them. */
static void reset(const char *path)
{
	struct timespec t[2] = {{1, 0}, {1, 0}};

	OK(utimensat(AT_FDCWD, path, t, AT_SYMLINK_NOFOLLOW));
}

static time_t mtime(const char *path)
{
	struct stat st;

	OK(lstat(path, &st));
	return st.st_mtim.tv_sec;
}

static void moving(void)
{
	struct stat a, b;
	int fd;

	reset("f");
	fd = open("f", O_RDWR);
	EQ(mtime("f"), 1);
	EQ(write(fd, "y", 1), 1);
	CHECK(mtime("f") > 1);
	reset("f");
	OK(ftruncate(fd, 100));
	CHECK(mtime("f") > 1);
	OK(close(fd));
	reset("f");
	OK(chmod("f", 0600)); /* moves ctime only */
	EQ(mtime("f"), 1);
	OK(stat("f", &a));
	CHECK(a.st_ctim.tv_sec > 1);

	OK(mkdir("d", 0755));
	reset("d");
	put_file("d/x", "");
	CHECK(mtime("d") > 1);
	reset("d");
	OK(rename("d/x", "d/y"));
	CHECK(mtime("d") > 1);
	reset("d");
	OK(unlink("d/y"));
	CHECK(mtime("d") > 1);
	reset("d");
	OK(stat("f", &a));
	OK(stat("f", &b));
	EQ(a.st_ctim.tv_nsec, b.st_ctim.tv_nsec);
	EQ(mtime("d"), 1);
}

/* What is written now is not older than what was written before. */
static void order(void)
{
	struct stat a, b;

	put_file("first", "");
	put_file("second", "");
	OK(stat("first", &a));
	OK(stat("second", &b));
	CHECK(b.st_mtim.tv_sec > a.st_mtim.tv_sec ||
	      (b.st_mtim.tv_sec == a.st_mtim.tv_sec &&
	       b.st_mtim.tv_nsec >= a.st_mtim.tv_nsec));
	CHECK(labs(a.st_mtim.tv_sec - time(NULL)) < 1000);
}

int main(void)
{
	scratch();
	setting();
	moving();
	order();
	return 0;
}

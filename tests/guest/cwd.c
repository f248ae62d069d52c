/* SPDX-License-Identifier: Apache-2.0 */
/* The current folder, and relative paths. */
#include "check.h"

#include <limits.h>

static void in_child(void *arg)
{
	(void)arg;
	OK(chdir("/"));
}

static void where(void)
{
	char a[PATH_MAX], b[PATH_MAX + 8];
	struct stat st, up;
	int fd;

	CHECK(getcwd(a, sizeof(a)));
	CHECK(a[0] == '/');
	OK(mkdir("d", 0755));
	OK(chdir("d"));
	CHECK(getcwd(b, sizeof(b)));
	CHECK(!strncmp(a, b, strlen(a)) && !strcmp(b + strlen(a), "/d"));
	FAILS(syscall(SYS_getcwd, b, 2), ERANGE);
	FAILS(syscall(SYS_getcwd, NOWHERE, PATH_MAX), EFAULT);
	EQ(syscall(SYS_getcwd, b, sizeof(b)), strlen(a) + 3);
	OK(chdir(".."));
	CHECK(getcwd(b, sizeof(b)));
	CHECK(!strcmp(a, b));

	fd = open("d", O_RDONLY | O_DIRECTORY);
	OK(fd);
	OK(fchdir(fd));
	CHECK(getcwd(b, sizeof(b)));
	CHECK(!strcmp(b + strlen(a), "/d"));
	OK(chdir(".."));
	OK(close(fd));
	fd = open("d", O_PATH);
	OK(fchdir(fd));
	OK(chdir(a));
	OK(close(fd));

	put_file("f", "");
	FAILS(chdir("f"), ENOTDIR);
	FAILS(chdir("none"), ENOENT);
	FAILS(chdir(""), ENOENT);
	FAILS(fchdir(-1), EBADF);
	fd = open("f", O_RDONLY);
	FAILS(fchdir(fd), ENOTDIR);
	OK(close(fd));

	/* A child's change is its own. */
	apart(in_child, NULL);
	CHECK(getcwd(b, sizeof(b)));
	CHECK(!strcmp(a, b));

	/* Above the top is the top. */
	OK(stat("/", &st));
	OK(stat("/../../..", &up));
	EQ(st.st_ino, up.st_ino);
	OK(stat("d/.././d/..//d", &up));
	OK(stat("d", &st));
	EQ(st.st_ino, up.st_ino);
}

static void removed(void)
{
	char buf[PATH_MAX];

	OK(mkdir("gone", 0755));
	OK(chdir("gone"));
	OK(rmdir("../gone"));
	FAILS(syscall(SYS_getcwd, buf, sizeof(buf)), ENOENT);
	FAILS(open("x", O_CREAT | O_WRONLY, 0600), ENOENT);
	OK(access(".", F_OK));
	OK(chdir(".."));
}

/* A folder that is moved takes those who are in it along. */
static void moved(void)
{
	char buf[PATH_MAX], link[PATH_MAX];
	ssize_t n;

	OK(mkdir("old", 0755));
	OK(chdir("old"));
	OK(rename("../old", "../new"));
	CHECK(getcwd(buf, sizeof(buf)));
	CHECK(!strcmp(strrchr(buf, '/'), "/new"));
	n = readlink("/proc/self/cwd", link, sizeof(link) - 1);
	CHECK(n > 0);
	link[n] = 0;
	CHECK(!strcmp(link, buf));
	OK(chdir(".."));
}

int main(void)
{
	scratch();
	where();
	removed();
	moved();
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* open(2): flags, creation, and the errors of a path. */
#include "check.h"

#include <limits.h>
#include <sys/resource.h>

static void flags(void)
{
	char buf[16];
	int fd;

	FAILS(open("a", O_RDONLY), ENOENT);
	fd = open("a", O_WRONLY | O_CREAT | O_EXCL, 0600);
	OK(fd);
	FAILS(read(fd, buf, 1), EBADF);
	EQ(write(fd, "hello", 5), 5);
	OK(close(fd));
	FAILS(open("a", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);

	fd = open("a", O_RDONLY);
	OK(fd);
	FAILS(write(fd, "x", 1), EBADF);
	EQ(read(fd, buf, sizeof(buf)), 5);
	CHECK(!memcmp(buf, "hello", 5));
	EQ(read(fd, buf, sizeof(buf)), 0);
	OK(close(fd));

	fd = open("a", O_RDWR | O_APPEND);
	OK(fd);
	EQ(lseek(fd, 0, SEEK_CUR), 0);
	EQ(write(fd, "!", 1), 1);
	EQ(lseek(fd, 0, SEEK_CUR), 6);
	EQ(lseek(fd, 1, SEEK_SET), 1);
	EQ(write(fd, "?", 1), 1);
	EQ(lseek(fd, 0, SEEK_CUR), 7);
	EQ(pread(fd, buf, sizeof(buf), 0), 7);
	CHECK(!memcmp(buf, "hello!?", 7));
	OK(close(fd));

	fd = open("a", O_WRONLY | O_TRUNC);
	OK(fd);
	EQ(lseek(fd, 0, SEEK_END), 0);
	OK(close(fd));
}

static void creation_mode(void)
{
	struct stat st;
	mode_t old = umask(027);
	int fd = open("m", O_RDONLY | O_CREAT, 0666);

	OK(fd);
	OK(fstat(fd, &st));
	EQ(st.st_mode, S_IFREG | 0640);
	EQ(st.st_uid, geteuid());
	EQ(st.st_size, 0);
	OK(close(fd));
	umask(0);
	fd = open("m0", O_RDWR | O_CREAT, 0);
	OK(fd); /* the mode binds later opens only */
	EQ(write(fd, "x", 1), 1);
	OK(close(fd));
	EQ(umask(old), 0);
}

static void directories(void)
{
	int fd;

	OK(mkdir("d", 0755));
	FAILS(open("d", O_WRONLY), EISDIR);
	FAILS(open("d", O_RDWR), EISDIR);
	FAILS(open("d", O_RDONLY | O_CREAT, 0600), EISDIR);
	FAILS(open("a", O_RDONLY | O_DIRECTORY), ENOTDIR);
	fd = open("d", O_RDONLY | O_DIRECTORY);
	OK(fd);
	FAILS(read(fd, &fd, 1), EISDIR);
	OK(openat(fd, "inside", O_CREAT | O_WRONLY, 0600));
	OK(access("d/inside", F_OK));
	OK(close(fd));
	FAILS(open("a/b", O_RDONLY), ENOTDIR);
	FAILS(open("a/", O_RDONLY), ENOTDIR);
	FAILS(open("new/", O_RDWR | O_CREAT, 0600), EISDIR);
	FAILS(openat(fd, "x", O_RDONLY), EBADF);
	fd = open("a", O_RDONLY);
	OK(fd);
	FAILS(openat(fd, "x", O_RDONLY), ENOTDIR);
	OK(close(fd));
}

static void links(void)
{
	struct stat st;
	int fd;

	OK(symlink("a", "l"));
	FAILS(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
	fd = open("l", O_PATH | O_NOFOLLOW);
	OK(fd);
	OK(fstat(fd, &st));
	CHECK(S_ISLNK(st.st_mode));
	FAILS(read(fd, &st, 1), EBADF);
	OK(close(fd));
	OK(symlink("loop", "loop"));
	FAILS(open("loop", O_RDONLY), ELOOP);
	OK(symlink("nowhere", "dangling"));
	FAILS(open("dangling", O_RDONLY), ENOENT);
	FAILS(open("dangling", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
	OK(open("dangling", O_WRONLY | O_CREAT, 0600));
	OK(access("nowhere", F_OK));
}

static void bad_paths(void)
{
	char name[NAME_MAX + 2], path[PATH_MAX + 10];

	memset(name, 'n', sizeof(name));
	name[NAME_MAX + 1] = 0;
	FAILS(open(name, O_RDONLY), ENAMETOOLONG);
	name[NAME_MAX] = 0;
	FAILS(open(name, O_RDONLY), ENOENT);
	for (size_t i = 0; i < sizeof(path); i += 2)
		memcpy(path + i, "./", 2);
	path[PATH_MAX] = 0;
	FAILS(open(path, O_RDONLY), ENAMETOOLONG);
	path[PATH_MAX - 2] = 0;
	OK(open(path, O_RDONLY));
	FAILS(open("", O_RDONLY), ENOENT);
	FAILS(syscall(SYS_open, NOWHERE, O_RDONLY, 0), EFAULT);
	FAILS(syscall(SYS_open, NULL, O_RDONLY, 0), EFAULT);
}

static void unnamed(void)
{
	char path[64];
	struct stat st;
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
		return; /* not every file system has it */
	OK(fd);
	OK(fstat(fd, &st));
	EQ(st.st_nlink, 0);
	EQ(write(fd, "t", 1), 1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	OK(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	OK(fstat(fd, &st));
	EQ(st.st_nlink, 1);
	OK(close(fd));
	OK(stat("named", &st));
	EQ(st.st_size, 1);
	FAILS(open(".", O_TMPFILE | O_RDONLY, 0600), EINVAL);
}

static void numbers(void)
{
	struct rlimit old, few;
	int a = open("a", O_RDONLY), b = open("a", O_RDONLY), c;

	OK(a);
	EQ(b, a + 1);
	OK(close(a));
	c = open("a", O_RDONLY);
	EQ(c, a); /* the lowest free number */
	OK(close(b));
	OK(close(c));
	FAILS(close(c), EBADF);
	FAILS(close(-1), EBADF);

	OK(getrlimit(RLIMIT_NOFILE, &old));
	few = old;
	few.rlim_cur = (rlim_t)a;
	OK(setrlimit(RLIMIT_NOFILE, &few));
	FAILS(open("a", O_RDONLY), EMFILE);
	FAILS(dup(0), EMFILE);
	OK(setrlimit(RLIMIT_NOFILE, &old));
	OK(open("a", O_RDONLY));
}

int main(void)
{
	scratch();
	flags();
	creation_mode();
	directories();
	links();
	bad_paths();
	unnamed();
	numbers();
	return 0;
}

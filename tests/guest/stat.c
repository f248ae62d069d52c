/* SPDX-License-Identifier: Apache-2.0 */
/* stat(2), fstatat(2) and statx(2). */
#include "check.h"

#include <sys/statfs.h>
#include <sys/sysmacros.h>

static void kinds(void)
{
	struct stat st, other;
	int fd;

	put_file("f", "12345");
	OK(mkdir("d", 0750));
	OK(symlink("f", "l"));
	OK(mkfifo("p", 0600));
	OK(stat("f", &st));
	CHECK(S_ISREG(st.st_mode));
	EQ(st.st_size, 5);
	EQ(st.st_nlink, 1);
	EQ(st.st_uid, geteuid());
	CHECK(st.st_blksize > 0);
	CHECK(st.st_ino != 0);
	OK(stat("d", &st));
	EQ(st.st_mode & ~(mode_t)S_ISGID, S_IFDIR | 0750);
	OK(lstat("l", &st));
	CHECK(S_ISLNK(st.st_mode));
	EQ(st.st_size, 1);
	OK(stat("l", &other));
	CHECK(other.st_ino != st.st_ino);
	OK(stat("p", &st));
	CHECK(S_ISFIFO(st.st_mode));
	OK(stat("/dev/null", &st));
	CHECK(S_ISCHR(st.st_mode));
	EQ(major(st.st_rdev), 1);
	EQ(minor(st.st_rdev), 3);

	fd = open("f", O_RDONLY);
	OK(fd);
	OK(fstat(fd, &st));
	OK(stat("f", &other));
	EQ(st.st_ino, other.st_ino);
	EQ(st.st_dev, other.st_dev);
	EQ(st.st_mtim.tv_nsec, other.st_mtim.tv_nsec);
	OK(close(fd));
}

static void at_flags(void)
{
	struct stat st, other;
	int fd = open("d", O_RDONLY | O_DIRECTORY);

	OK(fd);
	OK(fstatat(fd, "../f", &st, 0));
	EQ(st.st_size, 5);
	OK(fstatat(fd, "../l", &st, AT_SYMLINK_NOFOLLOW));
	CHECK(S_ISLNK(st.st_mode));
	FAILS(fstatat(fd, "", &st, 0), ENOENT);
	OK(fstatat(fd, "", &st, AT_EMPTY_PATH));
	OK(stat("d", &other));
	EQ(st.st_ino, other.st_ino);
	FAILS(fstatat(fd, "f", &st, 0x80000), EINVAL);
	FAILS(fstatat(-1, "f", &st, 0), EBADF);
	OK(close(fd));
}

static void errors(void)
{
	struct stat st;

	FAILS(stat("none", &st), ENOENT);
	FAILS(stat("f/x", &st), ENOTDIR);
	FAILS(stat("f/", &st), ENOTDIR);
	OK(stat("d/", &st));
	FAILS(fstat(-1, &st), EBADF);
	FAILS(syscall(SYS_stat, "f", NOWHERE), EFAULT);
	FAILS(syscall(SYS_stat, NOWHERE, &st), EFAULT);
	FAILS(syscall(SYS_fstat, 1, NOWHERE), EFAULT);
}

static void extended(void)
{
	struct statx sx;
	struct stat st;

	memset(&sx, 0, sizeof(sx));
	OK(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS | STATX_BTIME, &sx));
	EQ(sx.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
	OK(stat("f", &st));
	EQ(sx.stx_ino, st.st_ino);
	EQ(sx.stx_size, st.st_size);
	EQ(sx.stx_mode, st.st_mode);
	EQ(sx.stx_nlink, st.st_nlink);
	EQ(sx.stx_mtime.tv_sec, st.st_mtim.tv_sec);
	EQ(sx.stx_mtime.tv_nsec, st.st_mtim.tv_nsec);
	EQ(makedev(sx.stx_dev_major, sx.stx_dev_minor), st.st_dev);
	OK(statx(AT_FDCWD, "l", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &sx));
	CHECK(S_ISLNK(sx.stx_mode));
	FAILS(statx(AT_FDCWD, "f", 0x40000000, STATX_TYPE, &sx), EINVAL);
	FAILS(statx(AT_FDCWD, "f", 0, 0x80000000, &sx), EINVAL);
	FAILS(statx(AT_FDCWD, "none", 0, STATX_TYPE, &sx), ENOENT);
}

static void file_system(void)
{
	struct statfs sf;
	int fd = open(".", O_RDONLY);

	OK(statfs(".", &sf));
	CHECK(sf.f_bsize > 0);
	CHECK(sf.f_namelen >= 255);
	OK(fstatfs(fd, &sf));
	OK(statfs("/proc", &sf));
	EQ(sf.f_type, 0x9fa0);
	FAILS(statfs("none", &sf), ENOENT);
	FAILS(fstatfs(-1, &sf), EBADF);
	OK(close(fd));
}

int main(void)
{
	scratch();
	kinds();
	at_flags();
	errors();
	extended();
	file_system();
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* link, symlink, rename, unlink, mkdir and rmdir. */
#include "check.h"

#include <limits.h>
#include <linux/fs.h>

static void hard_links(void)
{
	struct stat a, b;

	put_file("a", "same");
	OK(link("a", "b"));
	OK(stat("a", &a));
	OK(stat("b", &b));
	EQ(a.st_ino, b.st_ino);
	EQ(a.st_nlink, 2);
	FAILS(link("a", "b"), EEXIST);
	FAILS(link("none", "c"), ENOENT);
	OK(mkdir("dir", 0755));
	FAILS(link("dir", "c"), EPERM);
	FAILS(link("a", "none/c"), ENOENT);
	FAILS(link("a", "a/c"), ENOTDIR);
	OK(unlink("a"));
	OK(stat("b", &b));
	EQ(b.st_nlink, 1);
	FAILS(unlink("a"), ENOENT);
	FAILS(unlink("dir"), EISDIR);
	FAILS(unlinkat(AT_FDCWD, "b", AT_REMOVEDIR), ENOTDIR);
	FAILS(unlinkat(AT_FDCWD, "b", 0x1), EINVAL);
	/* A hard link of a symbolic link, followed or not. */
	OK(symlink("b", "s"));
	OK(linkat(AT_FDCWD, "s", AT_FDCWD, "s2", 0));
	OK(lstat("s2", &a));
	CHECK(S_ISLNK(a.st_mode));
	OK(linkat(AT_FDCWD, "s", AT_FDCWD, "s3", AT_SYMLINK_FOLLOW));
	OK(lstat("s3", &a));
	EQ(a.st_ino, b.st_ino);
}

static void symbolic_links(void)
{
	char buf[PATH_MAX], step[32], next[32];

	EQ(readlink("s", buf, sizeof(buf)), 1);
	CHECK(buf[0] == 'b');
	EQ(readlink("s", buf, 0) == -1 ? errno : 0, EINVAL);
	FAILS(readlink("b", buf, sizeof(buf)), EINVAL);
	FAILS(readlink("none", buf, sizeof(buf)), ENOENT);
	OK(symlink("a/long/target", "t"));
	EQ(readlink("t", buf, 4), 4);
	CHECK(!memcmp(buf, "a/lo", 4));
	FAILS(symlink("x", "t"), EEXIST);
	FAILS(symlink("", "e"), ENOENT);
	FAILS(symlink("x", "none/e"), ENOENT);
	/* Forty links in a row are followed, forty-one are not. */
	put_file("c0", "end");
	for (int i = 1; i <= 41; i++) {
		snprintf(step, sizeof(step), "c%d", i);
		snprintf(next, sizeof(next), "c%d", i - 1);
		OK(symlink(next, step));
	}
	OK(access("c40", F_OK));
	FAILS(access("c41", F_OK), ELOOP);
	/* Relative ones start at their own folder. */
	OK(symlink("../b", "dir/up"));
	OK(access("dir/up", F_OK));
	OK(symlink("dir", "dirlink"));
	OK(access("dirlink/up", F_OK));
	FAILS(rmdir("dirlink"), ENOTDIR);
}

static void rename_rules(void)
{
	struct stat a, b;
	int fd;

	put_file("x", "x");
	put_file("y", "yy");
	fd = open("y", O_RDONLY);
	OK(fd);
	OK(stat("x", &a));
	OK(rename("x", "y"));
	OK(stat("y", &b));
	EQ(a.st_ino, b.st_ino);
	FAILS(stat("x", &a), ENOENT);
	OK(fstat(fd, &a)); /* the one replaced lives while it is open */
	EQ(a.st_size, 2);
	EQ(a.st_nlink, 0);
	OK(close(fd));

	OK(link("y", "y2"));
	OK(rename("y", "y2")); /* same file: nothing happens */
	OK(access("y", F_OK));
	OK(unlink("y2"));
	FAILS(rename("none", "z"), ENOENT);
	FAILS(rename("y", "none/z"), ENOENT);
	FAILS(rename("y", "dir"), EISDIR);
	FAILS(rename("dir", "y"), ENOTDIR);
	OK(mkdir("sub", 0755));
	OK(mkdir("sub/low", 0755));
	FAILS(rename("sub", "sub/low/x"), EINVAL);
	OK(mkdir("full", 0755));
	put_file("full/f", "");
	FAILS(rename("sub", "full") == -1 && errno == EEXIST
	              ? (errno = ENOTEMPTY, -1)
	              : (rename("sub", "full")),
	      ENOTEMPTY);
	OK(mkdir("empty", 0755));
	OK(rename("sub", "empty"));
	OK(access("empty/low", F_OK));
	OK(rename("empty/low", "low"));
	OK(stat("low/..", &a));
	OK(stat(".", &b));
	EQ(a.st_ino, b.st_ino);
	FAILS(rename(".", "dot"), EBUSY);
	FAILS(rename("y", "y/"), ENOTDIR);
}

static void rename_flags(void)
{
	struct stat a, b, now;

	put_file("p", "p");
	put_file("q", "qq");
	OK(stat("p", &a));
	OK(stat("q", &b));
	FAILS(renameat2(AT_FDCWD, "p", AT_FDCWD, "q", RENAME_NOREPLACE),
	      EEXIST);
	OK(renameat2(AT_FDCWD, "p", AT_FDCWD, "q", RENAME_EXCHANGE));
	OK(stat("p", &now));
	EQ(now.st_ino, b.st_ino);
	OK(stat("q", &now));
	EQ(now.st_ino, a.st_ino);
	FAILS(renameat2(AT_FDCWD, "p", AT_FDCWD, "none", RENAME_EXCHANGE),
	      ENOENT);
	FAILS(renameat2(AT_FDCWD, "p", AT_FDCWD, "q",
	                RENAME_EXCHANGE | RENAME_NOREPLACE),
	      EINVAL);
	OK(renameat2(AT_FDCWD, "p", AT_FDCWD, "r", RENAME_NOREPLACE));
	/* A file and a folder may change places. */
	OK(mkdir("ex", 0755));
	OK(renameat2(AT_FDCWD, "r", AT_FDCWD, "ex", RENAME_EXCHANGE));
	OK(stat("r", &now));
	CHECK(S_ISDIR(now.st_mode));
}

static void folders(void)
{
	struct stat st;
	int fd;

	OK(mkdir("n", 0755));
	OK(stat("n", &st));
	FAILS(mkdir("n", 0755), EEXIST);
	FAILS(mkdir("y", 0755), EEXIST);
	FAILS(mkdir("none/n", 0755), ENOENT);
	FAILS(mkdir("y/n", 0755), ENOTDIR);
	OK(mkdir("slash/", 0755));
	put_file("n/f", "");
	FAILS(rmdir("n"), ENOTEMPTY);
	OK(unlink("n/f"));
	FAILS(rmdir("n/."), EINVAL);
	FAILS(rmdir("n/.."), ENOTEMPTY);
	fd = open("n", O_RDONLY | O_DIRECTORY);
	OK(fd);
	OK(rmdir("n"));
	FAILS(openat(fd, "late", O_CREAT | O_WRONLY, 0600), ENOENT);
	OK(fstat(fd, &st));
	EQ(st.st_nlink, 0);
	OK(close(fd));
	FAILS(rmdir("n"), ENOENT);
	FAILS(rmdir("y"), ENOTDIR);
	EQ(rmdir("/"), -1);
	OK(mkdir("w", 0));
	OK(rmdir("w"));
}

static void node_kinds(void)
{
	struct stat st;

	OK(mknod("nod", S_IFREG | 0600, 0));
	OK(mknod("fifo", S_IFIFO | 0600, 0));
	OK(stat("fifo", &st));
	CHECK(S_ISFIFO(st.st_mode));
	FAILS(mknod("nod", S_IFREG | 0600, 0), EEXIST);
	if (geteuid() != 0)
		FAILS(mknod("dev", S_IFCHR | 0600, 0x103), EPERM);
}

int main(void)
{
	scratch();
	hard_links();
	symbolic_links();
	rename_rules();
	rename_flags();
	folders();
	node_kinds();
	return 0;
}

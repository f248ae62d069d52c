/* SPDX-License-Identifier: Apache-2.0 */
/* chmod, chown, access, umask, and what they forbid. */
#include "check.h"

static void chmod_family(void)
{
	struct stat st;
	int fd;

	put_file("f", "text");
	OK(chmod("f", 0604));
	OK(stat("f", &st));
	EQ(st.st_mode & 07777, 0604);
	fd = open("f", O_RDONLY);
	OK(fd);
	OK(fchmod(fd, 0640));
	OK(fstat(fd, &st));
	EQ(st.st_mode & 07777, 0640);
	OK(close(fd));
	OK(fchmodat(AT_FDCWD, "f", 04755, 0));
	OK(stat("f", &st));
	EQ(st.st_mode & 07777, 04755);
	FAILS(chmod("none", 0600), ENOENT);
	FAILS(fchmod(-1, 0600), EBADF);
	FAILS(chmod("f/x", 0600), ENOTDIR);
	fd = open("f", O_PATH);
	FAILS(fchmod(fd, 0600), EBADF);
	OK(close(fd));
	OK(chmod("f", 0644));
	OK(symlink("f", "l"));
	OK(chmod("l", 0600)); /* of what it points to */
	OK(stat("f", &st));
	EQ(st.st_mode & 07777, 0600);
}

static void as_stranger(void *arg)
{
	int fd;

	(void)arg;
	if (geteuid() == 0) {
		/* Groups first, and the capabilities go with the uid. */
		OK(syscall(SYS_setgroups, 0, NULL));
		OK(setresgid(4242, 4242, 4242));
		OK(setresuid(4242, 4242, 4242));
		FAILS(chmod("f", 0777), EPERM);
		FAILS(chown("f", 4242, 4242), EPERM);
		FAILS(open("secret", O_RDONLY), EACCES);
		FAILS(open("closed/in", O_RDONLY), EACCES);
		FAILS(unlink("f"), EACCES);
		FAILS(open("new", O_CREAT | O_WRONLY, 0600), EACCES);
		FAILS(access("secret", R_OK), EACCES);
		OK(access("secret", F_OK));
		/* Others may, where the last digit says so. */
		fd = open("public", O_RDWR);
		OK(fd);
		OK(close(fd));
		/* Sticky: into it, but out only with one's own. */
		put_file("sticky/mine", "");
		FAILS(unlink("sticky/theirs"), EPERM);
		FAILS(rename("sticky/theirs", "sticky/x"), EPERM);
		OK(unlink("sticky/mine"));
		return;
	}
	/* The owner is held to the owner's digit, whatever others may. */
	OK(chmod("f", 0077));
	FAILS(open("f", O_RDONLY), EACCES);
	FAILS(access("f", R_OK), EACCES);
	OK(chmod("f", 0400));
	fd = open("f", O_RDONLY);
	OK(fd);
	OK(close(fd));
	FAILS(open("f", O_RDWR), EACCES);
	FAILS(access("f", W_OK), EACCES);
	FAILS(access("f", X_OK), EACCES);
	OK(chmod("closed", 0400));
	FAILS(open("closed/in", O_RDONLY), EACCES);
	OK(chmod("closed", 0100));
	fd = open("closed/in", O_RDONLY);
	OK(fd);
	FAILS(open("closed", O_RDONLY), EACCES);
	FAILS(open("closed/new", O_CREAT | O_WRONLY, 0600), EACCES);
	FAILS(unlink("closed/in"), EACCES);
	FAILS(chown("f", 0, 0), EPERM);
	OK(chown("f", geteuid(), getegid()));
	OK(chown("f", (uid_t)-1, (gid_t)-1));
	OK(chmod("closed", 0700));
}

static void strangers(void)
{
	put_file("secret", "");
	OK(chmod("secret", 0600));
	put_file("public", "");
	OK(chmod("public", 0666));
	OK(mkdir("closed", 0700));
	put_file("closed/in", "");
	OK(mkdir("sticky", 0700));
	OK(chmod("sticky", 01777));
	put_file("sticky/theirs", "");
	OK(chmod(".", 0755));
	apart(as_stranger, NULL);
}

static void as_root(void)
{
	struct stat st;

	if (geteuid() != 0)
		return;
	put_file("r", "");
	OK(chmod("r", 0));
	OK(open("r", O_RDWR));
	FAILS(access("r", X_OK), EACCES); /* nobody may execute it */
	OK(chmod("r", 06755));
	OK(chown("r", 12, 34));
	OK(stat("r", &st));
	EQ(st.st_uid, 12);
	EQ(st.st_gid, 34);
	EQ(st.st_mode & 07777, 0755); /* changing hands drops these */
	OK(symlink("r", "rl"));
	OK(lchown("rl", 56, 78));
	OK(stat("r", &st));
	EQ(st.st_uid, 12);
	OK(lstat("rl", &st));
	EQ(st.st_uid, 56);
}

static void access_errors(void)
{
	OK(access(".", R_OK | W_OK | X_OK));
	FAILS(access("f", 8), EINVAL);
	FAILS(access("none", F_OK), ENOENT);
	FAILS(faccessat(-1, "f", F_OK, 0), EBADF);
	OK(faccessat(AT_FDCWD, "l", F_OK, AT_SYMLINK_NOFOLLOW));
	OK(faccessat(AT_FDCWD, ".", W_OK, AT_EACCESS));
}

/* A folder with the set-gid bit hands its group to what is made in it. */
static void inherited_group(void)
{
	struct stat st, dir;

	OK(mkdir("g", 0755));
	OK(chmod("g", 02755));
	OK(stat("g", &dir));
	if (!(dir.st_mode & S_ISGID))
		return;
	OK(mkdir("g/sub", 0755));
	OK(stat("g/sub", &st));
	EQ(st.st_gid, dir.st_gid);
	CHECK(st.st_mode & S_ISGID);
}

int main(void)
{
	umask(022);
	scratch();
	chmod_family();
	access_errors();
	strangers();
	as_root();
	inherited_group();
	return 0;
}

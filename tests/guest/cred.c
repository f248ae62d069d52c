/* SPDX-License-Identifier: Apache-2.0 */
/* Users and groups: who may become whom. */
#include "check.h"

#include <grp.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>

static void is(uid_t r, uid_t e, uid_t s)
{
	uid_t a, b, c;

	OK(getresuid(&a, &b, &c));
	EQ(a, r);
	EQ(b, e);
	EQ(c, s);
	EQ(getuid(), r);
	EQ(geteuid(), e);
}

static void as_user(void *arg)
{
	uid_t me = getuid();
	gid_t group = getgid();

	(void)arg;
	if (me == 0) {
		me = 1234;
		group = 1235;
		OK(setgroups(0, NULL));
		OK(setresgid(group, group, group));
		OK(setresuid(me, me, me));
	}
	is(me, me, me);
	FAILS(setuid(0), EPERM);
	FAILS(seteuid(0), EPERM);
	FAILS(setresuid((uid_t)-1, 0, (uid_t)-1), EPERM);
	FAILS(setreuid(0, (uid_t)-1), EPERM);
	FAILS(setgid(0), EPERM);
	FAILS(setgroups(0, NULL), EPERM);
	OK(setuid(me));
	OK(setresuid(me, me, me));
	OK(setresgid(group, group, group));
	OK(setresuid((uid_t)-1, (uid_t)-1, (uid_t)-1));
}

static void saved(void *arg)
{
	(void)arg;
	/* Down and up again, while the saved one allows it. */
	OK(seteuid(1000));
	is(0, 1000, 0);
	FAILS(open("rootonly", O_RDONLY), EACCES);
	FAILS(setgroups(0, NULL), EPERM);
	OK(seteuid(0));
	OK(close(open("rootonly", O_RDONLY)));
	OK(setresuid(1, 2, 3));
	is(1, 2, 3);
	OK(setresuid(3, 1, 2));
	is(3, 1, 2);
	FAILS(setresuid(4, (uid_t)-1, (uid_t)-1), EPERM);
	OK(seteuid(3));
	OK(setuid(3));
	is(3, 3, 2);
}

static void setuid_root_drops_all(void *arg)
{
	(void)arg;
	OK(setuid(77));
	is(77, 77, 77);
	FAILS(setuid(0), EPERM);
}

static void group_access(void *arg)
{
	gid_t list[3] = {5000, 6000, 7000}, got[8];

	(void)arg;
	OK(chown("grouped", 0, 6000));
	OK(chmod("grouped", 0060));
	OK(setgroups(3, list));
	EQ(getgroups(0, NULL), 3);
	FAILS(getgroups(2, got), EINVAL);
	EQ(getgroups(8, got), 3);
	EQ(got[1], 6000);
	OK(setresgid(1, 1, 1));
	OK(setresuid(1, 1, 1));
	OK(close(open("grouped", O_RDWR)));
	FAILS(open("rootonly", O_RDONLY), EACCES);
	FAILS(setgroups(70000, list), EPERM);
}

/* The file system's own identity. */
static void fs_identity(void *arg)
{
	struct stat st;

	(void)arg;
	OK(chmod(".", 0777));
	EQ(setfsuid(99), 0);
	EQ(setfsuid((uid_t)-1), 99);
	OK(close(open("fsfile", O_CREAT | O_WRONLY, 0600)));
	OK(stat("fsfile", &st));
	EQ(st.st_uid, 99);
	FAILS(open("rootonly", O_RDONLY), EACCES);
}

/* A set-uid program: who one is inside. */
static void run_setuid(void *arg)
{
	char *const argv[] = {"cred", "who", NULL};

	if (geteuid() == 0) {
		OK(setgroups(0, NULL));
		OK(setresgid(1235, 1235, 1235));
		OK(setresuid(1234, 1234, 1234));
	}
	execv(arg, argv);
	_exit(99);
}

static void copy_self(const char *to)
{
	static char buf[65536];
	int in = open("/proc/self/exe", O_RDONLY);
	int out = open(to, O_WRONLY | O_CREAT, 0755);
	ssize_t n;

	OK(in);
	OK(out);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		EQ(write(out, buf, (size_t)n), n);
	OK(close(in));
	OK(close(out));
}

/* A mount may say that the bit means nothing. */
static void setuid_bit(void)
{
	struct statvfs fs;
	int who;

	OK(statvfs(".", &fs));
	who = fs.f_flag & ST_NOSUID ? 60 : 61;
	copy_self("suid");
	OK(chmod(".", 0755));
	if (getuid() == 0) {
		OK(chown("suid", 4321, 4322));
		OK(chmod("suid", 06755));
		EQ(WEXITSTATUS(reap(child(run_setuid, "./suid"))), who);
		OK(chown("suid", 4321, 4322));
		OK(chmod("suid", 0755));
		EQ(WEXITSTATUS(reap(child(run_setuid, "./suid"))), 60);
	} else {
		/* With the bit of our own uid nothing changes. */
		OK(chmod("suid", 04755));
		EQ(WEXITSTATUS(reap(child(run_setuid, "./suid"))), 60);
	}
}

static int who(void)
{
	uid_t r, e, s;

	OK(getresuid(&r, &e, &s));
	if (r == e && e == s)
		return 60;
	EQ(e, 4321);
	EQ(s, 4321);
	EQ(r, 1234);
	EQ(getegid(), 4322);
	EQ(getgid(), 1235);
	return 61;
}

static void no_new_privs(void *arg)
{
	OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	FAILS(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
	run_setuid(arg);
}

int main(int argc, char **argv)
{
	int probe;

	if (argc > 1 && !strcmp(argv[1], "who"))
		return who();
	scratch();
	apart(as_user, NULL);
	if (getuid() == 0) {
		OK(chmod(".", 0711));
		put_file("rootonly", "");
		OK(chmod("rootonly", 0600));
		put_file("grouped", "");
		apart(saved, NULL);
		apart(setuid_root_drops_all, NULL);
		apart(group_access, NULL);
		apart(fs_identity, NULL);
	}
	probe = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	if (probe == 0 || getuid() != 0)
		setuid_bit();
	EQ(WEXITSTATUS(reap(child(no_new_privs, "./suid"))) == 60 ||
	           access("suid", F_OK) < 0,
	   1);
	return 0;
}

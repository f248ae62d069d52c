/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capabilities of programs, and what execve(2) makes of capabilities: this
 * program executes copies of itself, which say what they got.
 */
#include "check.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/xattr.h>

#define NAME   "security.capability"
#define BIT(c) (1ull << (c))
#define BIND   BIT(CAP_NET_BIND_SERVICE)
#define CHOWN  BIT(CAP_CHOWN)
#define TAME   1000 /* an ordinary user */

struct caps {
	uint64_t permitted, effective, inheritable;
};

static struct caps now(pid_t pid)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, pid};
	struct __user_cap_data_struct d[2];

	OK(syscall(SYS_capget, &h, d));
	return (struct caps){
		d[0].permitted | (uint64_t)d[1].permitted << 32,
		d[0].effective | (uint64_t)d[1].effective << 32,
		d[0].inheritable | (uint64_t)d[1].inheritable << 32,
	};
}

static int become(struct caps c)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2] = {
		{(uint32_t)c.effective, (uint32_t)c.permitted,
	         (uint32_t)c.inheritable},
		{(uint32_t)(c.effective >> 32), (uint32_t)(c.permitted >> 32),
	         (uint32_t)(c.inheritable >> 32)},
	};

	return (int)syscall(SYS_capset, &h, d);
}

static bool ambient(int cap)
{
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1;
}

/* In the copy: "permitted effective ambient secure", as was expected? */
static int tell_rights(char **argv)
{
	struct caps c = now(0);
	uint64_t all[2] = {CHOWN, BIND};
	char text[64];

	c.permitted &= all[0] | all[1];
	c.effective &= all[0] | all[1];
	snprintf(text, sizeof(text), "%llx %llx %d %d euid %d",
	         (unsigned long long)c.permitted,
	         (unsigned long long)c.effective, ambient(CAP_NET_BIND_SERVICE),
	         (int)getauxval(AT_SECURE), (int)geteuid());
	if (strcmp(text, argv[2]) != 0) {
		fprintf(stderr, "%s: got %s, not %s\n", argv[3], text, argv[2]);
		return 1;
	}
	return 0;
}

static void copy_self(const char *to)
{
	struct stat st;
	int in, out;

	OK(in = open("/proc/self/exe", O_RDONLY));
	OK(fstat(in, &st));
	OK(out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0755));
	while (st.st_size > 0) {
		ssize_t n = sendfile(out, in, NULL, (size_t)st.st_size);

		CHECK(n > 0);
		st.st_size -= n;
	}
	OK(close(in));
	OK(close(out));
	OK(chmod(to, 0755));
}

static void give(const char *path, uint32_t flags, uint64_t permitted,
                 uint64_t inheritable)
{
	uint32_t v[5] = {VFS_CAP_REVISION_2 | flags, (uint32_t)permitted,
	                 (uint32_t)inheritable, (uint32_t)(permitted >> 32),
	                 (uint32_t)(inheritable >> 32)};

	OK(setxattr(path, NAME, v, sizeof(v), 0));
}

/* A case: what to be, what to execute, and what comes of it. */
struct deed {
	const char *why;
	void (*prepare)(void);
	const char *path;
	const char *want; /* NULL: EPERM */
};

static void drop_ids(void)
{
	OK(setgroups(0, NULL));
	OK(setresgid(TAME, TAME, TAME));
	OK(setresuid(TAME, TAME, TAME));
}

static void tame(void)
{
	drop_ids();
}

static void nothing(void)
{
}

static void bounded(void)
{
	OK(prctl(PR_CAPBSET_DROP, CAP_NET_BIND_SERVICE, 0, 0, 0));
	EQ(prctl(PR_CAPBSET_READ, CAP_NET_BIND_SERVICE, 0, 0, 0), 0);
	drop_ids();
}

static void no_new(void)
{
	drop_ids();
	OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

/* Keeps one capability over the change of ids. */
static void keep(struct caps c)
{
	OK(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
	drop_ids();
	EQ(now(0).effective, 0);
	OK(become(c));
}

static void inheriting(void)
{
	keep((struct caps){BIND, 0, BIND});
}

static void has_ambient(void)
{
	FAILS(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 1, 0),
	      EINVAL);
	keep((struct caps){BIND, 0, BIND});
	FAILS(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0),
	      EPERM);
	OK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0,
	         0));
}

static void ambient_then_lost(void)
{
	has_ambient();
	OK(become((struct caps){BIND, 0, 0}));
	CHECK(!ambient(CAP_NET_BIND_SERVICE));
}

static void no_root(void)
{
	OK(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0,
	         0));
	FAILS(prctl(PR_SET_SECUREBITS, 0, 0, 0, 0), EPERM);
}

static const struct deed deeds[] = {
	{"a plain program", tame, "./plain", "0 0 0 0 euid 1000"},
	{"root's", nothing, "./plain", "401 401 0 0 euid 0"},
	{"one with a capability", tame, "./bind", "400 400 0 1 euid 1000"},
	{"permitted only", tame, "./quiet", "400 0 0 1 euid 1000"},
	{"what may not be had", bounded, "./bind", NULL},
	{"may not be had, and is not needed", bounded, "./quiet",
         "0 0 0 0 euid 1000"},
	{"no new privileges", no_new, "./bind", "0 0 0 1 euid 1000"},
	{"inheritable, not to be had", tame, "./inherit", "0 0 0 1 euid 1000"},
	{"inheritable", inheriting, "./inherit", "400 400 0 1 euid 1000"},
	{"inheritable, by a plain one", inheriting, "./plain",
         "0 0 0 0 euid 1000"},
	{"ambient", has_ambient, "./plain", "400 400 1 0 euid 1000"},
	{"ambient, taken away", ambient_then_lost, "./plain",
         "0 0 0 0 euid 1000"},
	{"ambient ends where the file has some", has_ambient, "./chown",
         "1 1 0 1 euid 1000"},
	{"ambient ends with set-user-id", has_ambient, "./setuid",
         "401 401 0 1 euid 0"},
	{"set-user-id", tame, "./setuid", "401 401 0 1 euid 0"},
	{"set-user-id, no new privileges", no_new, "./setuid",
         "0 0 0 0 euid 1000"},
	{"set-user-id and capabilities", tame, "./both", "400 400 0 1 euid 0"},
	{"root's, with capabilities", nothing, "./bind", "401 401 0 0 euid 0"},
	{"root without power", no_root, "./plain", "0 0 0 0 euid 0"},
	{"root without power, a capability", no_root, "./bind",
         "400 400 0 0 euid 0"},
};

static void act(void *arg)
{
	const struct deed *d = arg;

	d->prepare();
	execl(d->path, d->path, "rights", d->want ? d->want : "", d->why, NULL);
	if (d->want || errno != EPERM)
		check_fail(__FILE__, __LINE__, d->why, 0, 0);
}

/* What is written to, or given away, has no more capabilities. */
static void lost(void)
{
	int fd;

	copy_self("w");
	give("w", 1, BIND, 0);
	OK(chmod("w", 0700));
	EQ(getxattr("w", NAME, NULL, 0), 20);
	OK(chown("w", TAME, TAME));
	FAILS(getxattr("w", NAME, NULL, 0), ENODATA);
	give("w", 1, BIND, 0);
	OK(fd = open("w", O_WRONLY));
	EQ(write(fd, "x", 1), 1);
	OK(close(fd));
	FAILS(getxattr("w", NAME, NULL, 0), ENODATA);
	give("w", 1, BIND, 0);
	OK(truncate("w", 3));
	FAILS(getxattr("w", NAME, NULL, 0), ENODATA);
}

static void not_ours(void *arg)
{
	uint32_t v[5] = {VFS_CAP_REVISION_2, (uint32_t)BIND};

	(void)arg;
	drop_ids();
	FAILS(setxattr("mine", NAME, v, sizeof(v), 0), EPERM);
	FAILS(removexattr("bind", NAME), EPERM);
	EQ(getxattr("bind", NAME, NULL, 0), 20);
	FAILS(become((struct caps){BIND, 0, 0}), EPERM);
	FAILS(become((struct caps){0, BIND, 0}), EPERM);
	FAILS(become((struct caps){0, 0, BIND}), EPERM);
	FAILS(prctl(PR_CAPBSET_DROP, CAP_CHOWN, 0, 0, 0), EPERM);
	FAILS(prctl(PR_CAPBSET_READ, 64, 0, 0, 0), EINVAL);
}

static void refused(void)
{
	uint32_t v[5] = {VFS_CAP_REVISION_2, (uint32_t)BIND};

	put_file("mine", "");
	OK(chown("mine", TAME, TAME));
	FAILS(setxattr("mine", NAME, v, 19, 0), EINVAL);
	v[0] = VFS_CAP_REVISION_3;
	FAILS(setxattr("mine", NAME, v, 20, 0), EINVAL);
	v[0] = VFS_CAP_REVISION_2 | 2;
	FAILS(setxattr("mine", NAME, v, 20, 0), EINVAL);
	apart(not_ours, NULL);
}

static void *thread(void *arg)
{
	int *bell = arg;
	char c;

	OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	OK(become((struct caps){0, 0, 0}));
	bell[2] = gettid();
	tell(bell[1]);
	EQ(read(bell[3], &c, 1), 0);
	return NULL;
}

/* Both belong to threads, not to processes. */
static void of_threads(void *arg)
{
	pthread_t id;
	int ends[2], back[2], bell[4];

	(void)arg;
	OK(pipe(ends));
	OK(pipe(back));
	bell[1] = ends[1];
	bell[3] = back[0];
	PTHREAD(pthread_create(&id, NULL, thread, bell));
	await(ends[0]);
	EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	CHECK(now(0).permitted & CHOWN);
	EQ(now(bell[2]).permitted, 0);
	CHECK(now(getpid()).permitted & CHOWN);
	OK(close(back[1]));
	PTHREAD(pthread_join(id, NULL));
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "rights"))
		return tell_rights(argv);
	if (getuid() != 0)
		SKIP("only root gives capabilities to files");
	OK(setenv("TMPDIR", "/var/tmp", 1)); /* /tmp may be nosuid */
	scratch();
	OK(chmod(".", 0755));
	copy_self("plain");
	copy_self("bind");
	if (setxattr("bind", NAME,
	             &(uint32_t[5]){VFS_CAP_REVISION_2, (uint32_t)BIND}, 20,
	             0) < 0) {
		CHECK(errno == EOPNOTSUPP);
		SKIP("no capabilities on this file system");
	}
	give("bind", VFS_CAP_FLAGS_EFFECTIVE, BIND, 0);
	copy_self("quiet");
	give("quiet", 0, BIND, 0);
	copy_self("inherit");
	give("inherit", VFS_CAP_FLAGS_EFFECTIVE, 0, BIND);
	copy_self("chown");
	give("chown", VFS_CAP_FLAGS_EFFECTIVE, CHOWN, 0);
	copy_self("setuid");
	OK(chmod("setuid", 04755));
	copy_self("both");
	give("both", VFS_CAP_FLAGS_EFFECTIVE, BIND, 0);
	OK(chmod("both", 04755));
	for (size_t i = 0; i < COUNT(deeds); i++)
		apart(act, (void *)&deeds[i]);
	lost();
	refused();
	apart(of_threads, NULL);
	return 0;
}

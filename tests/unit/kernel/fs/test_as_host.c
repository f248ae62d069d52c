/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thousands of random calls on a few names, each made of the host's Linux and
 * of our kernel: both give the same answer.  The host's are made in a child
 * that has the scratch folder as its root, which takes a privileged user.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kernel/testbed.h"
#include "scratch.h"

#define STEPS   8000
#define FD_BASE 40 /* descriptors in play: from here on, in both worlds */
#define FDS     12

struct dice {
	uint64_t state;
};

static uint32_t roll(struct dice *d, uint32_t n)
{
	d->state = d->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((d->state >> 33) % n);
}

/* One call; the argument `out` is a buffer that receives `out_size`. */
struct step {
	uint32_t nr;
	uint64_t arg[6];
	int out;
	char name[2][256];
};

static const char *const parts[] = {
	"a", "b",  "c",
	"d", "a",  "b",
	".", "..", "a name that is longer than thirty-two bytes",
};

static void make_name(struct dice *d, char *to)
{
	uint32_t n = 1 + roll(d, 3);

	*to = 0;
	if (roll(d, 3) == 0)
		(void)strcat(to, "/");
	for (uint32_t i = 0; i < n; i++) {
		if (i > 0)
			(void)strcat(to, roll(d, 12) ? "/" : "//");
		(void)strcat(to, parts[roll(d, ARRAY_LEN(parts))]);
	}
	if (roll(d, 10) == 0)
		(void)strcat(to, "/");
	if (roll(d, 200) == 0)
		*to = 0;
}

/* Nothing here waits: a FIFO may be among the names. */
static const int open_flags[] = {
	O_RDONLY,
	O_WRONLY,
	O_RDWR,
	O_RDWR | O_CREAT,
	O_CREAT | O_EXCL | O_WRONLY,
	O_DIRECTORY,
	O_PATH,
	O_PATH | O_NOFOLLOW,
	O_NOFOLLOW,
	O_CREAT | O_TRUNC | O_WRONLY,
	O_TRUNC | O_RDWR,
	O_CREAT | O_NOFOLLOW | O_RDWR,
	O_APPEND | O_WRONLY,
	O_TMPFILE | O_RDWR,
	O_PATH | O_DIRECTORY,
	O_CREAT | O_DIRECTORY,
	O_NOATIME,
};

/*
 * The calls, in letters: d directory, n first name, m second name, f a
 * descriptor, o mode, z size, O open flags, R rename flags, L link flags,
 * S stat flags, k kind of node, u id, c working directory, b output, 0.
 * No sticky bits: what they protect depends on the host's settings.
 */
static const struct {
	uint32_t nr;
	const char *args;
} calls[] = {
	{SYS_openat, "dnOo"},     {SYS_openat, "dnOo"},
	{SYS_openat, "dnOo"},     {SYS_close, "f"},
	{SYS_close, "f"},         {SYS_mkdirat, "dno"},
	{SYS_mkdirat, "dno"},     {SYS_mkdirat, "dno"},
	{SYS_unlinkat, "dn0"},    {SYS_unlinkat, "dnr"},
	{SYS_renameat2, "dncmR"}, {SYS_renameat2, "dncmR"},
	{SYS_renameat2, "dncmR"}, {SYS_linkat, "dncmL"},
	{SYS_linkat, "dncmL"},    {SYS_symlinkat, "ndm"},
	{SYS_symlinkat, "ndm"},   {SYS_readlinkat, "dnbz"},
	{SYS_newfstatat, "dnbS"}, {SYS_newfstatat, "dnbS"},
	{SYS_fchmodat, "dno"},    {SYS_truncate, "nz"},
	{SYS_mknodat, "dnk"},     {SYS_chdir, "n"},
	{SYS_getcwd, "bZ"},       {SYS_fchdir, "f"},
	{SYS_dup, "f"},           {SYS_faccessat, "dno"},
	{SYS_fchownat, "dnuuS"},  {SYS_write, "fnz"},
	{SYS_read, "fbz"},
};

static uint64_t pick(struct dice *d, struct step *s, char letter)
{
	static const uint32_t kinds[] = {S_IFIFO, S_IFREG, S_IFSOCK};
	uint64_t cwd = (uint64_t)AT_FDCWD;

	switch (letter) {
	case 'c':
		return cwd;
	case 'd':
		return roll(d, 4) ? FD_BASE + roll(d, FDS) : cwd;
	case 'f':
		return FD_BASE + roll(d, FDS);
	case 'n':
		return (uint64_t)(uintptr_t)s->name[0];
	case 'm':
		return (uint64_t)(uintptr_t)s->name[1];
	case 'o':
		return roll(d, 3) ? 0755 : roll(d, 010000) & ~01000u;
	case 'z':
		return 1 + roll(d, 60);
	case 'Z':
		return 1024;
	case 'O':
		return (uint64_t)(open_flags[roll(d, ARRAY_LEN(open_flags))] |
		                  O_NONBLOCK);
	case 'R':
		return roll(d, 2) ? 0 : roll(d, 4);
	case 'L':
		return roll(d, 2) ? 0 : AT_SYMLINK_FOLLOW;
	case 'S':
		return roll(d, 2) ? 0 : AT_SYMLINK_NOFOLLOW;
	case 'k':
		return kinds[roll(d, ARRAY_LEN(kinds))] | 0644;
	case 'u':
		return roll(d, 2) ? UINT32_MAX : roll(d, 2) * 1000;
	case 'r':
		return AT_REMOVEDIR;
	default:
		return 0;
	}
}

static void make_step(struct dice *d, struct step *s)
{
	size_t call = roll(d, ARRAY_LEN(calls));
	const char *args = calls[call].args;

	*s = (struct step){.nr = calls[call].nr, .out = -1};
	make_name(d, s->name[0]);
	make_name(d, s->name[1]);
	for (int i = 0; args[i]; i++) {
		if (args[i] == 'b')
			s->out = i;
		else
			s->arg[i] = pick(d, s, args[i]);
	}
}

static bool same_stat(const void *host, const void *ours)
{
	struct stat a, b;

	memcpy(&a, host, sizeof(a));
	memcpy(&b, ours, sizeof(b));
	return a.st_mode == b.st_mode && a.st_uid == b.st_uid &&
	       a.st_gid == b.st_gid && a.st_nlink == b.st_nlink &&
	       (S_ISDIR(a.st_mode) || a.st_size == b.st_size);
}

static long of_host(const struct step *s, void *out)
{
	uint64_t arg[6];
	long ret;

	memcpy(arg, s->arg, sizeof(arg));
	if (s->out >= 0)
		arg[s->out] = (uint64_t)(uintptr_t)out;
	ret = syscall(s->nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
	return ret < 0 ? -errno : ret;
}

static long of_ours(struct testbed *bed, const struct step *s, void *out)
{
	uint64_t arg[6];

	memcpy(arg, s->arg, sizeof(arg));
	if (s->out >= 0)
		arg[s->out] = (uint64_t)(uintptr_t)out;
	return testbed_run(bed->task, s->nr, arg);
}

static bool agree(struct testbed *bed, const struct step *s)
{
	uint8_t host[1024] = {0}, ours[1024] = {0};
	long a = of_host(s, host), b = of_ours(bed, s, ours);
	bool same = a == b;

	if (same && a == 0 && s->nr == SYS_newfstatat)
		same = same_stat(host, ours);
	else if (same && a > 0 && s->out >= 0)
		same = memcmp(host, ours, (size_t)a) == 0;
	if (!same)
		print_message("%s(%d, '%s', '%s', %lo, %lo): %ld, not %ld\n",
		              syscall_name(s->nr), (int)s->arg[0], s->name[0],
		              s->name[1], (unsigned long)(uint32_t)s->arg[2],
		              (unsigned long)(uint32_t)s->arg[3], b, a);
	return same;
}

/* The same descriptors below FD_BASE are taken in both worlds. */
static void align(struct testbed *bed)
{
	long fd = testbed_call(bed, SYS_open, "/", O_RDONLY);

	while (fd >= 0 && fd < FD_BASE)
		fd = testbed_call(bed, SYS_dup, 0);
	(void)!testbed_call(bed, SYS_close, fd);
	do
		fd = dup(2);
	while (fd >= 0 && fd < FD_BASE);
	close((int)fd);
}

/* In a child: makes both worlds alike, then the calls.  Its exit status. */
static int compare(uint64_t seed, uint32_t uid)
{
	struct dice d = {seed};
	struct testbed *bed = testbed_create(0);

	if (chmod("/", 0777) < 0 || testbed_call(bed, SYS_chmod, "/", 0777) < 0)
		return 2;
	(void)umask(022);
	align(bed);
	if (uid != 0) {
		if (syscall(SYS_setgroups, 0, NULL) < 0 ||
		    syscall(SYS_setresgid, uid, uid, uid) < 0 ||
		    syscall(SYS_setresuid, uid, uid, uid) < 0)
			return 2;
		testbed_become(bed, uid);
	}
	for (int i = 0; i < STEPS; i++) {
		struct step s;

		make_step(&d, &s);
		if (!agree(bed, &s)) {
			print_message("step %d of seed %d\n", i, (int)seed);
			return 1;
		}
	}
	return 0;
}

static void run(uint64_t seed, uint32_t uid)
{
	char dir[] = "/dev/shm/as-host.XXXXXX";
	int status;
	pid_t pid;

	if (geteuid() != 0 || !mkdtemp(dir))
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		bool in = chroot(dir) == 0 && chdir("/") == 0;

		_exit(in ? compare(seed, uid) : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)scratch_drop(dir);
	if (status == 2 << 8)
		skip();
	assert_int_equal(status, 0);
}

static void root_gets_the_hosts_answers(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++)
		run(seed, 0);
}

static void a_user_gets_the_hosts_answers(void **state)
{
	(void)state;
	for (uint64_t seed = 4; seed <= 6; seed++)
		run(seed, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_gets_the_hosts_answers),
		cmocka_unit_test(a_user_gets_the_hosts_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter is run here by a small interpreter: what the table allows, what
 * it does not, and each check of each row.
 */
#include "kernel/seccomp.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "channel/layout.h"
#include "cmocka_all.h"

static struct sock_filter prog[HOSTCALLS_FILTER_MAX];
static size_t prog_size;

/* What the host would do with the call. */
static uint32_t run(const struct seccomp_data *d)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < prog_size; pc++) {
		const struct sock_filter *i = &prog[pc];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(i->k + 4 <= sizeof(*d));
			memcpy(&a, (const char *)d + i->k, 4);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == i->k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			fail_msg("instruction %#x", i->code);
		}
	}
	fail_msg("it runs off its end");
	return 0;
}

static uint32_t ask(long nr, const uint64_t args[6])
{
	struct seccomp_data d = {.nr = (int)nr, .arch = AUDIT_ARCH_X86_64};

	for (size_t i = 0; i < 6; i++)
		d.args[i] = args[i];
	return run(&d);
}

#define ASK(nr, ...) ask(nr, (const uint64_t[6]){__VA_ARGS__})

/* The rows again, as arguments that satisfy them. */
struct check {
	unsigned arg;
	uint64_t value; /* one that passes */
	uint64_t wrong; /* one that does not */
};

static const struct row {
	const char *name;
	long nr;
	uint32_t want;
	struct check check[5];
} rows[] = {
#define ANY
#define IS(n, v)      {(n), (v), (uint32_t)(v) + 0x1000u},
#define ONLY(n, m)    {(n), (m), (uint32_t) ~(m)},
#define NONE_OF(n, m) {(n), (uint32_t) ~(m), (m)},
#define IS64(n, v)    {(n), (v), (v) | 1ull << 40},
#define HOSTCALL(call, checks, reason) \
	{#call, SYS_##call, SECCOMP_RET_ALLOW, {checks{9, 0, 0}}},
#define HOSTFAIL(call, err, reason) \
	{#call, SYS_##call, SECCOMP_RET_ERRNO | (err), {{9, 0, 0}}},
#include "kernel/seccomp.def"
};

static void each_row_allows_what_it_says_and_no_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		uint64_t args[6] = {0};

		for (const struct check *c = r->check; c->arg < 6; c++)
			args[c->arg] = c->value;
		if (ask(r->nr, args) != r->want)
			fail_msg("%s is refused", r->name);
		for (const struct check *c = r->check; c->arg < 6; c++) {
			args[c->arg] = c->wrong;
			if (ask(r->nr, args) != SECCOMP_RET_KILL_PROCESS)
				fail_msg("%s: argument %u is not checked",
				         r->name, c->arg);
			args[c->arg] = c->value;
		}
	}
}

static const struct {
	const char *why;
	long nr;
	uint64_t args[6];
} refused[] = {
	{"files by name", SYS_open, {0}},
	{"files beneath what openat likes", SYS_openat, {0}},
	{"files by handle", SYS_open_by_handle_at, {0}},
	{"programs", SYS_execve, {0}},
	{"programs by descriptor", SYS_execveat, {0}},
	{"sockets", SYS_socket, {AF_INET, SOCK_STREAM}},
	{"unix sockets", SYS_socket, {AF_UNIX, SOCK_STREAM}},
	{"connections", SYS_connect, {0}},
	{"an address to send to", SYS_sendto, {3, 0, 0, 0, 4096, 16}},
	{"listening", SYS_bind, {0}},
	{"pairs of another family", SYS_socketpair, {AF_INET}},
	{"tracing", SYS_ptrace, {PTRACE_ATTACH}},
	{"mounts", SYS_mount, {0}},
	{"another root", SYS_pivot_root, {0}},
	{"another root", SYS_chroot, {0}},
	{"namespaces", SYS_unshare, {CLONE_NEWUSER}},
	{"namespaces", SYS_setns, {0}},
	{"processes", SYS_fork, {0}},
	{"processes", SYS_vfork, {0}},
	{"processes", SYS_clone, {SIGCHLD}},
	{"polite signals", SYS_kill, {1, SIGTERM}},
	{"signals to threads", SYS_tgkill, {1, 1, SIGTERM}},
	{"signals to threads", SYS_tkill, {1, CELL_KICK_SIGNAL}},
	{"signals with values", SYS_rt_sigqueueinfo, {1, SIGKILL}},
	{"switches of all kinds", SYS_prctl, {PR_SET_DUMPABLE, 1}},
	{"memory to execute", SYS_mmap, {0, 4096, PROT_EXEC}},
	{"memory made to execute", SYS_mprotect, {0, 4096, PROT_EXEC}},
	{"owners of descriptors", SYS_fcntl, {3, F_SETOWN, 1}},
	{"typing into terminals", SYS_ioctl, {0, 0x5412 /* TIOCSTI */}},
	{"a catcher of refusals", SYS_rt_sigaction, {SIGSYS}},
	{"kernel rings", SYS_io_uring_setup, {0}},
	{"kernel programs", SYS_bpf, {0}},
	{"keys", SYS_keyctl, {0}},
	{"counters", SYS_perf_event_open, {0}},
	{"other users", SYS_setuid, {0}},
	{"modes by name", SYS_fchmodat, {0}},
	{"times by name", SYS_utimensat, {0, 4096}},
	{"owners by name", SYS_fchownat, {0}},
	{"attributes by name", SYS_setxattr, {0}},
	{"the older 32-bit numbers", 0x40000000 | SYS_read, {0}},
};

static void what_is_not_in_the_table_kills(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (ask(refused[i].nr, refused[i].args) !=
		    SECCOMP_RET_KILL_PROCESS)
			fail_msg("allowed: %s (%ld)", refused[i].why,
			         refused[i].nr);
}

static void another_architecture_kills(void **state)
{
	struct seccomp_data d = {.nr = SYS_read, .arch = AUDIT_ARCH_I386};

	(void)state;
	assert_int_equal(run(&d), SECCOMP_RET_KILL_PROCESS);
}

static void upper_halves_count_where_the_host_looks(void **state)
{
	const uint64_t threads = CLONE_VM | CLONE_FS | CLONE_FILES |
	                         CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
	                         CLONE_SETTLS | CLONE_PARENT_SETTID |
	                         CLONE_CHILD_CLEARTID;

	(void)state;
	assert_int_equal(ASK(SYS_clone, threads), SECCOMP_RET_ALLOW);
	assert_int_equal(ASK(SYS_clone, threads | 1ull << 33),
	                 SECCOMP_RET_KILL_PROCESS);
	/* An int argument: the host ignores what lies above, so do we. */
	assert_int_equal(ASK(SYS_kill, 5, SIGKILL | 1ull << 33),
	                 SECCOMP_RET_ALLOW);
}

static int build(void **state)
{
	(void)state;
	prog_size = seccomp_build(prog, SECCOMP_RET_KILL_PROCESS);
	return prog_size > 0 && prog_size <= HOSTCALLS_FILTER_MAX ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_allows_what_it_says_and_no_more),
		cmocka_unit_test(what_is_not_in_the_table_kills),
		cmocka_unit_test(another_architecture_kills),
		cmocka_unit_test(upper_halves_count_where_the_host_looks),
	};

	return cmocka_run_group_tests(tests, build, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the cells' filter in an interpreter of its own, call by call.
 */
#include "cell/stub/filter.h"

#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>

#include "cell/stub/spawn.h"
#include "channel/layout.h"
#include "cmocka_all.h"

#define LO    0x7d0000000000ULL
#define HI    0x7d0000008000ULL
#define OURS  (LO + 0x1234)
#define GUEST 0x555555555555ULL
#define X32   0x40000000

enum { ALLOW = 1, TRAP, KILL };

static struct sock_filter prog[FILTER_MAX];
static int count;

static uint32_t alu(uint16_t code, uint32_t a, uint32_t by)
{
	switch (BPF_OP(code)) {
	case BPF_AND:
		return a & by;
	case BPF_LSH:
		assert_true(by < 32);
		return a << by;
	default:
		fail_msg("operation %x", code);
		return 0;
	}
}

static bool test(uint16_t code, uint32_t a, uint32_t k)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == k;
	case BPF_JGT:
		return a > k;
	case BPF_JGE:
		return a >= k;
	case BPF_JSET:
		return a & k;
	default:
		fail_msg("test %x", code);
		return false;
	}
}

static uint32_t run(const struct seccomp_data *d)
{
	uint32_t a = 0, x = 0;

	for (int at = 0; at < count; at++) {
		const struct sock_filter *i = &prog[at];

		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
			if (BPF_MODE(i->code) == BPF_IMM) {
				a = i->k;
				break;
			}
			assert_true(i->k <= sizeof(*d) - 4 && i->k % 4 == 0);
			memcpy(&a, (const uint8_t *)d + i->k, 4);
			break;
		case BPF_ALU:
			a = alu(i->code, a,
			        BPF_SRC(i->code) == BPF_X ? x : i->k);
			break;
		case BPF_MISC:
			x = a;
			break;
		case BPF_JMP:
			at += test(i->code, a, i->k) ? i->jt : i->jf;
			break;
		case BPF_RET:
			return i->k;
		default:
			fail_msg("instruction %x", i->code);
		}
	}
	fail_msg("ran off the end");
	return 0;
}

static int judge(uint64_t ip, uint32_t arch, int nr, const uint64_t arg[6])
{
	struct seccomp_data d = {
		.nr = nr, .arch = arch, .instruction_pointer = ip};

	memcpy(d.args, arg, sizeof(d.args));
	switch (run(&d)) {
	case SECCOMP_RET_ALLOW:
		return ALLOW;
	case SECCOMP_RET_TRAP:
		return TRAP;
	case SECCOMP_RET_KILL_PROCESS:
		return KILL;
	default:
		return 0;
	}
}

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define HIGH (1ULL << 32)

/* From our own text: what passes and what ends the process. */
static const struct {
	int nr;
	uint64_t arg[6];
	int want;
} ours[] = {
	{SYS_write, {CELL_FD_BELL}, ALLOW},
	{SYS_write, {CELL_FD_SOCKET}, ALLOW},
	{SYS_write, {2}, KILL},
	{SYS_futex, {0, FUTEX_WAIT}, ALLOW},
	{SYS_futex, {0, FUTEX_WAKE | FUTEX_PRIVATE_FLAG}, ALLOW},
	{SYS_futex,
         {0, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME},
         ALLOW},
	{SYS_futex, {0, FUTEX_LOCK_PI}, KILL},
	{SYS_futex, {0, FUTEX_FD}, KILL},
	{SYS_futex, {0, 33}, KILL},
	{SYS_mmap, {0, 4096, 7, ANON}, ALLOW},
	{SYS_mmap, {0, 4096, 3, ANON | MAP_FIXED_NOREPLACE}, ALLOW},
	{SYS_mmap, {0, 4096, 3, ANON | MAP_HUGETLB}, KILL},
	{SYS_mmap, {0, 4096, 3, ANON | MAP_LOCKED}, KILL},
	{SYS_mmap, {0, 4096, 8, ANON}, KILL},
	{SYS_munmap, {0}, ALLOW},
	{SYS_mprotect, {0, 4096, 5}, ALLOW},
	{SYS_mprotect, {0, 4096, 16}, KILL},
	{SYS_madvise, {0, 4096, MADV_DONTNEED}, ALLOW},
	{SYS_madvise, {0, 4096, MADV_MERGEABLE}, KILL},
	{SYS_madvise, {0, 4096, MADV_HWPOISON}, KILL},
	{SYS_clone, {SPAWN_CELL_FLAGS}, ALLOW},
	{SYS_clone, {SPAWN_THREAD_FLAGS}, ALLOW},
	{SYS_clone, {SPAWN_CELL_FLAGS | HIGH}, KILL},
	{SYS_clone, {17}, KILL},
	{SYS_clone, {SPAWN_THREAD_FLAGS | 0x10000000}, KILL},
	{SYS_recvmsg, {CELL_FD_SOCKET}, ALLOW},
	{SYS_recvmsg, {5}, KILL},
	{SYS_dup3, {7, CELL_FD_SOCKET, 0}, ALLOW},
	{SYS_dup3, {7, CELL_FD_BELL, 0}, ALLOW},
	{SYS_dup3, {7, 2, 0}, KILL},
	{SYS_dup3, {7, 0, 0x80000}, KILL},
	{SYS_prctl, {PR_SET_PDEATHSIG, 9}, ALLOW},
	{SYS_prctl, {PR_SET_PDEATHSIG, 0}, KILL},
	{SYS_prctl, {PR_SET_DUMPABLE, 9}, KILL},
	{SYS_pread64, {9}, ALLOW},
	{SYS_exit_group, {0}, ALLOW},
	{SYS_open, {0}, KILL},
	{SYS_openat, {0}, KILL},
	{SYS_execve, {0}, KILL},
	{SYS_socket, {0}, KILL},
	{SYS_connect, {0}, KILL},
	{SYS_sendmsg, {0}, KILL},
	{SYS_kill, {0}, KILL},
	{SYS_tgkill, {0}, KILL},
	{SYS_ptrace, {0}, KILL},
	{SYS_process_vm_readv, {0}, KILL},
	{SYS_process_vm_writev, {0}, KILL},
	{SYS_ioctl, {0}, KILL},
	{SYS_rt_sigaction, {0}, KILL},
	{SYS_seccomp, {0}, KILL},
	{SYS_read, {0}, KILL},
	{SYS_fcntl, {0}, KILL},
	{SYS_dup2, {0}, KILL},
	{SYS_fork, {0}, KILL},
	{SYS_vfork, {0}, KILL},
	{435 /* clone3 */, {0}, KILL},
	{425 /* io_uring_setup */, {0}, KILL},
	{SYS_pread64 | X32, {0}, KILL},
};

static void permits_the_table_from_our_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		int got = judge(OURS, AUDIT_ARCH_X86_64, ours[i].nr,
		                ours[i].arg);

		if (got != ours[i].want)
			fail_msg("row %zu, call %d: got %d", i, ours[i].nr,
			         got);
	}
}

static void traps_everything_from_elsewhere(void **state)
{
	static const uint64_t ips[] = {
		0, GUEST, LO - 1, HI + 1, LO + (1ULL << 32), ~0ULL};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		for (size_t k = 0; k < ARRAY_LEN(ips); k++)
			assert_int_equal(judge(ips[k], AUDIT_ARCH_X86_64,
			                       ours[i].nr, ours[i].arg),
			                 TRAP);
}

static void knows_other_machines_calls(void **state)
{
	static const uint64_t none[6];

	(void)state;
	assert_int_equal(judge(GUEST, AUDIT_ARCH_I386, 1, none), TRAP);
	assert_int_equal(judge(OURS, AUDIT_ARCH_I386, 1, none), KILL);
	assert_int_equal(judge(OURS, AUDIT_ARCH_I386, 17, none), KILL);
}

static void permits_few_calls(void **state)
{
	static const uint64_t none[6];
	int permitted = 0;

	(void)state;
	for (int nr = 0; nr < 1024; nr++)
		permitted += judge(OURS, AUDIT_ARCH_X86_64, nr, none) == ALLOW;
	assert_in_range(permitted, 10, 25);
}

static void says_when_there_is_no_room(void **state)
{
	struct sock_filter small[8];

	(void)state;
	assert_int_equal(filter_build(small, ARRAY_LEN(small), LO, HI), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(permits_the_table_from_our_text),
		cmocka_unit_test(traps_everything_from_elsewhere),
		cmocka_unit_test(knows_other_machines_calls),
		cmocka_unit_test(permits_few_calls),
		cmocka_unit_test(says_when_there_is_no_room),
	};

	count = filter_build(prog, FILTER_MAX, LO, HI);
	if (count < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cell/stub/dispatch.h"

#include <asm/prctl.h>
#include <linux/membarrier.h>
#include <sys/resource.h>
#include <time.h>

#include "cell/stub/end.h"
#include "cell/stub/futexes.h"
#include "cell/stub/leases.h"
#include "cell/stub/marshal.h"
#include "cell/stub/pages.h"
#include "cell/stub/patch.h"
#include "cell/stub/replace.h"
#include "cell/stub/signals.h"
#include "cell/stub/spawn.h"
#include "cell/stub/x86_64/host.h"
#include "channel/abi.h"

/* Not in every libc's headers yet. */
#define NR_CLOSE_RANGE 436
#define NR_CLONE3      435
#define NR_LAST        1023

/* fcntl(2) commands that make a descriptor, and prctl(2)'s for names of maps. */
#define PRCTL_SET_VMA 0x53564d41

#define USER_END      0x7ffffffff000ULL
#define ROBUST_HEAD   24
#define XFEATURE_GET  0x1021
#define XFEATURE_PERM 0x1022
#define XFEATURE_ASK  0x1023
#define CPUID_GET     0x1011
#define CPUID_SET     0x1012

/* A call on its way: what it asks, and where it stands. */
struct call {
	struct area *a;
	uint64_t nr;
	const uint64_t *arg;
	uint64_t sp;
	bool trapped;
};

static int32_t id(const _Atomic int32_t *at)
{
	return atomic_load_explicit(at, memory_order_relaxed);
}

static long uid(const _Atomic uint32_t *at)
{
	return (long)atomic_load_explicit(at, memory_order_relaxed);
}

static long put_u64(uint64_t addr, uint64_t value)
{
	return guard_copy((void *)addr, &value, sizeof(value));
}

static long do_arch_prctl(const struct area *a, const uint64_t arg[6])
{
	const struct process *p = area_process();

	switch ((int)arg[0]) {
	case ARCH_SET_FS:
		if (arg[1] >= USER_END)
			return -EPERM;
		host_set_fs(arg[1]);
		return 0;
	case ARCH_GET_FS:
		return put_u64(arg[1], host_fs());
	case ARCH_SET_GS:
		if (arg[1] >= USER_END)
			return -EPERM;
		/* Zero is what it had: keep the fast way in. */
		host_set_gs(arg[1] ? arg[1] : (uint64_t)a);
		return 0;
	case ARCH_GET_GS:
		return put_u64(arg[1],
		               host_gs() == (uint64_t)a ? 0 : host_gs());
	case CPUID_GET:
		return 1;
	case CPUID_SET:
		return -ENODEV;
	case XFEATURE_GET:
		return put_u64(arg[1], p->xfeatures_supported);
	case XFEATURE_PERM:
		return put_u64(arg[1], p->xfeatures_permitted);
	case XFEATURE_ASK:
		if (arg[1] > 63)
			return -EINVAL;
		return p->xfeatures_permitted >> arg[1] & 1 ? 0 : -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

static long do_membarrier(const uint64_t arg[6])
{
	const uint32_t native =
		MEMBARRIER_CMD_PRIVATE_EXPEDITED |
		MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |
		MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE |
		MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE;
	uint32_t cmd = (uint32_t)arg[0];

	if ((uint32_t)arg[1] != 0)
		return -EINVAL;
	if (cmd == MEMBARRIER_CMD_QUERY)
		return native;
	if ((cmd & ~native) || (cmd & (cmd - 1)))
		return -EINVAL;
	return host(SYS_membarrier, cmd, 0, 0);
}

/*
 * Asks the kernel, and tells it what the host counts for this process, in
 * arguments that the call does not have: page faults, the largest size in KiB,
 * switches.  The host tells the kernel no more than times.
 */
static long ask_with_usage(struct area *a, uint64_t nr, const uint64_t arg[6])
{
	abi_rusage u = {0};

	host(SYS_getrusage, RUSAGE_SELF, &u);
	return marshal_call(a, nr,
	                    (const uint64_t[6]){arg[0], arg[1],
	                                        (uint64_t)u.minflt << 32 |
	                                                (uint32_t)u.majflt,
	                                        (uint64_t)u.maxrss,
	                                        (uint64_t)u.nvcsw,
	                                        (uint64_t)u.nivcsw});
}

static long do_set_tid_address(struct area *a, uint64_t addr)
{
	a->clear_tid = addr;
	return id(&a->slot->tid);
}

static long do_set_robust_list(struct area *a, const uint64_t arg[6])
{
	if (arg[1] != ROBUST_HEAD)
		return -EINVAL;
	a->robust = arg[0];
	return 0;
}

/* Of the thread itself: nobody else can see the list. */
static long get_robust_list(const struct area *a, const uint64_t arg[6])
{
	uint64_t size = ROBUST_HEAD;
	long err = guard_copy((void *)arg[2], &size, sizeof(size));

	return err ? err
	           : guard_copy((void *)arg[1], &a->robust, sizeof(a->robust));
}

/* Calls after which a descriptor may mean another file. */
static void forget_leases(const struct area *a, uint64_t nr,
                          const uint64_t arg[6])
{
	switch (nr) {
	case SYS_close:
		leases_drop(a, (uint32_t)arg[0], (uint32_t)arg[0]);
		break;
	case SYS_dup2:
	case SYS_dup3:
		leases_drop(a, (uint32_t)arg[1], (uint32_t)arg[1]);
		break;
	case NR_CLOSE_RANGE:
		leases_drop(a, (uint32_t)arg[0], (uint32_t)arg[1]);
		break;
	default:
		break;
	}
}

/* Memory and threads.  Returns whether `nr` is one of these. */
static bool answer_memory(const struct call *k, long *result)
{
	const uint64_t *arg = k->arg;

	switch (k->nr) {
	case SYS_mmap:
		*result = pages_mmap(k->a, arg);
		return true;
	case SYS_shmat:
		*result = pages_shmat(k->a, arg);
		return true;
	case SYS_shmdt:
		*result = pages_shmdt(k->a, arg);
		return true;
	case SYS_mprotect:
		*result = pages_mprotect(arg);
		return true;
	case SYS_munmap:
		*result = pages_munmap(arg);
		return true;
	case SYS_brk:
		*result = pages_brk(arg[0]);
		return true;
	case SYS_mremap:
		*result = pages_mremap(arg);
		return true;
	case SYS_madvise:
		*result = pages_madvise(arg);
		return true;
	case SYS_msync:
		*result = pages_msync(arg);
		return true;
	case SYS_mincore:
		*result = pages_mincore(arg);
		return true;
	case SYS_futex:
		*result = futexes_call(k->a, arg, k->trapped);
		return true;
	case SYS_sched_yield:
		*result = host(SYS_sched_yield, 0);
		return true;
	case SYS_membarrier:
		*result = do_membarrier(arg);
		return true;
	default:
		return false;
	}
}

/* Who the thread is, and what it has set for itself. */
static bool answer_self(const struct call *k, long *result)
{
	const uint64_t *arg = k->arg;
	struct area *a = k->a;

	switch (k->nr) {
	case SYS_getpid:
		*result = id(&a->slot->tgid);
		return true;
	case SYS_gettid:
		*result = id(&a->slot->tid);
		return true;
	case SYS_getppid:
		*result = id(&a->slot->ppid);
		return *result != 0;
	case SYS_getuid:
		*result = uid(&a->slot->uid);
		return true;
	case SYS_geteuid:
		*result = uid(&a->slot->euid);
		return true;
	case SYS_getgid:
		*result = uid(&a->slot->gid);
		return true;
	case SYS_getegid:
		*result = uid(&a->slot->egid);
		return true;
	case SYS_rt_sigprocmask:
		*result = signals_mask(a, arg);
		return true;
	case SYS_sigaltstack:
		*result = signals_altstack(a, arg, k->sp);
		return true;
	case SYS_arch_prctl:
		*result = do_arch_prctl(a, arg);
		return true;
	case SYS_set_tid_address:
		*result = do_set_tid_address(a, arg[0]);
		return true;
	case SYS_clock_gettime:
		if ((uint32_t)arg[0] != CLOCK_THREAD_CPUTIME_ID)
			return false;
		*result = host(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID,
		               arg[1]);
		return true;
	case SYS_getrusage:
		if ((uint32_t)arg[0] == RUSAGE_THREAD)
			*result = host(SYS_getrusage, RUSAGE_THREAD, arg[1]);
		else
			*result = ask_with_usage(a, k->nr, arg);
		return true;
	case SYS_set_robust_list:
		*result = do_set_robust_list(a, arg);
		return true;
	case SYS_get_robust_list:
		if ((int32_t)arg[0] != 0 &&
		    (int32_t)arg[0] != id(&a->slot->tid))
			return false;
		*result = get_robust_list(a, arg);
		return true;
	case SYS_rseq:
	case NR_CLONE3:
		*result = -ENOSYS;
		return true;
	default:
		return false;
	}
}

static long answer(const struct call *k)
{
	long result;

	if (answer_self(k, &result) || answer_memory(k, &result))
		return result;
	switch (k->nr) {
	case SYS_pread64:
	case SYS_pwrite64:
		if (leases_transfer(k->a, k->nr == SYS_pwrite64, k->arg,
		                    &result))
			return result;
		break;
	case SYS_read:
	case SYS_write:
		if (leases_move(k->a, k->nr == SYS_write, k->arg, &result))
			return result;
		break;
	case SYS_lseek:
		if (leases_seek(k->a, k->arg, &result))
			return result;
		break;
	case SYS_close:
	case SYS_dup2:
	case SYS_dup3:
	case NR_CLOSE_RANGE:
		/* Again afterwards: another thread may have asked meanwhile. */
		forget_leases(k->a, k->nr, k->arg);
		result = marshal_call(k->a, k->nr, k->arg);
		forget_leases(k->a, k->nr, k->arg);
		return result;
	case SYS_exit:
		/* While there is a thread to do it: the answer may be death. */
		end_robust_list(k->a);
		break;
	case SYS_exit_group:
		if (k->a->vfork_child) {
			end_robust_list(k->a);
			break;
		}
		end_robust_lists();
		return ask_with_usage(k->a, k->nr, k->arg);
	case SYS_prctl:
		if (k->arg[0] == PRCTL_SET_VMA)
			return -EINVAL;
		break;
	default:
		/* Numbers of our own operations are not for guests. */
		if (k->nr > NR_LAST)
			return -ENOSYS;
		break;
	}
	return marshal_call(k->a, k->nr, k->arg);
}

bool dispatch_fast(struct entry_regs *r)
{
	const uint64_t arg[6] = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9};
	struct area *a = area_self();
	struct call k = {.a = a, .nr = r->rax, .arg = arg, .sp = a->guest_sp};
	long result;

	switch (k.nr) {
	case SYS_rt_sigreturn:
	case SYS_clone:
	case SYS_fork:
	case SYS_vfork:
	case SYS_execve:
	case SYS_execveat:
	case SYS_arch_prctl: /* may change GS, by which we go back */
		return false;
	default:
		break;
	}
	result = answer(&k);
	a->nr = k.nr;
	if (signals_restart_code(result))
		atomic_store(&a->slot->attention, 1);
	r->rax = (uint64_t)result;
	return true;
}

/* Calls that need the frame.  Returns whether `nr` is one of these. */
static bool answer_framed(struct area *a, struct context *c,
                          const uint64_t arg[6], long *result)
{
	switch (c->rax) {
	case SYS_clone:
		*result = spawn_clone(a, c, arg);
		return true;
	case SYS_fork:
		*result = spawn_fork(a, c);
		return true;
	case SYS_vfork:
		*result = spawn_vfork(a, c);
		return true;
	case SYS_execve:
		*result = replace_execve(a, arg);
		return true;
	case SYS_execveat:
		*result = replace_execveat(a, arg);
		return true;
	default:
		return false;
	}
}

void dispatch_trapped(struct area *a, struct context *c)
{
	const uint64_t arg[6] = {c->rdi, c->rsi, c->rdx, c->r10, c->r8, c->r9};
	struct call k = {.a = a,
	                 .nr = c->rax,
	                 .arg = arg,
	                 .sp = c->rsp,
	                 .trapped = true};
	uint64_t site = c->rip - 2;
	long result;

	if (k.nr == SYS_rt_sigreturn) {
		signals_return(a, c);
		return;
	}
	if (!answer_framed(a, c, arg, &result)) {
		result = answer(&k);
		patch_count(site, k.nr);
	}
	/* In a new child, the thread and its slot are others. */
	c->rax = (uint64_t)result;
	c->rcx = c->rip;
	c->r11 = c->eflags;
	signals_deliver(a, c, (long)k.nr);
	c->rip = patch_native_ip(c->rip);
}

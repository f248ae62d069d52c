/* SPDX-License-Identifier: Apache-2.0 */
#include "cell/stub/futexes.h"

#include <linux/futex.h>

#include "cell/stub/x86_64/entry.h"
#include "cell/stub/x86_64/host.h"
#include "channel/ops.h"

static void mask_kick(bool on)
{
	uint64_t set = SIG_BIT(CELL_KICK_SIGNAL);

	host(SYS_rt_sigprocmask, on ? 0 : 1, &set, 0, sizeof(set));
}

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

/* Waits by the host.  The result of futex(2), -EINTR for a signal. */
static long wait_for(struct area *a, const uint64_t arg[6], bool masked)
{
	long got;

	if (masked)
		mask_kick(false);
	atomic_store_explicit(&a->slot->idle, 1, memory_order_relaxed);
	got = entry_futex(arg[0], (uint32_t)arg[1], arg[2], arg[3], arg[4],
	                  arg[5], &a->slot->attention);
	atomic_store_explicit(&a->slot->idle, 0, memory_order_relaxed);
	if (masked)
		mask_kick(true);
	return got;
}

static uint32_t own_tid(const struct area *a)
{
	return (uint32_t)atomic_load_explicit(&a->slot->tid,
	                                      memory_order_relaxed);
}

/* The word at an address of the guest's, or an error. */
static long load(uint64_t addr, uint32_t *word)
{
	if (addr % sizeof(*word))
		return -EINVAL;
	return guard_copy(word, (const void *)addr, sizeof(*word));
}

/* Exchanges the word if it is still `*word`: 1, 0 and what it is, an error. */
static long swap(uint64_t addr, uint32_t *word, uint32_t want)
{
	long seen = guard_swap(addr, *word, want);

	if (seen < 0)
		return seen;
	if ((uint32_t)seen == *word)
		return 1;
	*word = (uint32_t)seen;
	return 0;
}

/*
 * Takes the lock if nobody has it (1), or says in the word that somebody waits
 * (0, with the word as it is now).
 */
static long take(const struct area *a, uint64_t addr, uint32_t *word,
                 bool waited)
{
	uint32_t want;
	long done;

	do {
		uint32_t owner = *word & FUTEX_TID_MASK;

		if (owner == own_tid(a))
			return -EDEADLK;
		if (owner == 0)
			want = own_tid(a) |
			       (*word & ~(uint32_t)FUTEX_TID_MASK) |
			       (waited ? FUTEX_WAITERS : 0u);
		else
			want = *word | FUTEX_WAITERS;
		if (owner != 0 && want == *word)
			return 0;
		done = swap(addr, word, want);
		if (done > 0 && owner != 0) {
			*word = want;
			return 0;
		}
	} while (done == 0);
	return done;
}

static long lock(struct area *a, const uint64_t arg[6], bool masked)
{
	uint32_t private = (uint32_t)arg[1] & FUTEX_PRIVATE_FLAG;
	uint32_t clock = (uint32_t)arg[1] & FUTEX_CLOCK_REALTIME;
	uint64_t how[6] = {arg[0], 0, 0, arg[3], 0, FUTEX_BITSET_MATCH_ANY};
	bool waited = false;
	uint32_t word;
	long got = load(arg[0], &word);

	/* The older operation knows one clock only. */
	if (((uint32_t)arg[1] & (uint32_t)FUTEX_CMD_MASK) == FUTEX_LOCK_PI)
		clock = FUTEX_CLOCK_REALTIME;
	how[1] = FUTEX_WAIT_BITSET | private | clock;
	while (got == 0) {
		got = take(a, arg[0], &word, waited);
		if (got != 0)
			return got > 0 ? 0 : got;
		how[2] = word;
		got = wait_for(a, how, masked);
		if (got == -EINTR)
			return -RES_RESTARTNOINTR; /* the time is absolute */
		if (got < 0 && got != -EAGAIN)
			return got;
		waited = true;
		got = load(arg[0], &word);
	}
	return got;
}

static long try_lock(const struct area *a, uint64_t addr)
{
	uint32_t word;
	long got = load(addr, &word);

	while (got == 0) {
		if ((word & FUTEX_TID_MASK) == own_tid(a))
			return -EDEADLK;
		if (word & FUTEX_TID_MASK)
			return -EAGAIN;
		got = swap(addr, &word, word | own_tid(a));
	}
	return got > 0 ? 0 : got;
}

static long unlock(const struct area *a, uint64_t addr, uint32_t private)
{
	uint32_t word;
	long got = load(addr, &word);

	while (got == 0) {
		if ((word & FUTEX_TID_MASK) != own_tid(a))
			return -EPERM;
		got = swap(addr, &word, 0);
	}
	if (got > 0 && word & FUTEX_WAITERS)
		host(SYS_futex, addr, FUTEX_WAKE | private, 1);
	return got > 0 ? 0 : got;
}

long futexes_call(struct area *a, const uint64_t arg[6], bool masked)
{
	uint32_t op = (uint32_t)arg[1] & (uint32_t)FUTEX_CMD_MASK;
	long got;

	switch (op) {
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return lock(a, arg, masked);
	case FUTEX_TRYLOCK_PI:
		return try_lock(a, arg[0]);
	case FUTEX_UNLOCK_PI:
		return unlock(a, arg[0], (uint32_t)arg[1] & FUTEX_PRIVATE_FLAG);
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		break;
	default:
		if (op > 31 || !(FUTEXES_NATIVE >> op & 1))
			return -ENOSYS;
		return host(SYS_futex, arg[0], (uint32_t)arg[1], arg[2], arg[3],
		            arg[4], arg[5]);
	}
	got = wait_for(a, arg, masked);
	if (got != -EINTR)
		return got;
	/* With a timeout only the absence of a handler restarts it. */
	return arg[3] ? -RES_RESTARTNOHAND : -RES_RESTARTSYS;
}

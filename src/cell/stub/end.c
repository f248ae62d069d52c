/* SPDX-License-Identifier: Apache-2.0 */
#include "cell/stub/end.h"

#include <linux/futex.h>

#include "cell/stub/ask.h"
#include "cell/stub/x86_64/entry.h"

/* As struct robust_list_head of linux/futex.h. */
struct robust_head {
	uint64_t next;
	int64_t offset;
	uint64_t pending;
};

/* The owner died: says so in the futex and wakes one who waits for it. */
static void release_futex(const struct area *a, uint64_t entry, int64_t offset)
{
	uint64_t addr = (entry & ~1ULL) + (uint64_t)offset;
	uint32_t tid = (uint32_t)atomic_load_explicit(&a->slot->tid,
	                                              memory_order_relaxed);
	uint32_t word, dead;
	long seen;

	if (addr % sizeof(word) ||
	    guard_copy(&word, (const void *)addr, sizeof(word)))
		return;
	for (;;) {
		if ((word & FUTEX_TID_MASK) != tid)
			return;
		dead = (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
		seen = guard_swap(addr, word, dead);
		if (seen < 0)
			return;
		if ((uint32_t)seen == word)
			break;
		word = (uint32_t)seen;
	}
	if (word & FUTEX_WAITERS)
		host(SYS_futex, addr, FUTEX_WAKE, 1);
}

void end_robust_list(struct area *a)
{
	struct robust_head head;
	uint64_t entry, next = 0;
	unsigned left = ROBUST_LIST_LIMIT;
	uint64_t at = a->robust;

	a->robust = 0;
	if (!at || guard_copy(&head, (const void *)at, sizeof(head)))
		return;
	for (entry = head.next; (entry & ~1ULL) != at && left; entry = next) {
		left--;
		/* Read the link first: releasing may free the entry. */
		if (guard_copy(&next, (const void *)(entry & ~1ULL),
		               sizeof(next)))
			left = 0;
		if (entry != head.pending)
			release_futex(a, entry, head.offset);
	}
	if (head.pending)
		release_futex(a, head.pending, head.offset);
}

static void clear_tid(struct area *a)
{
	uint32_t zero = 0;
	uint64_t addr = a->clear_tid;

	a->clear_tid = 0;
	if (addr && !guard_copy((void *)addr, &zero, sizeof(zero)))
		host(SYS_futex, addr, FUTEX_WAKE, 1);
}

void end_thread(struct area *a)
{
	if (a->holds_socket)
		ask_unlock_socket(a);
	if (a->holds_threads)
		ask_unlock_threads(a);
	end_robust_list(a);
	clear_tid(a);
	if (a->leader)
		entry_park(&a->slot->host_tid);
	for (;;)
		host(SYS_exit, 0);
}

void end_robust_lists(void)
{
	const struct process *p = area_process();

	for (uint32_t i = 0; i < CHANNEL_THREADS; i++) {
		struct area *a = (struct area *)area_address(i);

		if ((p->mapped[i / 64] >> (i % 64) & 1) && a->robust)
			end_robust_list(a);
	}
}

void end_process(int status)
{
	end_robust_lists();
	for (;;)
		host(SYS_exit_group, status);
}

void end_by_signal(struct area *a, int sig)
{
	int32_t *info = (int32_t *)(void *)area_window(a);

	for (unsigned i = 0; i < 32; i++)
		info[i] = 0;
	info[0] = sig;
	info[2] = 0x80; /* SI_KERNEL */
	/* A fault whose signal is blocked takes no handler. */
	atomic_fetch_or(&a->slot->sigmask, SIG_BIT(sig));
	ask_op(a, OP_fault, (uint64_t)sig);
	for (int i = 0; i < 64; i++)
		ask_op(a, OP_signal, (uint64_t)-1, 0);
	end_process(128 + sig);
}

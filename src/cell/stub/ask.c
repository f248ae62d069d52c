/* SPDX-License-Identifier: Apache-2.0 */
#include "cell/stub/ask.h"

#include <linux/futex.h>

#include "cell/stub/end.h"
#include "cell/stub/load.h"
#include "cell/stub/x86_64/entry.h"
#include "channel/abi.h"
#include "channel/ops.h"

#define YIELD 512u /* turns between looks whether others want the CPU */

void ask_prepare(struct area *a, uint64_t nr, const uint64_t arg[6])
{
	struct slot *s = a->slot;

	atomic_store_explicit(&s->nr, (uint32_t)nr, memory_order_relaxed);
	for (unsigned i = 0; i < 6; i++) {
		atomic_store_explicit(&s->arg[i], arg[i], memory_order_relaxed);
		/* The line is mostly ours already: look before we write. */
		if (atomic_load_explicit(&s->stage[i].size,
		                         memory_order_relaxed))
			atomic_store_explicit(&s->stage[i].size, 0,
			                      memory_order_relaxed);
	}
}

/* The kernel may be about to run on our CPU: then it is to know, and to move. */
static void say_where(struct slot *s)
{
	atomic_store_explicit(&s->waits_on, host_cpu() + 1,
	                      memory_order_relaxed);
}

static void ring(struct slot *s)
{
	uint64_t one = 1;

	say_where(s);
	host(SYS_write, CELL_FD_BELL, &one, sizeof(one));
}

/* How many turns to spin: none where the kernel needs our CPU to answer. */
static uint32_t patience(void)
{
	const struct notice *n = area_notice();
	uint32_t shares = atomic_load_explicit(&n->shares,
	                                       memory_order_relaxed);

	if (shares && shares == host_cpu() + 1)
		return 0;
	return atomic_load_explicit(&n->cell_spin, memory_order_relaxed);
}

/* Spins while that is likely to be short, then sleeps. */
static void await_answer(struct slot *s)
{
	uint32_t turns = patience();
	uint32_t seen = SLOT_REQUEST;

	while (turns-- && seen == SLOT_REQUEST) {
		if (turns % YIELD == 0) {
			say_where(s);
			host(SYS_sched_yield, 0);
		}
		seen = atomic_load_explicit(&s->state, memory_order_acquire);
		if (seen == SLOT_DONE)
			return;
		host_pause();
	}
	say_where(s);
	seen = SLOT_REQUEST;
	(void)atomic_compare_exchange_strong(&s->state, &seen, SLOT_SLEEPING);
	while (atomic_load_explicit(&s->state, memory_order_acquire) ==
	       SLOT_SLEEPING)
		host(SYS_futex, &s->state, FUTEX_WAIT, SLOT_SLEEPING, 0);
}

/*
 * Works through the out list: from the window to the guest's memory, or, for
 * SLOT_FETCH, the other way.  Returns 0 or -EFAULT.
 */
static long copy_list(struct area *a, uint32_t count, bool in)
{
	struct slot *s = a->slot;
	long err = 0;

	if (count > SLOT_OUTS)
		count = SLOT_OUTS;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t addr = atomic_load_explicit(&s->out[i].addr,
		                                     memory_order_relaxed);
		uint32_t off = atomic_load_explicit(&s->out[i].off,
		                                    memory_order_relaxed);
		uint32_t size = atomic_load_explicit(&s->out[i].size,
		                                     memory_order_relaxed);
		void *guest = (void *)addr;
		void *ours = area_window(a) + off;

		if (guard_copy(in ? ours : guest, in ? guest : ours, size))
			err = -EFAULT;
	}
	return err;
}

/* Posts what is prepared and waits for the answer. */
static struct slot_answer post(struct area *a)
{
	struct slot *s = a->slot;

	atomic_store(&s->state, SLOT_REQUEST);
	if (!atomic_load(&s->polled))
		ring(s);
	await_answer(s);
	if (atomic_load_explicit(&s->waits_on, memory_order_relaxed))
		atomic_store_explicit(&s->waits_on, 0, memory_order_relaxed);
	__builtin_prefetch(s->out, 0);
	for (size_t line = 0; line < SLOT_AHEAD; line++)
		__builtin_prefetch(area_window(a) + line * 64, 0);
	return slot_answer(s);
}

long ask_send(struct area *a)
{
	struct slot_answer got = post(a);
	long fault = 0;

	while (got.action == SLOT_FETCH || got.action == SLOT_MORE) {
		bool fetch = got.action == SLOT_FETCH;
		long err = copy_list(a, got.outs, fetch);

		if (!fetch)
			fault |= err;
		ask_prepare(a, OP_fetched, (const uint64_t[6]){(uint64_t)err});
		got = post(a);
	}
	fault |= copy_list(a, got.outs, false);
	atomic_store_explicit(&a->slot->state, SLOT_IDLE, memory_order_release);

	switch (got.action) {
	case SLOT_RETURN:
		break;
	case SLOT_LOAD:
		load_image(a);
	case SLOT_EXIT_THREAD:
		end_thread(a);
	case SLOT_EXIT_PROCESS:
	case SLOT_FETCH: /* not here: see above */
	case SLOT_MORE:
	default:
		end_process((int)got.result);
	}
	return fault ? -EFAULT : got.result;
}

long ask(struct area *a, uint64_t nr, const uint64_t arg[6])
{
	ask_prepare(a, nr, arg);
	return ask_send(a);
}

void ask_lock_socket(struct area *a)
{
	lock_take(&area_process()->socket);
	a->holds_socket = true;
}

void ask_unlock_socket(struct area *a)
{
	a->holds_socket = false;
	lock_give(&area_process()->socket);
}

void ask_lock_threads(struct area *a)
{
	lock_take(&area_process()->threads);
	a->holds_threads = true;
}

void ask_unlock_threads(struct area *a)
{
	a->holds_threads = false;
	lock_give(&area_process()->threads);
}

/* One message of descriptors, as recvmsg(2) gives it. */
struct control {
	uint64_t size;
	int32_t level;
	int32_t type;
	int32_t fd[8];
};

enum {
	CONTROL_HEAD = 16,
	LEVEL_SOCKET = 1,
	TYPE_RIGHTS = 1,
	FLAG_DONTWAIT = 0x40,
	FLAG_CLOEXEC = 0x40000000,
};

int ask_receive(int32_t fd[], uint32_t max, bool wait)
{
	uint8_t byte;
	uint64_t iov[2] = {(uint64_t)&byte, 1};
	struct control c = {0};
	abi_msghdr m = {
		.iov = (uint64_t)iov,
		.iov_count = 1,
		.control = (uint64_t)&c,
	};
	uint32_t count;
	long got;

	do {
		c.size = 0;
		m.control_size = sizeof(c);
		got = host(SYS_recvmsg, CELL_FD_SOCKET, &m,
		           FLAG_CLOEXEC | (wait ? 0 : FLAG_DONTWAIT));
	} while (got == -EINTR);
	if (got <= 0)
		return (int)got;
	if (m.control_size < CONTROL_HEAD || c.level != LEVEL_SOCKET ||
	    c.type != TYPE_RIGHTS || c.size < CONTROL_HEAD)
		return -EPROTO;
	count = (uint32_t)((c.size - CONTROL_HEAD) / sizeof(c.fd[0]));
	for (uint32_t i = 0; i < count; i++) {
		if (i < max)
			fd[i] = c.fd[i];
		else
			host(SYS_close, c.fd[i]);
	}
	return (int)MIN(count, max);
}

void ask_hello(void)
{
	uint8_t byte = 0;

	if (host(SYS_write, CELL_FD_SOCKET, &byte, 1) != 1)
		for (;;)
			host(SYS_exit_group, 0);
}

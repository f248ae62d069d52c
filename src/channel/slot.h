/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread's mailbox, in memory shared between a cell and the kernel.
 *
 *	IDLE -> REQUEST      by the cell, after writing nr, arg[] and stage[]
 *	REQUEST -> SLEEPING  by the cell, when it gives up spinning; by the
 *	                     kernel, when it knows that the answer must wait
 *	REQUEST, SLEEPING -> DONE  by the kernel, after writing the answer
 *	DONE -> IDLE         by the cell, after reading the answer
 *
 * The kernel wakes only sleepers (a futex on `state`); the cell rings its bell
 * only when `polled` is zero, which says that the kernel does not look at this
 * slot by itself.  The cell stores REQUEST, then reads `polled`; the kernel
 * stores `polled`, then reads `state`; both sequentially consistent, so one of
 * the two always sees the other.
 *
 * Each cell has one memory file of CHANNEL_SIZE bytes, shared with no other
 * cell: slot i lies at i * CHANNEL_STRIDE, its data window CHANNEL_DATA behind.
 *
 * The cell may write any byte at any time, whatever the state says.  The
 * kernel therefore loads each field exactly once, and decides only on copies.
 */
#pragma once

#include <stdatomic.h>

#include "base/base.h"
#include "channel/layout.h"

enum slot_state { SLOT_IDLE, SLOT_REQUEST, SLOT_SLEEPING, SLOT_DONE };

/* What the cell does after DONE, before it goes back to the guest. */
enum slot_action {
	SLOT_RETURN,       /* `result` is the result of the call */
	SLOT_EXIT_THREAD,  /* end this host thread */
	SLOT_EXIT_PROCESS, /* end this host process */
	SLOT_LOAD,         /* load the image described in channel/image.h */
	SLOT_FETCH, /* the out list the other way: copy in, ask OP_fetched */
	SLOT_MORE,  /* copy out, then ask OP_fetched for the rest */
};

#define SLOT_AHEAD 4  /* lines of the data window that most calls use */
#define SLOT_OUTS  32 /* pieces copied out by one answer at most */

/* A piece of the data window: where, and how much.  size 0: none. */
struct slot_piece {
	_Atomic uint32_t off;
	_Atomic uint32_t size;
};

/* Guest memory that the cell fills from the data window after DONE. */
struct slot_out {
	_Atomic uint64_t addr;
	_Atomic uint32_t off;
	_Atomic uint32_t size;
};

struct slot {
	/* Line 0: the request; the answer, whose head replaces arg[5]. */
	_Atomic uint32_t state; /* enum slot_state; also the futex word */
	_Atomic uint32_t nr;
	_Atomic uint64_t arg[6];
	_Atomic int64_t result;

	/* Line 1: written by the kernel at any time, but where it says. */
	_Atomic uint32_t attention; /* ask for signals before going on */
	_Atomic uint32_t polled;    /* the kernel looks by itself: no bell */
	_Atomic uint64_t pending;   /* signals pending for this thread */
	_Atomic uint64_t sigmask;   /* the guest's blocked set; by both */
	_Atomic uint32_t host_tid;  /* zeroed by the host at thread exit */
	_Atomic uint32_t waits_on;  /* by the cell: 0, or 1 + the host's CPU
	                               on which it has waited in vain */
	_Atomic int32_t tgid;       /* ids as the guest sees them */
	_Atomic int32_t tid;
	_Atomic uint32_t uid, euid, gid, egid;
	_Atomic uint32_t idle; /* by the cell: it waits in a futex */
	_Atomic int32_t ppid;  /* 0: ask */

	/* Lines 2 and 3: what the cell staged of each argument. */
	struct slot_piece stage[6];
	_Atomic uint64_t stack_start; /* by the cell at exec; for /proc only */
	_Atomic uint64_t brk_start;
	_Atomic uint64_t auxv_start;
	uint8_t pad1[56];

	/* From line 4: what the kernel wants copied out, in order. */
	struct slot_out out[SLOT_OUTS];
};

static_assert(offsetof(struct slot, attention) == 64, "line 1");
static_assert(offsetof(struct slot, stage) == 128, "line 2");
static_assert(offsetof(struct slot, out) == 256, "line 4");
static_assert(sizeof(struct slot) <= CHANNEL_DATA, "fits before the window");

/* What the cell asked for, at the one moment we looked. */
struct request {
	uint32_t nr;
	uint32_t waits_on; /* as in the slot */
	uint64_t arg[6];
	/* Checked to lie in the data window; size 0 where nothing is staged. */
	struct {
		uint32_t off;
		uint32_t size;
	} stage[6];
};

/* The page the kernel publishes read-only to all its cells. */
struct notice {
	_Atomic uint32_t cell_spin;  /* turns a cell may spin for an answer */
	_Atomic uint32_t shares;     /* 0, or 1 + the host's CPU on which the
	                                kernel has met a waiting cell */
	_Atomic uint32_t patch_hits; /* traps at a site before it is patched;
	                                0: never */
	/* Another number than before: leases may stand for files that have
	 * been replaced since. */
	_Atomic uint32_t lease_age;
};

/*
 * Kernel side: takes the request waiting in `s`, if any.
 * Returns 0 and fills *out, or -EAGAIN when nothing is waiting.  Pieces that
 * do not lie in the data window are dropped.  The state stays as it is.
 */
must_check int slot_take(const struct slot *s, struct request *out);

/*
 * Kernel side: the answer depends on others, so the cell had better sleep than
 * spin for it.
 */
void slot_defer(struct slot *s);

/*
 * The answer, all of it in line 0: each further line that changes hands costs
 * as much as the call.
 */
struct slot_answer {
	int64_t result;
	enum slot_action action;
	uint32_t outs; /* entries of the out list */
};

#define SLOT_HEAD 5 /* the arg[] that holds action and outs after DONE */

/*
 * Kernel side: publishes the answer; the out list was written before.  Returns
 * true if the cell must be woken with FUTEX_WAKE on `state`.
 */
must_check bool slot_finish(struct slot *s, struct slot_answer a);

/* Cell side: the answer of a slot that is DONE. */
static inline struct slot_answer slot_answer(const struct slot *s)
{
	uint64_t head = atomic_load_explicit(&s->arg[SLOT_HEAD],
	                                     memory_order_relaxed);

	return (struct slot_answer){
		.result = atomic_load_explicit(&s->result,
	                                       memory_order_relaxed),
		.action = (enum slot_action)(head & 0xff),
		.outs = (uint32_t)(head >> 8),
	};
}

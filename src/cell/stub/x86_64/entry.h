/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The assembly of the stub, and the places in it that signal handlers know.
 */
#pragma once

#include "base/base.h"

#pragma GCC visibility push(hidden)

struct context;

/* What the fast entry saves, lowest address first. */
struct entry_regs {
	uint64_t rax, rdi, rsi, rdx, r10, r8, r9, rcx, flags;
};

/* Patched sites arrive here, with the address to go on at in rcx. */
extern const char entry_fast[];

/*
 * The way back to the guest.  A thread interrupted in [entry_exit, entry_last)
 * is sent back to entry_exit with the saved registers as the stack; at
 * entry_last all but rip belong to the guest already.
 */
extern const char entry_exit[], entry_last[];

/* A syscall outside the permitted text, and the instruction after it. */
extern const char entry_raise[], entry_raised[];

/*
 * futex(2) unless `attention` is set.  A thread interrupted in
 * [entry_futex_check, entry_futex_call] is sent to entry_futex_abort, which
 * returns -EINTR, so that no signal is lost between the look and the wait.
 */
long entry_futex(uint64_t addr, uint64_t op, uint64_t val, uint64_t timeout,
                 uint64_t addr2, uint64_t val3,
                 const _Atomic uint32_t *attention);
extern const char entry_futex_check[], entry_futex_call[], entry_futex_abort[];

/* Returns from signal handlers; the restorer of the host's frames. */
extern const char entry_restorer[];

/* Continues with the registers of a signal frame. */
_Noreturn void entry_continue(const struct context *c);

/*
 * Makes a host thread that continues with the frame `c` and the given bases.
 * Its stack until then is at `stack`.  Returns the host's tid or an errno.
 */
long entry_clone(uint64_t flags, uint64_t stack, _Atomic uint32_t *tid,
                 uint64_t fs_base, uint64_t gs_base, const struct context *c);

/*
 * Ends the use of this thread's area without ending the host thread: blocks
 * all signals, clears and wakes `tid` as the host would at thread exit, and
 * sleeps for good.  A process whose first thread is gone cannot be read by
 * its pid.
 */
_Noreturn void entry_park(_Atomic uint32_t *tid);

/* Runs fn(arg) on another stack. */
_Noreturn void entry_switch(void *arg, void *stack, void (*fn)(void *));

/*
 * Access to guest memory: a fault in here makes the function return -EFAULT.
 *
 * guard_copy() returns 0.  guard_string() copies up to `max` bytes including
 * the NUL and returns the length without it, or `max` if there was none.
 * guard_touch() returns 0 if all of it can be written; it changes nothing, and
 * `size` is not 0.  guard_swap() compares and exchanges; it returns what it found.
 */
must_check long guard_copy(void *dst, const void *src, uint64_t size);
must_check long guard_string(void *dst, const void *src, uint64_t max);
must_check long guard_touch(void *at, uint64_t size);
must_check long guard_swap(uint64_t addr, uint32_t expect, uint32_t want);
extern const char guard_begin[], guard_end[], guard_fault[];

/* The bounds of the text from which the filter permits host calls. */
extern const char stub_text_begin[], stub_text_end[], stub_image_begin[],
	stub_image_end[];

#pragma GCC visibility pop

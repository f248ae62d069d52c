/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking the kernel: one request in this thread's slot, and its answer.
 *
 * An answer may end the thread or the process, or bring a new program; these
 * functions then do not return.
 */
#pragma once

#include "cell/stub/area.h"
#include "channel/ops.h"

/* Writes number and arguments into the slot, with nothing staged. */
void ask_prepare(struct area *a, uint64_t nr, const uint64_t arg[6]);

/*
 * Sends what the slot holds, waits, copies out what the kernel wants copied
 * out, and returns the result: -EFAULT if that copying failed.
 */
long ask_send(struct area *a);

/* The two together, for requests that stage nothing. */
long ask(struct area *a, uint64_t nr, const uint64_t arg[6]);

/* ask_op(a, OP_name, up to six numbers) */
#define ask_op(a, op, ...) ask(a, op, (const uint64_t[6]){__VA_ARGS__})

/*
 * Locks that are held while asking; a thread that is ended by the answer gives
 * them back.  The first is the right to receive descriptors, which come down
 * one socket in the order of the requests they belong to; the second that to
 * make threads.
 */
void ask_lock_socket(struct area *a);
void ask_unlock_socket(struct area *a);
void ask_lock_threads(struct area *a);
void ask_unlock_threads(struct area *a);

/*
 * Receives up to `max` descriptors that the kernel sent before its answer, or
 * with `wait` will send.  Returns their number, 0 if the kernel is gone.
 */
must_check int ask_receive(int32_t fd[], uint32_t max, bool wait);

/* Tells the kernel our pid; exits if there is no kernel any more. */
void ask_hello(void);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest memory on hosts that forbid process_vm_readv() (Yama 2 and 3): the
 * stub copies it through the data window, piece by piece.
 *
 * A read that needs bytes we do not have fails with -EFAULT and notes what it
 * wanted.  Instead of that error the cell is told to fetch (SLOT_FETCH); it
 * asks OP_fetched, and the handler runs again from its start, now with the
 * bytes at hand.  Writes are collected and handed over behind the answer, in
 * as many windows as they take (SLOT_MORE).
 */
#pragma once

#include "kernel/task/task.h"

/* As cells_read() and cells_write(). */
must_check int far_read(struct task *t, uint64_t from, void *to, size_t size);
must_check int far_write(struct task *t, uint64_t to, const void *from,
                         size_t size);

/* Are these bytes at hand?  If not, notes that they are wanted. */
must_check bool far_has(struct task *t, uint64_t from, size_t size);

/*
 * Will the handler's -EFAULT be turned into a fetch?  For calls that keep their
 * progress and would otherwise return less than asked.
 */
must_check bool far_wants(const struct task *t);

/* After a handler's -EFAULT: asks the cell for what was missing, if anything
 * was.  Then the call goes on with OP_fetched, and true is returned. */
must_check bool far_fetch(struct task *t);

/* Before an answer: true if writes go first and the answer is kept. */
must_check bool far_answer(struct task *t, long result,
                           enum slot_action action);

/*
 * A request was taken while a call was suspended.  Returns true when the
 * handler is to be run (again), false when there is nothing more to do.
 */
must_check bool far_continue(struct task *t, const struct request *next);

/* Forgets everything about the task's call. */
void far_drop(struct task *t);

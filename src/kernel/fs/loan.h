/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Positions lent to cells (channel/place.h).
 *
 * A description that is read again and again through one descriptor of one
 * process has its position there.  Whoever wants to know or move `pos` of a
 * file calls loan_take() first; so does whoever closes a descriptor of it.
 * Nothing else ends a loan: not fork, which leaves the child without one, nor
 * a message that carries the description away.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/task/cells.h"

void loan_take_slow(struct file *f);

/* The position is the kernel's again, in f->pos. */
static inline void loan_take(struct file *f)
{
	if (f->holder)
		loan_take_slow(f);
}

/*
 * After `moved` bytes were read or written by us at the position of descriptor
 * `fd`: lends it if the next ones are likely to be the cell's.
 */
void loan_give(struct task *t, struct file *f, int32_t fd, long moved,
               bool write);

/* Takes back everything: of a cell, which goes; of all cells. */
void loan_forget(struct cell *c);
void loan_take_all(struct kernel *k);

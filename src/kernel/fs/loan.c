/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/loan.h"

#include "channel/place.h"
#include "kernel/core/limits.h"
#include "kernel/fs/fd.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/lease.h"
#include "kernel/task/cellpool.h"

#define READS_FIRST 2  /* by us, before we lend */
#define READS_MANY  8  /* after these it pays whatever is left to read */
#define VAIN_MAX    16 /* loans in a row of which no use was made */

/* What a cell has: file[fd], if that has its position in the cell. */
struct loan_table {
	uint16_t last; /* number of a loan */
	struct file *file[PLACE_COUNT];
};

static _Atomic uint64_t *word_of(const struct file *f)
{
	return place_word(f->holder->channel, f->holder_fd);
}

void loan_take_slow(struct file *f)
{
	uint64_t word = atomic_exchange(word_of(f), 0);
	int64_t pos = (int64_t)(word & PLACE_MAX);

	f->holder->loans->file[f->holder_fd] = NULL;
	f->holder = NULL;
	/* Another number there is not from us: the position did not move. */
	if (place_loan(word) != f->loan || pos == f->pos) {
		if (f->vain < VAIN_MAX)
			f->vain++;
		return;
	}
	f->vain = 0;
	f->pos = pos;
}

/* Is asking for a lease, and reading by it, less than what is left? */
static bool pays(struct file *f, long moved)
{
	uint64_t pos = (uint64_t)f->pos;
	uint64_t left = f->inode->size - MIN(f->inode->size, pos);

	if (f->reads < READS_MANY)
		f->reads++;
	if (f->reads <= READS_FIRST || f->vain == VAIN_MAX || pos > PLACE_MAX)
		return false;
	return f->reads == READS_MANY || left / 2 >= (uint64_t)moved;
}

static struct loan_table *table_of(struct cell *c)
{
	if (!c->loans)
		c->loans = limits_alloc(c->kernel, sizeof(*c->loans));
	return c->loans;
}

void loan_give(struct task *t, struct file *f, int32_t fd, long moved,
               bool write)
{
	struct cell *c = t->cell;
	struct loan_table *table;

	if (moved <= 0 || f->holder || !f->inode || !f->ops->object)
		return;
	if (write ? !lease_may_write(t, f) : !lease_may_read(t, f))
		return;
	/* A child of vfork has the cell of another, and a call that has waited
	 * may have a file that is no longer under its number. */
	if (!c || c->pid != t->process->pid || (uint32_t)fd >= PLACE_COUNT ||
	    fd_peek(t->fds, fd) != f || !pays(f, moved))
		return;
	table = table_of(c);
	if (!table)
		return;
	if (table->file[fd])
		loan_take(table->file[fd]);

	/* Nothing below can fail. */
	table->last = table->last == UINT16_MAX ? 1 : table->last + 1;
	table->file[fd] = f;
	f->holder = c;
	f->holder_fd = (uint16_t)fd;
	f->loan = table->last;
	atomic_store(word_of(f),
	             (uint64_t)f->loan << PLACE_BITS | (uint64_t)f->pos);
}

static void take_from(struct cell *c)
{
	for (size_t i = 0; c->loans && i < PLACE_COUNT; i++)
		if (c->loans->file[i])
			loan_take(c->loans->file[i]);
}

void loan_forget(struct cell *c)
{
	take_from(c);
	if (c->loans)
		limits_free(c->kernel, c->loans, sizeof(*c->loans));
	c->loans = NULL;
}

void loan_take_all(struct kernel *k)
{
	if (!k->cells)
		return;
	list_for_each (at, &k->cells->live)
		take_from(list_entry(at, struct cell, link));
}

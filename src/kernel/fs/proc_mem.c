/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/proc_mem.h"

#include <linux/auxvec.h>
#include <unistd.h>

#include "kernel/core/limits.h"
#include "kernel/fs/file.h"
#include "kernel/fs/proc_process.h"
#include "kernel/task/cells.h"
#include "kernel/task/far.h"
#include "kernel/task/maps.h"

#define PAGE         4096u
#define AUXV_MAX     64         /* pairs */
#define TRANSFER_MAX (1l << 20) /* of one call: others are waiting */

struct open_mem {
	struct process *process;
	uint32_t program; /* process.program_count then */
};

/* By which task the memory is reached: who asks, if it is its own. */
static struct task *task_of(const struct process *p, struct task *by)
{
	if (by && by->process == p)
		return by;
	if (list_empty(&p->tasks))
		return NULL;
	return list_first(&p->tasks, struct task, in_process);
}

/* Will the call be run again, with what was missing at hand? */
static bool fetches(const struct uio *u)
{
	return u->task && far_wants(u->task);
}

/* Moves a piece that does not cross pages: as much as can be moved is. */
static long move_piece(struct task *t, struct uio *u, uint64_t at, bool write)
{
	uint8_t piece[PAGE / 2];
	size_t n = MIN(MIN(u->left, PAGE - at % PAGE), sizeof(piece));
	int err = write ? uio_take(u, piece, n) : cells_read(t, at, piece, n);

	if (err < 0)
		return write || fetches(u) ? err : -EIO;
	err = write ? cells_write(t, at, piece, n) : uio_put(u, piece, n);
	if (err < 0)
		return write && !fetches(u) ? -EIO : err;
	return (long)n;
}

static long move(struct file *f, struct uio *u, int64_t *pos, bool write)
{
	const struct open_mem *o = f->private;
	struct task *t = task_of(o->process, u->task);
	uint64_t at = (uint64_t)*pos;
	long done = 0;

	if (!t || o->process->program_count != o->program)
		return 0;
	while (u->left > 0 && done < TRANSFER_MAX) {
		long n = move_piece(t, u, at, write);

		if (n < 0 && (done == 0 || fetches(u)))
			return n;
		if (n < 0)
			break;
		at += (uint64_t)n;
		done += n;
	}
	*pos = (int64_t)at;
	return done;
}

static long read_mem(struct file *f, struct uio *u, int64_t *pos)
{
	return move(f, u, pos, false);
}

static long write_mem(struct file *f, struct uio *u, int64_t *pos)
{
	return move(f, u, pos, true);
}

static int64_t seek_mem(struct file *f, int64_t offset, int whence)
{
	return whence == SEEK_END ? -EINVAL : file_seek(f, 0, offset, whence);
}

static void release_mem(struct file *f)
{
	struct open_mem *o = f->private;

	process_put(o->process);
	limits_free(f->kernel, o, sizeof(*o));
}

static const struct file_ops mem_ops = {
	.read = read_mem,
	.write = write_mem,
	.seek = seek_mem,
	.release = release_mem,
};

long proc_mem_open(const struct pseudo_ctx *c, struct file *f)
{
	long err = proc_process_inspect(c);
	struct open_mem *o;

	if (err < 0)
		return err;
	o = limits_alloc(f->kernel, sizeof(*o));
	if (!o)
		return -ENOMEM;
	o->process = process_get(proc_process_of(c));
	o->program = o->process->program_count;
	f->private = o;
	f->ops = &mem_ops;
	f->mode |= FILE_SEEKABLE;
	return 0;
}

long proc_mem_auxv(const struct pseudo_ctx *c, struct text *out)
{
	long err = proc_process_inspect(c);
	struct task *t;
	uint64_t at;

	if (err < 0)
		return err;
	t = task_of(proc_process_of(c), c->task);
	at = t ? maps_auxv(t->process) : 0;
	for (int n = 0; at != 0 && n < AUXV_MAX; n++) {
		uint64_t pair[2];

		err = cells_read(t, at, pair, sizeof(pair));
		if (err < 0)
			return err;
		text_add_bytes(out, pair, sizeof(pair));
		if (pair[0] == AT_NULL)
			break;
		at += sizeof(pair);
	}
	return 0;
}

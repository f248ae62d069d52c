/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/volumefs_ahead.h"

#include <fcntl.h>

/* ---- objects ---- */

static void make_run(struct work *w)
{
	spare_make(container_of(w, struct volumefs, making)->volume);
}

static void make_done(struct work *w)
{
	spare_settle(container_of(w, struct volumefs, making)->volume);
}

void volumefs_ahead_made(struct volumefs *fs)
{
	if (!spare_order(fs->volume))
		return;
	fs->making.run = make_run;
	fs->making.done = make_done;
	if (work_submit(fs->kernel->workers, &fs->making) < 0)
		spare_settle(fs->volume); /* none: no thread to be had */
}

/* ---- contents ---- */

static void write_run(struct work *w)
{
	struct volumefs *fs = container_of(w, struct volumefs, writing);

	/* Whether it worked is for an fsync(2) to say. */
	(void)!sync_file_range(fs->written->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static void write_done(struct work *w)
{
	struct volumefs *fs = container_of(w, struct volumefs, writing);
	struct volumefs_node *n = fs->written;

	fs->written = NULL;
	volumefs_node_unpin(n);
}

void volumefs_ahead_wrote(struct volumefs_node *n, size_t size)
{
	struct volumefs *fs = n->fs;

	n->unwritten += size;
	if (n->unwritten < VOLUMEFS_AHEAD_BYTES || fs->written ||
	    volumefs_node_pin(n) < 0)
		return;
	n->unwritten = 0;
	fs->written = n;
	fs->writing.run = write_run;
	fs->writing.done = write_done;
	if (work_submit(fs->kernel->workers, &fs->writing) < 0)
		write_done(&fs->writing);
}

/* ---- the end ---- */

void volumefs_ahead_end(struct volumefs *fs)
{
	if (fs->volume->spares.ordered) {
		work_finish(fs->kernel->workers, &fs->making);
		spare_settle(fs->volume);
	}
	if (fs->written) {
		work_finish(fs->kernel->workers, &fs->writing);
		write_done(&fs->writing);
	}
}

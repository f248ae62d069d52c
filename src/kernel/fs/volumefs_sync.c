/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/volumefs_sync.h"

#include <fcntl.h>
#include <string.h>

#include "kernel/core/limits.h"
#include "kernel/fs/volumefs_lent.h"
#include "kernel/fs/volumefs_node.h"
#include "kernel/fs/volumefs_sealed.h"
#include "volume/object.h"

#define ROOM_FIRST 64u

static size_t size_of(const struct volumefs_sync_files *f)
{
	return f->room * sizeof(*f->ino);
}

/* Room for one more; false without memory. */
static bool grow(struct volumefs *fs)
{
	struct volumefs_sync_files *f = &fs->sync.next;
	struct volumefs_sync_files more = *f;

	if (f->count < f->room)
		return true;
	more.room = f->room ? 2 * f->room : ROOM_FIRST;
	more.ino = limits_alloc(fs->kernel, size_of(&more));
	if (!more.ino)
		return false;
	if (f->count > 0)
		memcpy(more.ino, f->ino, f->count * sizeof(*f->ino));
	limits_free(fs->kernel, f->ino, size_of(f));
	*f = more;
	return true;
}

/* ---- a round, on a helper thread ---- */

/*
 * All are begun before one is waited for: what they add to the host's journal is
 * then in it when the first is, and the others find it there.  Files that are gone
 * need nothing.
 */
static int make_safe(int objects, const struct volumefs_sync_files *f)
{
	int err = 0;

	for (int pass = f->count > 1 ? 0 : 1; pass < 2; pass++) {
		for (size_t i = 0; i < f->count; i++) {
			int fd = object_open(objects, f->ino[i], O_RDONLY);

			if (fd < 0 && fd != -ENOENT)
				err = fd;
			if (fd < 0)
				continue;
			if (pass == 0)
				(void)!sync_file_range(fd, 0, 0,
				                       SYNC_FILE_RANGE_WRITE);
			else if (fdatasync(fd) < 0)
				err = -errno;
			close(fd);
		}
	}
	return err;
}

static void sync_run(struct work *w)
{
	struct volumefs *fs = container_of(w, struct volumefs, sync.work);

	fs->sync.result = make_safe(fs->volume->objects_fd, &fs->sync.now);
}

/* ---- on the kernel's thread ---- */

/* What was collected is under way. */
static void take(struct volumefs_sync *s)
{
	struct volumefs_sync_files used = s->now;

	s->now = s->next;
	s->next = used;
	s->next.count = 0;
	s->round++;
	s->running = true;
}

static void settle(struct volumefs_sync *s)
{
	s->running = false;
	s->ended = s->round - 1;
	if (s->result < 0)
		s->err = s->result;
}

static void start(struct volumefs *fs);

static void sync_done(struct work *w)
{
	struct volumefs *fs = container_of(w, struct volumefs, sync.work);
	struct volumefs_sync *s = &fs->sync;
	bool again = s->again;

	settle(s);
	s->again = false;
	if (again)
		start(fs);
	waitq_wake(&s->done, WAITQ_ANY);
}

static void start(struct volumefs *fs)
{
	struct volumefs_sync *s = &fs->sync;

	if (s->running) {
		s->again = true;
		return;
	}
	take(s);
	s->work.run = sync_run;
	s->work.done = sync_done;
	if (work_submit(fs->kernel->workers, &s->work) < 0) {
		/* No thread to be had: by ourselves. */
		sync_run(&s->work);
		sync_done(&s->work);
	}
}

void volumefs_sync_add(struct volumefs *fs, uint64_t ino, int fd)
{
	struct volumefs_sync *s = &fs->sync;

	if (!grow(fs)) {
		(void)!fdatasync(fd); /* at once, as nobody could later */
		return;
	}
	s->next.ino[s->next.count++] = ino;
	if (s->next.count >= VOLUMEFS_SYNC_MANY && !s->running)
		start(fs);
}

void volumefs_sync_wrote(struct volumefs_node *n)
{
	uint64_t round = n->fs->sync.round;

	if (n->written_in == round)
		return;
	n->written_in = round;
	volumefs_sync_add(n->fs, n->tree.ino, n->fd);
}

/* What cells may have written unseen. */
static void note_mapped(struct volumefs *fs)
{
	volumefs_lent_note(fs);
	volumefs_sealed_save_all(fs);
}

uint64_t volumefs_sync_begin(struct volumefs *fs)
{
	struct volumefs_sync *s = &fs->sync;
	uint64_t round;

	note_mapped(fs);
	round = s->next.count > 0 ? s->round : s->round - 1;
	if (s->next.count > 0)
		start(fs);
	return round;
}

long volumefs_sync_wait(struct volumefs *fs, struct task *t, uint64_t round)
{
	struct volumefs_sync *s = &fs->sync;
	int err = s->err;

	if (s->ended < round) {
		task_watch(t, &s->done);
		return task_sleep_deep(t);
	}
	s->err = 0;
	return err;
}

void volumefs_sync_stop(struct volumefs *fs)
{
	struct volumefs_sync *s = &fs->sync;

	if (!s->running)
		return;
	work_finish(fs->kernel->workers, &s->work);
	settle(s);
}

void volumefs_sync_now(struct volumefs *fs)
{
	struct volumefs_sync *s = &fs->sync;

	note_mapped(fs);
	if (s->next.count == 0)
		return;
	take(s);
	sync_run(&s->work);
	settle(s);
}

void volumefs_sync_init(struct volumefs *fs)
{
	fs->sync.round = 1;
	waitq_init(&fs->sync.done);
}

void volumefs_sync_fini(struct volumefs *fs)
{
	struct volumefs_sync *s = &fs->sync;

	waitq_fini(&s->done);
	limits_free(fs->kernel, s->now.ino, size_of(&s->now));
	limits_free(fs->kernel, s->next.ino, size_of(&s->next));
}

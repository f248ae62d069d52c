/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/spare.h"

#include <sched.h>
#include <sys/stat.h>

#include "volume/object.h"
#include "volume/volume.h"

#define WANTED 8u /* that often, and there is to be a stock */

static struct spare *place(struct spares *s, uint32_t at)
{
	return &s->stock[at % SPARE_COUNT];
}

void spare_sync(struct volume *v)
{
	struct spares *s = &v->spares;

	if (v->created || s->taken)
		s->wanted += s->wanted < WANTED;
	s->taken = false;
}

int spare_take(struct volume *v, uint64_t *ino)
{
	struct spares *s = &v->spares;
	const struct spare *first = place(s, s->tail - s->count);

	if (s->count == 0)
		return -ENOENT;
	s->count--;
	s->taken = true;
	*ino = first->ino;
	v->created |= first->ino >= s->named;
	return first->fd;
}

bool spare_order(struct volume *v)
{
	struct spares *s = &v->spares;

	if (s->ordered || s->wanted < WANTED || s->count > SPARE_COUNT / 2 ||
	    v->full)
		return false;
	s->ordered = true;
	s->wanted = 0;
	s->order = SPARE_COUNT - s->count;
	s->made = 0;
	for (uint32_t i = 0; i < s->order; i++)
		place(s, s->tail + i)->ino = v->sums.next_ino++;
	v->sums_changed = true;
	return true;
}

void spare_make(struct volume *v)
{
	struct spares *s = &v->spares;

	for (; s->made < s->order; s->made++) {
		struct spare *next = place(s, s->tail + s->made);

		next->fd = object_create(v->objects_fd, next->ino);
		if (next->fd < 0)
			break; /* who makes a file will see why */
		/* Nobody waits for us, and others may want this CPU. */
		(void)sched_yield();
	}
}

void spare_settle(struct volume *v)
{
	struct spares *s = &v->spares;

	assert(s->ordered);
	s->ordered = false;
	s->tail += s->made;
	s->count += s->made;
	if (s->made > 0)
		s->end = place(s, s->tail - 1)->ino + 1;
}

int spare_end(struct volume *v, bool keep)
{
	struct spares *s = &v->spares;
	int err = 0;

	assert(!s->ordered);
	for (; s->count > 0; s->count--) {
		struct spare *first = place(s, s->tail - s->count);

		close(first->fd);
		if (!keep)
			err = object_remove(v->objects_fd, first->ino);
	}
	return err;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/user.h"

#include <string.h>

#include "kernel/task/cells.h"

/* Where the data window of a task's slot begins. */
static uint8_t *window(struct task *t)
{
	return (uint8_t *)t->slot + CHANNEL_DATA;
}

/*
 * The bytes of the data window that stand for guest memory from `at` on, and
 * how many there are; NULL if none do.
 */
static uint8_t *staged(struct task *t, uint64_t at, size_t *size)
{
	if (!t->in_call)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(t->req.stage); i++) {
		uint64_t base = t->req.arg[i];
		uint32_t have = t->req.stage[i].size;

		if (at < base || at - base >= have)
			continue;
		*size = (size_t)(have - (at - base));
		return window(t) + t->req.stage[i].off + (at - base);
	}
	return NULL;
}

const void *user_staged(struct task *t, uaddr_t from, size_t size)
{
	size_t have = 0;
	const uint8_t *at = staged(t, from.raw, &have);

	return at && have >= size ? at : NULL;
}

int user_read(struct task *t, uaddr_t from, void *to, size_t size)
{
	const void *at;

	if (size == 0)
		return 0;
	at = user_staged(t, from, size);
	if (at) {
		memcpy(to, at, size);
		return 0;
	}
	return cells_read(t, from.raw, to, size);
}

/*
 * Notes a piece of the window for copying out; one that goes on where the last
 * one ended makes that longer.  False: the list is full.
 */
static bool add_out(struct task *t, uint64_t addr, const uint8_t *at,
                    size_t size)
{
	uint32_t off = (uint32_t)(at - window(t));
	bool joins = t->outs > 0 && t->out.addr + t->out.size == addr &&
	             t->out.off + t->out.size == off;
	struct slot_out *o;

	if (!joins && t->outs == SLOT_OUTS)
		return false;
	if (joins) {
		t->out.size += (uint32_t)size;
	} else {
		t->out.addr = addr;
		t->out.off = off;
		t->out.size = (uint32_t)size;
		t->outs++;
	}
	o = &t->slot->out[t->outs - 1];
	atomic_store_explicit(&o->addr, t->out.addr, memory_order_relaxed);
	atomic_store_explicit(&o->off, t->out.off, memory_order_relaxed);
	atomic_store_explicit(&o->size, t->out.size, memory_order_relaxed);
	return true;
}

int user_write(struct task *t, uaddr_t to, const void *from, size_t size)
{
	size_t have = 0;
	uint8_t *at;

	if (size == 0)
		return 0;
	at = staged(t, to.raw, &have);
	if (at && have >= size && add_out(t, to.raw, at, size)) {
		memcpy(at, from, size);
		return 0;
	}
	return cells_write(t, to.raw, from, size);
}

void *user_room(struct task *t, uaddr_t to, size_t size)
{
	size_t have = 0;
	uint8_t *at = staged(t, to.raw, &have);

	return at && have >= size && t->outs < SLOT_OUTS ? at : NULL;
}

int user_room_done(struct task *t, uaddr_t to, size_t size)
{
	size_t have = 0;
	uint8_t *at = staged(t, to.raw, &have);

	if (size == 0)
		return 0;
	assert(at && have >= size);
	return add_out(t, to.raw, at, size) ? 0 : -EFAULT;
}

void user_keep(struct task *t)
{
	t->outs_kept = t->outs;
}

/* Reads a string piece by piece, never across a page that is not needed. */
static long string_far(struct task *t, uint64_t from, char *to, size_t room)
{
	size_t done = 0;

	while (done < room) {
		size_t size = 4096 - ((from + done) & 4095);
		const char *end;
		int err;

		size = MIN(size, room - done);
		err = cells_read(t, from + done, to + done, size);
		if (err < 0)
			return err;
		end = memchr(to + done, 0, size);
		if (end)
			return end - to;
		done += size;
	}
	return -ENAMETOOLONG;
}

long user_string(struct task *t, uaddr_t from, char *to, size_t room)
{
	size_t have = 0;
	const uint8_t *at = staged(t, from.raw, &have);
	const char *end;

	if (!at)
		return string_far(t, from.raw, to, room);
	have = MIN(have, room);
	memcpy(to, at, have);
	end = memchr(to, 0, have);
	if (end)
		return end - to;
	return have == room ? -ENAMETOOLONG : string_far(t, from.raw, to, room);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cell/stub/marshal.h"

#include "cell/stub/ask.h"
#include "cell/stub/x86_64/entry.h"

#define PATH_SIZE 4096u

/* The size of argument `m`, or 0 if it does not fit into `room`. */
static uint64_t staged_size(const struct marshal_arg *m, const uint64_t arg[6],
                            uint64_t room)
{
	uint64_t count = m->count == MARSHAL_ONE ? 1 : arg[m->count];

	if (count > room)
		return 0;
	return count * m->unit <= room ? count * m->unit : 0;
}

/* Stages one argument at `off`.  Returns the size it takes. */
static uint64_t stage(struct area *a, const struct marshal_arg *m,
                      const uint64_t arg[6], unsigned i, uint64_t off)
{
	uint64_t room = CHANNEL_WINDOW - off;
	uint8_t *at = area_window(a) + off;
	const void *from = (const void *)arg[i];
	uint64_t size;
	long len;

	if (m->kind == MARSHAL_PATH) {
		len = guard_string(at, from, MIN(room, PATH_SIZE));
		if (len < 0 || (uint64_t)len == MIN(room, PATH_SIZE))
			return 0;
		return (uint64_t)len + 1;
	}
	size = staged_size(m, arg, room);
	if (size && (m->kind & MARSHAL_IN) && guard_copy(at, from, size))
		return 0;
	/*
	 * What cannot be written must fail before the kernel acts: a read that
	 * gives EFAULT takes nothing from its pipe.
	 */
	if (size && (m->kind & MARSHAL_OUT) &&
	    guard_touch((void *)arg[i], size))
		return 0;
	return size;
}

long marshal_call(struct area *a, uint64_t nr, const uint64_t arg[6])
{
	const struct marshal_row *row;
	uint64_t off = 0;

	ask_prepare(a, nr, arg);
	if (nr >= marshal_count)
		return ask_send(a);
	row = &marshal_table[nr];
	for (unsigned i = 0; i < 6; i++) {
		struct slot_piece *piece = &a->slot->stage[i];
		uint64_t size;

		if (row->arg[i].kind == MARSHAL_NUM || arg[i] == 0)
			continue;
		size = stage(a, &row->arg[i], arg, i, off);
		if (size == 0)
			continue;
		atomic_store_explicit(&piece->off, (uint32_t)off,
		                      memory_order_relaxed);
		atomic_store_explicit(&piece->size, (uint32_t)size,
		                      memory_order_relaxed);
		off = (off + size + 15) & ~15ULL;
		if (off > CHANNEL_WINDOW)
			off = CHANNEL_WINDOW;
	}
	return ask_send(a);
}

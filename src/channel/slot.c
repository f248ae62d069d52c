/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/slot.h"

int slot_take(const struct slot *s, struct request *out)
{
	uint32_t state = atomic_load_explicit(&s->state, memory_order_acquire);

	if (state != SLOT_REQUEST && state != SLOT_SLEEPING)
		return -EAGAIN;

	/*
	 * Each of these lines comes from another CPU's cache.  Asked for now,
	 * they travel together, and those we write are ours when we do.
	 */
	__builtin_prefetch(s->stage, 0);
	__builtin_prefetch((const uint8_t *)s + CHANNEL_DATA, 0);
	__builtin_prefetch(s->out, 1);
	for (size_t line = 1; line < SLOT_AHEAD; line++)
		__builtin_prefetch(
			(const uint8_t *)s + CHANNEL_DATA + line * 64, 1);

	/* From here on the cell may change every word; we look at each once. */
	out->nr = atomic_load_explicit(&s->nr, memory_order_relaxed);
	out->waits_on = atomic_load_explicit(&s->waits_on,
	                                     memory_order_relaxed);
	for (size_t i = 0; i < ARRAY_LEN(out->arg); i++) {
		uint32_t off, size;

		out->arg[i] = atomic_load_explicit(&s->arg[i],
		                                   memory_order_relaxed);
		off = atomic_load_explicit(&s->stage[i].off,
		                           memory_order_relaxed);
		size = atomic_load_explicit(&s->stage[i].size,
		                            memory_order_relaxed);
		if (off > CHANNEL_WINDOW || size > CHANNEL_WINDOW - off)
			size = 0;
		out->stage[i].off = off;
		out->stage[i].size = size;
	}
	return 0;
}

void slot_defer(struct slot *s)
{
	uint32_t seen = SLOT_REQUEST;

	(void)atomic_compare_exchange_strong(&s->state, &seen, SLOT_SLEEPING);
}

bool slot_finish(struct slot *s, struct slot_answer a)
{
	uint64_t head = (uint64_t)a.outs << 8 | a.action;

	atomic_store_explicit(&s->result, a.result, memory_order_relaxed);
	atomic_store_explicit(&s->arg[SLOT_HEAD], head, memory_order_relaxed);
	return atomic_exchange(&s->state, SLOT_DONE) == SLOT_SLEEPING;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/slot.h"

int slot_take(const struct slot *s, struct request *out)
{
	uint32_t state = atomic_load_explicit(&s->state, memory_order_acquire);

	if (state != SLOT_REQUEST && state != SLOT_SLEEPING)
		return -EAGAIN;

	/* From here on the cell may change every word; we look at each once. */
	out->nr = atomic_load_explicit(&s->nr, memory_order_relaxed);
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

bool slot_finish(struct slot *s, struct slot_answer a)
{
	uint64_t head = (uint64_t)a.outs << 8 | a.action;

	atomic_store_explicit(&s->result, a.result, memory_order_relaxed);
	atomic_store_explicit(&s->arg[SLOT_HEAD], head, memory_order_relaxed);
	return atomic_exchange(&s->state, SLOT_DONE) == SLOT_SLEEPING;
}

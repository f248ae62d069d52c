/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/cmsg.h"

int cmsg_next(struct reader *r, struct cmsg *out)
{
	struct cmsg c;
	uint64_t size;

	if (r->rest.size < CMSG_HEAD)
		return 0;
	size = rd_le64(r);
	c.level = (int32_t)rd_le32(r);
	c.type = (int32_t)rd_le32(r);
	if (size < CMSG_HEAD || size - CMSG_HEAD > r->rest.size)
		return -EINVAL;
	c.data = rd_take(r, (size_t)size - CMSG_HEAD);
	/* The last message need not be padded. */
	(void)rd_take(r, MIN(r->rest.size, (size_t)(-size & 7)));
	*out = c;
	return 1;
}

void cmsg_out_init(struct cmsgout *o, size_t room)
{
	o->room = MIN(room, (size_t)CMSGOUT_SIZE);
	o->size = 0;
	o->truncated = false;
}

size_t cmsg_room(const struct cmsgout *o)
{
	size_t left = o->room - MIN(o->size, o->room);

	return left > CMSG_HEAD ? left - CMSG_HEAD : 0;
}

void cmsg_put(struct cmsgout *o, int32_t level, int32_t type, const void *data,
              size_t size)
{
	size_t left = o->room - MIN(o->size, o->room);
	uint8_t *at = o->bytes + o->size;
	uint64_t whole;

	if (left < CMSG_HEAD) {
		o->truncated = true;
		return;
	}
	if (size > left - CMSG_HEAD) {
		size = left - CMSG_HEAD;
		o->truncated = true;
	}
	whole = CMSG_HEAD + size;
	memcpy(at, &whole, sizeof(whole));
	memcpy(at + 8, &level, sizeof(level));
	memcpy(at + 12, &type, sizeof(type));
	memcpy(at + CMSG_HEAD, data, size);
	o->size += (size_t)whole;
	/* The padding counts where the caller has room for it. */
	while ((o->size & 7) && o->size < o->room)
		o->bytes[o->size++] = 0;
}

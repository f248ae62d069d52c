/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/wire.h"

void wire_put_le(struct buffer *b, uint64_t v, size_t size)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(v >> (8 * i));
	buffer_put(b, bytes, size);
}

void wire_put_str(struct buffer *b, struct span s)
{
	wire_put_le(b, s.size, 4);
	buffer_put(b, s.at, s.size);
}

void wire_put_list(struct buffer *b, const struct wire_list *l)
{
	wire_put_le(b, l->count, 4);
	wire_put_str(b, l->packed);
}

void wire_read_list(struct reader *r, struct wire_list *l)
{
	l->count = rd_le32(r);
	l->packed = rd_str32(r);
}

bool wire_list_ok(const struct wire_list *l)
{
	uint32_t ends = 0;

	for (size_t i = 0; i < l->packed.size; i++)
		ends += l->packed.at[i] == 0;
	if (l->packed.size > 0 && l->packed.at[l->packed.size - 1] != 0)
		return false;
	return ends == l->count;
}

bool wire_text_ok(struct span s, size_t max)
{
	return s.size <= max && (s.size == 0 || !memchr(s.at, 0, s.size));
}

int wire_take(struct buffer *b, uint8_t **out, size_t *size)
{
	int err = b->bad ? -ENOMEM : b->size > WIRE_SIZE_MAX ? -EINVAL : 0;

	if (err == 0) {
		*out = b->at;
		*size = b->size;
		b->at = NULL;
	}
	buffer_fini(b);
	return err;
}

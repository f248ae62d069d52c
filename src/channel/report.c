/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/report.h"

int report_parse(struct span wire, struct report *out)
{
	struct reader rd = {.rest = wire};
	struct report r;

	r.kind = rd_le32(&rd);
	r.done = rd_le64(&rd);
	r.of = rd_le64(&rd);
	r.error = rd_le32(&rd);
	r.path = rd_str32(&rd);
	r.text = rd_str32(&rd);
	if (!rd_end(&rd) || r.kind >= REPORT_KINDS || r.error > 4095 ||
	    r.path.size > REPORT_PATH_MAX || r.text.size > REPORT_TEXT_MAX)
		return -EPROTO;
	*out = r;
	return 0;
}

static size_t put_le(uint8_t *to, uint64_t v, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)(v >> (8 * i));
	return size;
}

static size_t put_str(uint8_t *to, struct span s, size_t max)
{
	size_t size = MIN(s.size, max);
	size_t used = put_le(to, size, 4);

	if (size > 0)
		memcpy(to + used, s.at, size);
	return used + size;
}

size_t report_format(const struct report *r, uint8_t to[static REPORT_SIZE_MAX])
{
	size_t used = put_le(to, r->kind, 4);

	used += put_le(to + used, r->done, 8);
	used += put_le(to + used, r->of, 8);
	used += put_le(to + used, r->error, 4);
	used += put_str(to + used, r->path, REPORT_PATH_MAX);
	used += put_str(to + used, r->text, REPORT_TEXT_MAX);
	return used;
}

static_assert(24 + 8 + REPORT_PATH_MAX + REPORT_TEXT_MAX <= REPORT_SIZE_MAX,
              "a report fits");

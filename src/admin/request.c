/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/request.h"

static bool method_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

static bool word_byte(uint8_t c)
{
	return c > ' ' && c < 0x7f;
}

static bool all(struct span s, size_t max, bool (*ok)(uint8_t c))
{
	if (s.size > max)
		return false;
	for (size_t i = 0; i < s.size; i++)
		if (!ok(s.at[i]))
			return false;
	return true;
}

/* What comes before the next `end`, which is taken too. */
static struct span take_until(struct reader *r, uint8_t end)
{
	const uint8_t *at = r->bad || r->rest.size == 0
	                            ? NULL
	                            : memchr(r->rest.at, end, r->rest.size);
	struct span got;

	if (!at) {
		r->bad = true;
		return (struct span){NULL, 0};
	}
	got = rd_take(r, (size_t)(at - r->rest.at));
	(void)rd_u8(r);
	return got;
}

static bool split_method(struct span word, struct request *q)
{
	struct reader r = {.rest = word};

	if (word.size && memchr(word.at, '+', word.size)) {
		q->method = take_until(&r, '+');
		q->argument = r.rest;
	} else {
		q->method = word;
		q->argument = (struct span){NULL, 0};
	}
	return q->method.size > 0 &&
	       all(q->method, REQUEST_METHOD_MAX, method_byte) &&
	       all(q->argument, REQUEST_WORD_MAX, word_byte);
}

int request_parse(struct span wire, struct request *out)
{
	struct reader r = {.rest = wire};
	struct reader head = {0};
	struct span call, kind;
	struct request q;

	if (wire.size > REQUEST_SIZE_MAX)
		return -EPROTO;
	head.rest = take_until(&r, '\0');
	call = take_until(&head, ' ');
	q.source = take_until(&head, ' ');
	kind = take_until(&head, ' ');
	q.target = head.rest;
	q.payload = r.rest;
	if (r.bad || head.bad || !split_method(call, &q))
		return -EPROTO;
	if (q.source.size == 0 || !all(q.source, REQUEST_WORD_MAX, word_byte) ||
	    q.target.size == 0 || !all(q.target, REQUEST_WORD_MAX, word_byte))
		return -EPROTO;
	if (span_is(kind, "keyword") && span_is(q.target, "adminvm"))
		q.target = span_str("dom0");
	else if (!span_is(kind, "name"))
		return -EPROTO;
	*out = q;
	return 0;
}

void request_format(struct buffer *b, const struct request *r)
{
	buffer_put(b, r->method.at, r->method.size);
	buffer_put(b, "+", 1);
	buffer_put(b, r->argument.at, r->argument.size);
	buffer_put(b, " ", 1);
	buffer_put(b, r->source.at, r->source.size);
	buffer_text(b, " name ");
	buffer_put(b, r->target.at, r->target.size);
	buffer_put(b, "", 1);
	buffer_put(b, r->payload.at, r->payload.size);
}

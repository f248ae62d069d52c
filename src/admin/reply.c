/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/reply.h"

void reply_ok(struct buffer *b, struct span data)
{
	buffer_text0(b, "0");
	buffer_put(b, data.at, data.size);
}

void reply_exception(struct buffer *b, const char *type, const char *message)
{
	buffer_text0(b, "2");
	buffer_text0(b, type);
	buffer_text0(b, "");
	for (; *message; message++) {
		if (*message == '%')
			buffer_put(b, "%", 1);
		buffer_put(b, message, 1);
	}
	buffer_put(b, "", 1);
}

void reply_event(struct buffer *b, const struct reply_event *e)
{
	buffer_text0(b, "1");
	buffer_text0(b, e->subject);
	buffer_text0(b, e->name);
	for (size_t i = 0; i < e->count; i++) {
		buffer_text0(b, e->pair[i].key);
		buffer_text0(b, e->pair[i].value);
	}
	buffer_put(b, "", 1);
}

const char *reply_value(const struct reply_event *e, const char *key)
{
	for (size_t i = 0; i < e->count; i++)
		if (strcmp(e->pair[i].key, key) == 0)
			return e->pair[i].value;
	return NULL;
}

/* A text up to its NUL, or NULL and the reader is bad. */
static const char *take_text(struct reader *r)
{
	const uint8_t *end = r->bad || r->rest.size == 0
	                             ? NULL
	                             : memchr(r->rest.at, 0, r->rest.size);
	struct span got;

	if (!end) {
		r->bad = true;
		return NULL;
	}
	got = rd_take(r, (size_t)(end - r->rest.at) + 1);
	return (const char *)got.at;
}

/* "%%" is "%". */
static void unescape(const char *from, char *to, size_t room)
{
	size_t n = 0;

	while (*from && n + 1 < room) {
		if (from[0] == '%' && from[1] == '%')
			from++;
		to[n++] = *from++;
	}
	to[n] = '\0';
}

int reply_parse(struct span wire, struct reply *out)
{
	struct reader r = {.rest = wire};
	const char *kind = take_text(&r);
	const char *type, *message;
	struct reply got = {0};

	if (kind && strcmp(kind, "0") == 0) {
		got.data = r.rest;
		*out = got;
		return 0;
	}
	if (!kind || strcmp(kind, "2") != 0)
		return -EPROTO;
	type = take_text(&r);
	(void)take_text(&r);
	message = take_text(&r);
	if (r.bad || strlen(type) > REPLY_TYPE_MAX)
		return -EPROTO;
	got.kind = REPLY_EXCEPTION;
	memcpy(got.type, type, strlen(type));
	unescape(message, got.message, sizeof(got.message));
	*out = got;
	return 0;
}

ssize_t reply_parse_event(struct span wire, struct reply_event *out)
{
	struct reader r = {.rest = wire};
	struct reply_event e = {0};
	const char *kind = take_text(&r);

	if (wire.size > 0 && wire.at[0] != '1')
		return -EPROTO;
	if (wire.size > 1 && wire.at[1] != '\0')
		return -EPROTO;
	e.subject = take_text(&r);
	e.name = take_text(&r);
	while (!r.bad) {
		const char *key = take_text(&r);
		const char *value;

		if (!key)
			break;
		if (*key == '\0') {
			*out = e;
			return (ssize_t)(wire.size - r.rest.size);
		}
		value = take_text(&r);
		if (!value)
			break;
		if (e.count == REPLY_PAIRS_MAX)
			return -EPROTO;
		e.pair[e.count++] = (struct reply_pair){key, value};
	}
	(void)kind;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests, answers and events of the Admin API: what is accepted is written
 * back such that it is accepted as the same.
 */
#include "admin/reply.h"
#include "admin/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_request(struct span wire)
{
	autobuffer struct buffer b = {0};
	struct request r, again;

	if (request_parse(wire, &r) < 0)
		return;
	request_format(&b, &r);
	/* A plus that was left out is written. */
	if (b.bad || b.size > REQUEST_SIZE_MAX)
		return;
	if (request_parse(buffer_span(&b), &again) < 0 ||
	    !span_eq(r.method, again.method) ||
	    !span_eq(r.argument, again.argument) ||
	    !span_eq(r.source, again.source) ||
	    !span_eq(r.target, again.target) ||
	    !span_eq(r.payload, again.payload))
		abort();
}

static void check_events(struct span wire)
{
	autobuffer struct buffer b = {0};
	struct reply_event e;
	ssize_t n;

	while ((n = reply_parse_event(wire, &e)) > 0) {
		buffer_clear(&b);
		reply_event(&b, &e);
		if (b.size != (size_t)n || memcmp(b.at, wire.at, b.size) != 0)
			abort();
		wire = span_from(wire, (size_t)n);
	}
}

static void check_answer(struct span wire)
{
	autobuffer struct buffer b = {0};
	struct reply r, again;

	if (reply_parse(wire, &r) < 0)
		return;
	if (r.kind == REPLY_OK)
		reply_ok(&b, r.data);
	else
		reply_exception(&b, r.type, r.message);
	if (reply_parse(buffer_span(&b), &again) < 0 || again.kind != r.kind ||
	    !span_eq(again.data, r.data) || strcmp(again.type, r.type) != 0 ||
	    strcmp(again.message, r.message) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = {data, size};

	check_request(s);
	check_events(s);
	check_answer(s);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/events.h"

#include <stdarg.h>

#include "manager/listener.h"

void events_init(struct events *e)
{
	list_init(&e->listeners);
	e->queued = (struct buffer){0};
}

void events_fini(struct events *e)
{
	buffer_fini(&e->queued);
}

void events_queue(struct events *e, const char *subject, const char *name, ...)
{
	struct reply_event ev = {.subject = subject, .name = name};
	const char *key;
	va_list ap;

	va_start(ap, name);
	while ((key = va_arg(ap, const char *))) {
		const char *value = va_arg(ap, const char *);

		assert(ev.count < REPLY_PAIRS_MAX);
		ev.pair[ev.count++] = (struct reply_pair){key, value};
	}
	va_end(ap);
	reply_event(&e->queued, &ev);
}

void events_flush(struct events *e)
{
	struct span rest = buffer_span(&e->queued);
	struct reply_event ev;
	ssize_t size;

	while ((size = reply_parse_event(rest, &ev)) > 0) {
		struct span one = {rest.at, (size_t)size};

		/* A listener that goes takes itself out of the list. */
		list_for_each_safe (at, &e->listeners)
			listener_tell(at, ev.subject, ev.name, one);
		rest = span_from(rest, (size_t)size);
	}
	buffer_clear(&e->queued);
}

void events_drop(struct events *e)
{
	buffer_clear(&e->queued);
}

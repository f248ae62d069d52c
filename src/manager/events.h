/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens, told to whoever listens to admin.Events.
 *
 * Events of a transaction wait until it is committed, and are forgotten when it
 * is not.  Others go at once.
 */
#pragma once

#include "admin/reply.h"
#include "base/list.h"

struct conn;

struct events {
	struct list listeners; /* of struct conn */
	struct buffer queued;  /* of the open transaction, one after another */
};

void events_init(struct events *e);
void events_fini(struct events *e);

/*
 * Queues an event about `subject` (a qube's name, or "").  Behind it come pairs
 * of texts, key and value, and a NULL.
 */
void events_queue(struct events *e, const char *subject, const char *name, ...)
	__attribute__((sentinel));

/* Tells what is queued; or forgets it. */
void events_flush(struct events *e);
void events_drop(struct events *e);

/* Queues and tells at once. */
#define events_tell(e, ...)                     \
	do {                                    \
		events_queue((e), __VA_ARGS__); \
		events_flush(e);                \
	} while (0)

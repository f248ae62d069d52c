/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How verbs ask the manager: one call after the other, the last answer kept.
 *
 * What is refused becomes a sentence that names the thing, says what was wrong,
 * and what to do about it (cli/hints.def).  A call that takes longer than a
 * second shows that on a terminal.
 */
#pragma once

#include "admin/client.h"
#include "cli/frame.h"

struct query {
	struct paths paths;
	struct client_answer answer;
	const char *doing; /* "starting", for the line that is shown; or NULL */
	/*
	 * The method that says how far it is, of the same qube: DONE ALL; NULL:
	 * nobody can.
	 */
	const char *measure;
	bool quiet;
};

/* Before query_init(), so that query_fini() may be called. */
#define QUERY_NONE              \
	{                       \
		.answer.fd = -1 \
	}

/* Nothing is asked yet, no manager started.  Call query_fini() in every case. */
must_check int query_init(struct query *a, const struct frame_call *c);
void query_fini(struct query *a);

#define autoquery __attribute__((cleanup(query_fini)))

/*
 * Asks `target` (NULL: dom0) for METHOD+argument (NULL: none).  Returns 0;
 * -EREMOTEIO when it was refused, see query_refused(); or another negative errno.
 */
must_check int query(struct query *a, const char *method, const char *argument,
                     const char *target, struct fault *f);

/* The same with a payload. */
must_check int query_with(struct query *a, const struct client_call *call,
                          struct fault *f);

/*
 * The end of a call that was begun with client_begin() and whose payload has
 * been written: reads the answer, as query() does.
 */
must_check int query_finish(struct query *a, const struct client_call *call,
                            int sock, struct fault *f);

/* The last answer as a text; lasts until the next call. */
const char *query_text(const struct query *a);

/* Was the last call refused with this exception of Qubes? */
bool query_refused(const struct query *a, const char *type);

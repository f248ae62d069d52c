/* SPDX-License-Identifier: Apache-2.0 */
#include "import/tell.h"

#include <sys/socket.h>
#include <time.h>

#define EVERY_MS 100u

static void send_report(const struct tell *t, const struct report *r)
{
	autofree uint8_t *bytes = malloc(REPORT_SIZE_MAX);
	size_t size = bytes ? report_format(r, bytes) : 0;

	/* If nobody listens any more there is nobody to tell. */
	(void)!send(t->fd, bytes, size, MSG_NOSIGNAL);
}

void tell_progress(struct tell *t, enum report_kind kind, uint64_t done,
                   uint64_t of)
{
	struct report r = {.kind = kind, .done = done, .of = of};
	struct timespec now;
	uint64_t ms;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	if (ms - t->last_ms < EVERY_MS)
		return;
	t->last_ms = ms;
	send_report(t, &r);
}

void tell_file(struct tell *t, enum report_kind kind, struct span path,
               const char *text)
{
	struct report r = {
		.kind = kind,
		.path = path,
		.text = span_str(text),
	};

	send_report(t, &r);
}

void tell_end(struct tell *t, int err, const char *text)
{
	struct report r = {
		.kind = err < 0 ? REPORT_FAILED : REPORT_DONE,
		.error = (uint32_t)-err,
		.text = span_str(text),
	};

	send_report(t, &r);
}

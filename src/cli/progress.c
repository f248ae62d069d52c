/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define FIRST_MS 1000u /* what is faster needs no line */
#define NEXT_MS  100u
#define BAR      30u

static uint64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void progress_begin(struct progress *p, const char *doing, const char *what)
{
	*p = (struct progress){.doing = doing, .what = what};
	if (!doing || !isatty(STDERR_FILENO))
		p->doing = NULL;
	p->begun_ms = now_ms();
}

/* Is it time for another line? */
static bool due(const struct progress *p, uint64_t now)
{
	if (!p->doing)
		return false;
	return p->shown_ms ? now - p->shown_ms >= NEXT_MS
	                   : now - p->begun_ms >= FIRST_MS;
}

void progress_show(struct progress *p, uint64_t done, uint64_t all)
{
	static const char full[] = "##############################";
	uint64_t now = now_ms();
	uint64_t part;

	static_assert(sizeof(full) == BAR + 1, "one mark for each place");
	if (!due(p, now))
		return;
	p->shown_ms = now;
	(void)fprintf(stderr, "\r%s%s%s ", p->doing, p->what ? " " : "",
	              p->what ? p->what : "");
	if (all) {
		part = MIN(done, all) / MAX(all / BAR, 1);
		part = MIN(part, BAR);
		(void)fprintf(stderr, "[%.*s%*s] %3u%%", (int)part, full,
		              (int)(BAR - part), "",
		              (unsigned)(100.0 * (double)MIN(done, all) /
		                         (double)all));
	} else {
		(void)fprintf(stderr, "... %llu s",
		              (unsigned long long)(now - p->begun_ms) / 1000);
	}
	(void)fputs("\033[K", stderr);
	(void)fflush(stderr);
}

int progress_patience(const struct progress *p)
{
	if (!p->doing)
		return -1;
	return p->shown_ms ? NEXT_MS : FIRST_MS;
}

void progress_end(struct progress *p)
{
	if (p->shown_ms)
		(void)fputs("\r\033[K", stderr);
	p->doing = NULL;
}

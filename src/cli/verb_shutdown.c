/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento shutdown`, qvm-shutdown: asks qubes to end, and waits for them if told to.
 */
#include <poll.h>
#include <stdio.h>
#include <time.h>

#include "cli/progress.h"
#include "cli/roster.h"
#include "cli/verbs.h"

#define TIMEOUT_S 60u /* Qubes' default */

struct shutdown_options {
	bool all;
	struct option_list exclude;
	bool wait, force, dry_run;
	uint32_t timeout_s;
};

static int set_timeout(void *to, const char *value, struct fault *f)
{
	struct shutdown_options *o = to;

	return options_number(value, 86400, &o->timeout_s, f);
}

static const struct option_row rows[] = {
#define OPTION    OPTIONS_OPTION
#define FLAG(...) OPTIONS_FLAG(struct shutdown_options, __VA_ARGS__)
#define LIST(...) OPTIONS_LIST(struct shutdown_options, __VA_ARGS__)
#include "cli/shutdown.def"
};

static int each(struct query *a, const struct roster_qube *q, void *with,
                struct fault *f)
{
	const struct shutdown_options *o = with;

	if (!roster_is_up(q))
		return o->all || o->wait
		               ? 0
		               : fault_set(f, -ESRCH, "it does not run");
	if (o->dry_run) {
		(void)puts(q->name);
		return 0;
	}
	return query(a, "admin.vm.Shutdown",
	             o->force || o->all ? "force" : NULL, q->name, f);
}

/* Of those in `r`, how many still run; they move to the front. */
static int still_up(struct roster *r, struct query *a, struct fault *f)
{
	autoroster struct roster now = {0};
	size_t up = 0;
	int err = roster_get(&now, a, f);

	for (size_t i = 0; i < r->count && err == 0; i++) {
		const struct roster_qube *q = roster_find(&now,
		                                          r->qube[i].name);

		if (q && roster_is_up(q))
			r->qube[up++] = r->qube[i];
	}
	r->count = err < 0 ? r->count : up;
	return err < 0 ? err : (int)up;
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/*
 * Until none of them runs, or the time is over: 0 or how many are left.  An
 * event, whichever, is the reason to look again.
 */
static int wait_for(struct roster *r, struct query *a, struct client_events *e,
                    int64_t timeout_ms, struct fault *f)
{
	struct pollfd p = {.fd = e->sock, .events = POLLIN};
	int64_t until = now_ms() + timeout_ms;
	struct reply_event event;
	struct progress line;
	int left;

	progress_begin(&line, a->quiet ? NULL : "waiting for",
	               r->count ? r->qube[0].name : NULL);
	while ((left = still_up(r, a, f)) > 0 && now_ms() < until) {
		int patience = progress_patience(&line);
		int64_t rest = until - now_ms();
		int ready;

		if (patience < 0 || rest < patience)
			patience = (int)MAX(rest, 0);
		ready = poll(&p, 1, patience);
		if (ready == 0)
			progress_show(&line, 0, 0);
		if (ready > 0 && client_next(e, &event, f) <= 0) {
			left = fault_set(f, -ECONNRESET, "the manager ended");
			break;
		}
	}
	progress_end(&line);
	return left;
}

/* Those that did not end in time are ended. */
static int kill_rest(const struct roster *r, struct query *a,
                     struct frame_call *c)
{
	int status = EXIT_SUCCESS;

	for (size_t i = 0; i < r->count; i++) {
		struct fault f;

		frame_warn(c, "%s did not end in time: it is killed",
		           r->qube[i].name);
		if (query(a, "admin.vm.Kill", NULL, r->qube[i].name, &f) == 0)
			continue;
		frame_warn(c, "%s: %s", r->qube[i].name, f.text);
		status = FRAME_FAILED;
	}
	return status;
}

static int wait_all(struct shutdown_options *o, struct query *a,
                    struct client_events *e, struct frame_call *c)
{
	autoroster struct roster r = {0};
	int err = roster_get(&r, a, c->fault);

	if (err == 0)
		err = roster_pick(&r, c, o->all, &o->exclude);
	if (err == 0)
		err = wait_for(&r, a, e, (int64_t)o->timeout_s * 1000,
		               c->fault);
	return err > 0 ? kill_rest(&r, a, c) : err;
}

static int go(void *options, struct frame_call *c)
{
	struct shutdown_options *o = options;
	const struct roster_job job = {o->all, &o->exclude, each, o, NULL};
	struct client_events e = {.sock = -1};
	autoquery struct query a = QUERY_NONE;
	int err = query_init(&a, c);
	int status;

	if (o->timeout_s == 0)
		o->timeout_s = TIMEOUT_S;
	o->wait = o->wait && !o->dry_run;
	/* Listen first: nothing that happens from now on is missed. */
	if (err == 0 && o->wait)
		err = client_watch(&a.paths, "dom0", &e, c->fault);
	if (err < 0)
		return err;
	status = roster_each(&job, c);
	if (status == EXIT_SUCCESS && o->wait)
		status = wait_all(o, &a, &e, c);
	client_events_fini(&e);
	return status;
}

int verb_shutdown(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct shutdown_options),
		.min = 0,
		.max = FRAME_ANY,
		.go = go,
	};

	return frame_run(&frame, argv);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A manager with two qubes that run.  Their kernels are the far ends of socket
 * pairs; nothing waits for anything.
 */
#pragma once

#include "base/rights.h"
#include "cmocka_all.h"
#include "manager/bench.h"
#include "manager/census.h"
#include "manager/domain_inside.h"
#include "manager/manager.h"
#include "manager/notices.h"
#include "manager/preload.h"
#include "manager/prompts.h"
#include "manager/property.h"
#include "manager/route.h"
#include "manager/trunk.h"
#include "policy/policy_store.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

struct board {
	struct bench *bench;
	struct manager m;
	char policy[128]; /* its folder */
	struct qube work, mail, late;
	int kernel[2]; /* the far ends of work's and mail's trunks */
	struct trunk *trunk[2];
	struct reactor_watch stop;
	uint64_t ahead; /* number of the streams a kernel has ahead */
	int near[CALLMSG_STREAMS];
};

enum { WORK, MAIL };

static inline void write_policy(struct board *b, const char *text)
{
	char path[160];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/10-test.policy", b->policy);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* A domain as it is before and, with a trunk, when its kernel has been met. */
static inline struct domain *add_domain(struct board *b, const struct qube *q)
{
	struct domain *d;
	struct fault f;

	assert_int_equal(ledger_begin(b->m.ledger, false, &f), 0);
	d = domain_create(&b->m, q);
	ledger_abort(b->m.ledger);
	assert_non_null(d);
	return d;
}

static inline struct trunk *run_domain(struct board *b, struct domain *d,
                                       int *kernel)
{
	struct trunk what = {.id = d->id};
	struct fault f;
	int ends[2];

	memcpy(what.name, d->name, sizeof(what.name));
	memcpy(what.uuid, d->uuid, sizeof(what.uuid));
	assert_int_equal(
		socketpair(AF_UNIX,
	                   SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	                   ends),
		0);
	*kernel = ends[1];
	assert_int_equal(trunk_open(&b->m, &what, ends[0], &d->trunk, &f), 0);
	d->state = DOMAIN_RUNNING;
	census_forget(&b->m);
	return d->trunk;
}

/* What a kernel hears next; its kind. */
static inline uint32_t hear(int kernel, struct control *c,
                            struct control_fds *fds)
{
	assert_int_equal(control_receive(kernel, CONTROL_CLIENT, c, fds), 1);
	return c->kind;
}

static inline void hear_only(int kernel, uint32_t kind, uint64_t id)
{
	struct control_fds fds;
	struct control c;

	assert_int_equal(hear(kernel, &c, &fds), kind);
	assert_int_equal(c.value[0], id);
	assert_int_equal(fds.count, 0);
}

static inline void hear_nothing(int kernel)
{
	struct control_fds fds;
	struct control c;

	assert_int_equal(control_receive(kernel, CONTROL_CLIENT, &c, &fds),
	                 -EAGAIN);
}

static inline void read_all(struct trunk *t)
{
	t->watch.ready(&t->watch, EPOLLIN);
}

/* A kernel asks, with the streams of that number, and the manager reads it. */
static inline void call_with(struct board *b, int from, uint64_t id,
                             uint64_t number, uint64_t flags,
                             const char *service, const char *target)
{
	struct control c = {.kind = CONTROL_call, .value = {id, number, flags}};
	struct callmsg m = {
		.service = span_str(service),
		.target = span_str(target),
	};

	assert_int_equal(callmsg_send(b->kernel[from], &c, &m, NULL), 0);
	read_all(b->trunk[from]);
}

static inline void call(struct board *b, int from, uint64_t id,
                        const char *service, const char *target)
{
	call_with(b, from, id, 0, 0, service, target);
}

static inline int setup(void **state)
{
	struct policy_folders folders = {{NULL}};
	struct board *b = calloc(1, sizeof(*b));
	void *bench;
	struct fault f;

	assert_non_null(b);
	assert_int_equal(bench_setup(&bench), 0);
	b->bench = bench;
	b->work = bench_qube(bench, QUBE_AppVM, "work");
	b->mail = bench_qube(bench, QUBE_AppVM, "mail");
	b->late = bench_qube(bench, QUBE_AppVM, "late");
	b->m.ledger = b->bench->ledger;
	assert_int_equal(ledger_commit(b->m.ledger, &f), 0);
	b->m.runtime = b->bench->folder;
	events_init(&b->m.events);
	list_init(&b->m.trunks);
	list_init(&b->m.services);
	(void)snprintf(b->policy, sizeof(b->policy), "%s/policy.d",
	               b->bench->path);
	assert_int_equal(mkdir(b->policy, 0700), 0);
	folders.path[POLICY_LAYER_CONFIG] = strdup(b->policy);
	assert_int_equal(policy_store_open(&folders, &b->m.policy), 0);
	assert_int_equal(reactor_create(&b->m.reactor, &f), 0);
	assert_int_equal(prompts_create(&b->m, &b->m.prompts, &f), 0);
	assert_int_equal(notices_create(&b->m, &b->m.notices, &f), 0);
	assert_int_equal(domain_create_all(&b->m, &f), 0);
	assert_int_equal(preload_create_all(&b->m, &f), 0);
	b->trunk[WORK] = run_domain(b, add_domain(b, &b->work),
	                            &b->kernel[WORK]);
	b->trunk[MAIL] = run_domain(b, add_domain(b, &b->mail),
	                            &b->kernel[MAIL]);
	hear_only(b->kernel[WORK], CONTROL_calls, 0);
	hear_only(b->kernel[MAIL], CONTROL_calls, 0);
	*state = b;
	return 0;
}

static inline int teardown(void **state)
{
	struct board *b = *state;
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/10-test.policy", b->policy);
	(void)unlink(path);
	(void)rmdir(b->policy);
	preload_destroy_all(&b->m);
	domain_destroy_all(&b->m);
	prompts_destroy(b->m.prompts);
	notices_destroy(b->m.notices);
	policy_store_close(b->m.policy);
	census_forget(&b->m);
	events_fini(&b->m.events);
	reactor_destroy(b->m.reactor);
	(void)unlinkat(b->bench->folder, "qubes", AT_REMOVEDIR);
	close(b->kernel[WORK]);
	close(b->kernel[MAIL]);
	(void)bench_teardown((void **)&b->bench);
	free(b);
	return 0;
}

/* The target serves what the source asked for, and the two are joined. */
static inline void serves(struct board *b, int from, int to, uint64_t id,
                          struct callmsg *out, char **text)
{
	static const uint8_t word[] = "word";
	int ours[CALLMSG_STREAMS], theirs[CALLMSG_STREAMS];
	struct control_fds fds;
	struct control c;
	char got[sizeof(word)];

	assert_int_equal(hear(b->kernel[to], &c, &fds), CONTROL_serve);
	assert_int_equal(callmsg_take(&c, &fds, text, out, theirs), 0);
	assert_int_equal(hear(b->kernel[from], &c, &fds), CONTROL_allowed);
	assert_int_equal(c.value[0], id);
	assert_int_equal(callmsg_take_streams(&fds, 0, ours), 0);
	assert_int_equal(fds.count, c.value[1] ? 8 : 4);
	b->ahead = c.value[1];
	if (b->ahead)
		assert_int_equal(callmsg_take_streams(&fds, 4, b->near), 0);
	for (size_t i = 0; i < CALLMSG_STREAMS; i++) {
		bool up = i == CALLMSG_IN;

		assert_int_equal(
			write(up ? ours[i] : theirs[i], word, sizeof(word)),
			sizeof(word));
		assert_int_equal(
			read(up ? theirs[i] : ours[i], got, sizeof(got)),
			sizeof(word));
	}
	callmsg_close(ours);
	callmsg_close(theirs);
}

/* As the manager has it. */
static inline int prepare(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	rights_allow_many();
	return 0;
}

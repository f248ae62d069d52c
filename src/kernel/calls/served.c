/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/calls/served.h"

#include <string.h>

#include "base/buffer.h"
#include "kernel/calls/callio.h"
#include "kernel/calls/servesock.h"
#include "kernel/fs/hand.h"
#include "kernel/fs/world.h"
#include "kernel/halt.h"
#include "kernel/task/process.h"
#include "qrexec/qrname.h"

#define SESSION    "qubes.WaitForSession+"
#define NAME_SHOWN 100 /* of a service, in the log */

/* What callers may let lie here: of all memory, of that a call's, at each place
 * of a pump.  Buffers of sockets are made of pieces: the least fits a small one,
 * and what is worth while a large one. */
#define LENT_PART   4u
#define LENT_SHARES 4u
#define LENT_PLACES 4u
#define LENT_LEAST  ((size_t)512)
#define LENT_WORTH  ((size_t)64 * 1024)
#define LENT_MOST   ((size_t)208 * 1024)

#define PATH_OF_SERVICES \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static void serve_found(struct served *s);

/* ---- ends ---- */

static void let_go(struct served *s)
{
	callpump_destroy(s->pump);
	s->pump = NULL;
	servesock_drop(s);
	path_put(&s->found.at);
	callmsg_close(s->streams);
}

void served_destroy(struct served *s)
{
	if (s->program.program)
		program_forget(s->program.program);
	let_go(s);
	list_del(&s->link);
	if (s->exit_status == UINT32_MAX)
		s->hub->running_count--;
	else
		s->hub->ended_count--;
	free(s->text);
	free(s);
}

/* Its status is said, and the manager is to hear that it has ended. */
static void end(struct served *s, uint32_t exit_status)
{
	struct callhub *h = s->hub;

	if (s->streams[CALLMSG_STATUS] >= 0)
		callmsg_tell_status(s->streams[CALLMSG_STATUS], exit_status);
	let_go(s);
	s->exit_status = exit_status;
	list_del(&s->link);
	list_add_tail(&h->ended, &s->link);
	h->running_count--;
	h->ended_count++;
	callhub_tell(h);
}

/* It cannot be served.  The caller hears no more than that, the log why. */
static void give_up(struct served *s, const char *why)
{
	struct span service = s->names.service;

	callhub_log(s->hub, s->names.source, "%.*s: %s",
	            (int)MIN(service.size, (size_t)NAME_SHOWN),
	            (const char *)service.at, why);
	end(s, CALLMSG_EXIT_PROBLEM);
}

/* ---- programs ---- */

static void program_ended(struct program_over *o, uint32_t exit_status)
{
	struct served *s = container_of(o, struct served, program);

	if (s->session) {
		/* However it ended: it is only waited for. */
		s->session = false;
		serve_found(s);
		return;
	}
	end(s, exit_status);
}

static void put_variable(struct buffer *b, uint32_t *count, const char *name,
                         struct span value)
{
	buffer_text(b, name);
	buffer_put(b, value.at, value.size);
	buffer_put(b, "", 1);
	++*count;
}

/* What is in the call, and nothing else that begins with QREXEC. */
static void make_environment(const struct served *s, struct buffer *b,
                             struct wire_list *out)
{
	struct span name, argument;
	uint32_t count = 0;

	(void)qrname_split(s->names.service, &name, &argument);
	put_variable(b, &count, "PATH=", span_str(PATH_OF_SERVICES));
	put_variable(b, &count, "QREXEC_REMOTE_DOMAIN=", s->names.source);
	put_variable(b, &count, "QREXEC_SERVICE_FULL_NAME=", s->names.service);
	put_variable(b, &count, "QREXEC_SERVICE_ARGUMENT=", argument);
	*out = (struct wire_list){count, buffer_span(b)};
}

static void make_arguments(const char *path, struct span argument,
                           struct buffer *b, struct wire_list *out)
{
	uint32_t count = 0;

	put_variable(b, &count, path, (struct span){NULL, 0});
	if (argument.size > 0)
		put_variable(b, &count, "", argument);
	*out = (struct wire_list){count, buffer_span(b)};
}

/* Starts a program of the call's; with its streams, or with none. */
static int start(struct served *s, const char *path, struct span argument,
                 bool with_streams, struct fault *f)
{
	autofree uint8_t *to_free_args = NULL, *to_free_env = NULL;
	struct program_streams streams = {{-1, -1, -1}, -1};
	struct buffer args = {0}, env = {0};
	struct job j = {.user = s->names.user};
	struct program_order order = {
		.over = &s->program,
		.job = &j,
		.streams = &streams,
	};

	if (*s->found.config.force_user)
		j.user = span_str(s->found.config.force_user);
	for (int i = 0; with_streams && i < 3; i++) {
		j.stream[i] = JOB_DESCRIPTOR;
		streams.fd[i] = take_fd(&s->streams[CALLMSG_IN + i]);
	}
	make_arguments(path, argument, &args, &j.args);
	make_environment(s, &env, &j.env);
	to_free_args = args.at;
	to_free_env = env.at;
	s->program.ended = program_ended;
	if (args.bad || env.bad) {
		program_close_streams(&streams);
		return fault_set(f, -ENOMEM, "no memory");
	}
	return program_start(s->hub->kernel, &order, &s->hub->root, f);
}

/* If there is something to wait for the user's session with, it is begun. */
static int begin_session(struct served *s)
{
	struct servefind session;
	struct task *hand;
	struct fault f;
	int err = hand_take(s->hub->kernel, &s->hub->root, &hand);

	if (err < 0)
		return err;
	err = servefind_look(hand, span_str(SESSION), &session, &f);
	hand_drop(hand);
	if (err < 0)
		return err;
	path_put(&session.at);
	if (session.kind != SERVEFIND_PROGRAM)
		return -ENOENT;
	s->session = true;
	err = start(s, session.path, (struct span){NULL, 0}, false, &f);
	if (err < 0)
		s->session = false;
	return err;
}

/* ---- sockets ---- */

static void pump_over(void *who, enum callpump_end how)
{
	struct served *s = who;

	switch (how) {
	case CALLPUMP_UNREAD:
		/* Its place is taken as long as its bytes are here. */
		callmsg_tell_status(s->streams[CALLMSG_STATUS], 0);
		base_close(&s->streams[CALLMSG_STATUS]);
		break;
	case CALLPUMP_OVER:
		end(s, 0);
		break;
	case CALLPUMP_NO_MEMORY:
		give_up(s, "no memory");
		break;
	}
}

/*
 * How much may lie in each of the four places of a pump.  A caller has half of
 * what the others leave of the memory for all, and each call of its a part of what
 * its earlier ones leave of that.  Then it is little, but always something.
 */
static size_t share_of(const struct served *s)
{
	uint64_t left = s->hub->kernel->limits.memory / LENT_PART;
	uint64_t own = 0, others = 0;

	list_for_each (at, &s->hub->running) {
		const struct served *o = list_entry(at, struct served, link);

		*(span_eq(o->names.source, s->names.source)
		          ? &own
		          : &others) += o->lent;
	}
	left = (left - MIN(left, others)) / 2;
	left = (left - MIN(left, own)) / (LENT_SHARES * LENT_PLACES);
	return left < LENT_WORTH ? LENT_LEAST : MIN(left, LENT_MOST);
}

/* "SERVICE+ARGUMENT SOURCE", with its NUL. */
static int make_head(const struct served *s, struct buffer *b)
{
	if (s->found.kind == SERVEFIND_TCP ||
	    s->found.config.skip_service_descriptor)
		return 0;
	buffer_put(b, s->names.service.at, s->names.service.size);
	buffer_text(b, " ");
	buffer_put(b, s->names.source.at, s->names.source.size);
	buffer_put(b, "", 1);
	return b->bad ? -ENOMEM : 0;
}

static int begin_pump(struct served *s)
{
	const struct rpcconfig *c = &s->found.config;
	struct callpump_how how = {
		.socket = s->socket,
		.end_with_client = c->exit_on_client_eof,
		.end_with_service = c->exit_on_service_eof,
		.over = pump_over,
		.who = s,
	};
	autofree uint8_t *to_free = NULL;
	struct buffer head = {0};
	int err = make_head(s, &head);

	to_free = head.at;
	if (err < 0)
		return err;
	how.head = buffer_span(&head);
	how.most = share_of(s);
	s->lent = how.most * LENT_PLACES;
	how.in = take_fd(&s->streams[CALLMSG_IN]);
	how.out = take_fd(&s->streams[CALLMSG_OUT]);
	s->socket = NULL;
	base_close(&s->streams[CALLMSG_ERRORS]);
	s->pump = callpump_create(s->hub->kernel, &how);
	return s->pump ? 0 : -ENOMEM;
}

static void serve_socket(struct served *s)
{
	int err = servesock_connect(s);

	if (err == -EAGAIN)
		return; /* called again once there is room */
	if (err == 0)
		err = begin_pump(s);
	if (err < 0)
		give_up(s, strerror(-err));
}

static void again(struct soon *soon)
{
	serve_socket(container_of(soon, struct served, again));
}

/* ---- beginning ---- */

static void serve_found(struct served *s)
{
	struct span name, argument;
	struct fault f;

	if (s->found.kind != SERVEFIND_PROGRAM) {
		serve_socket(s);
		return;
	}
	(void)qrname_split(s->names.service, &name, &argument);
	if (start(s, s->found.path, argument, true, &f) < 0)
		give_up(s, f.text);
}

/* No more than half of our descriptors are for these. */
static uint32_t all_places(const struct kernel *k)
{
	uint32_t most = CALLHUB_SERVED_MAX;

	if (k->world)
		most = MIN(most, (uint32_t)k->world->fd_limit /
		                         (2 * CALLMSG_STREAMS));
	return most;
}

/*
 * To each caller half of what the others leave: one that takes all it can get
 * does not keep others out, nor do two.
 */
static bool has_place(const struct served *s)
{
	uint32_t all = all_places(s->hub->kernel);
	uint32_t own = 0, others;

	list_for_each (at, &s->hub->running)
		own += span_eq(
			list_entry(at, struct served, link)->names.source,
			s->names.source);
	others = s->hub->running_count - own;
	return others < all && own <= (all - others + 1) / 2;
}

static int find(struct served *s, struct fault *f)
{
	struct kernel *k = s->hub->kernel;
	struct task *hand;
	int err;

	if (k->paused || k->halt)
		return fault_set(f, -EBUSY, "the qube is paused, or ends");
	if (!has_place(s))
		return fault_set(f, -EBUSY, "too many calls at once");
	if (!callhub_has_room(k, s->streams, CALLMSG_STREAMS))
		return fault_set(f, -ENFILE, "too many open files");
	err = hand_take(k, &s->hub->root, &hand);
	if (err < 0)
		return fault_set(f, -EIO, "no hand: %s", strerror(-err));
	err = servefind_look(hand, s->names.service, &s->found, f);
	hand_drop(hand);
	return err;
}

static struct served *create(struct callhub *h, uint64_t id)
{
	struct served *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->hub = h;
	s->id = id;
	s->exit_status = UINT32_MAX;
	s->again.run = again;
	list_init(&s->again.link);
	list_init(&s->room.link);
	for (size_t i = 0; i < CALLMSG_STREAMS; i++)
		s->streams[i] = -1;
	list_add_tail(&h->running, &s->link);
	h->running_count++;
	return s;
}

void served_begin(struct callhub *h, const struct control *c,
                  struct control_fds *fds)
{
	struct served *s = create(h, c->value[0]);
	struct fault f;
	int err;

	if (!s)
		return;
	s->flags = (uint32_t)c->value[1] & CALLMSG_FLAGS;
	err = callmsg_take(c, fds, &s->text, &s->names, s->streams);
	if (err < 0)
		err = fault_set(&f, -EPROTO, "what the manager says: %s",
		                strerror(-err));
	else
		err = find(s, &f);
	if (err == -ENOENT) {
		end(s, CALLMSG_EXIT_NO_SERVICE);
		return;
	}
	if (err < 0) {
		give_up(s, f.text);
		return;
	}
	if (s->found.config.wait_for_session && !(s->flags & CALLMSG_NOGUI) &&
	    begin_session(s) == 0)
		return;
	serve_found(s);
}

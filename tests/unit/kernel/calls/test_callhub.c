/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls in one kernel: the test is its programs, and its manager.
 */
#include "kernel/calls/callhub.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "channel/agent.h"
#include "kernel/calls/callio.h"
#include "kernel/net/sockets.h"

/* The host's, whose header does not go with the guest's numbers. */
int socketpair(int family, int type, int protocol, int fd[2]);

#define RLIMIT_FILES 7

struct bed {
	struct testbed *t;
	int manager;
};

/* The host's. */
int getrlimit(int which, abi_rlimit *out);
int setrlimit(int which, const abi_rlimit *to);

/* As many as the host gives. */
static void more_descriptors(void)
{
	abi_rlimit files;

	assert_int_equal(getrlimit(RLIMIT_FILES, &files), 0);
	files.cur = files.max;
	assert_int_equal(setrlimit(RLIMIT_FILES, &files), 0);
}

static void turn(struct bed *b)
{
	struct kernel *k = &b->t->kernel;
	int quiet = 0;

	while (quiet < 2) {
		bool ran = loop_run_soon(&k->loop);

		ran |= loop_wait(&k->loop, 0) > 0;
		quiet = ran ? 0 : quiet + 1;
	}
}

/* A new manager takes the place of the old one. */
static void connect_manager(struct bed *b)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	base_close(&b->manager);
	b->manager = fd[0];
	callhub_connect(&b->t->kernel, fd[1]);
	turn(b);
}

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	b->t = testbed_create(0);
	b->t->kernel.lasts = true;
	b->manager = -1;
	assert_int_equal(testbed_call(b->t, __NR_mkdir, "/run", 0755), 0);
	assert_int_equal(testbed_call(b->t, __NR_mkdir, "/etc", 0755), 0);
	assert_int_equal(testbed_call(b->t, __NR_mkdir, "/etc/qubes-rpc", 0755),
	                 0);
	assert_int_equal(callhub_create(&b->t->kernel, &b->t->root), 0);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	callhub_destroy(&b->t->kernel);
	base_close(&b->manager);
	testbed_destroy(b->t);
	free(b);
	return 0;
}

/* What the manager hears: its kind, 0 for the end, -EAGAIN for nothing. */
static int hear(struct bed *b, struct control *c)
{
	struct control_fds fds;
	int got;

	turn(b);
	got = control_receive(b->manager, CONTROL_KERNEL, c, &fds);
	if (got <= 0)
		return got;
	control_close(&fds);
	return (int)c->kind;
}

static void say(struct bed *b, uint32_t kind, uint64_t id, const int *fds,
                uint32_t count)
{
	struct control c = {.kind = kind, .value = {id}};

	assert_int_equal(control_send(b->manager, &c, fds, count), 0);
	turn(b);
}

static struct sockname path_name_of(const char *path)
{
	struct sockname n;

	sockname_clear(&n, AF_UNIX, sizeof(n.un));
	(void)snprintf(n.un.sun_path, sizeof(n.un.sun_path), "%s", path);
	return n;
}

static int enter(struct bed *b)
{
	struct sockname n = path_name_of(AGENT_SOCKET);
	int fd = make(b->t, AF_UNIX, SOCK_STREAM);

	assert_int_equal(testbed_call(b->t, __NR_connect, fd, n.bytes, n.size),
	                 0);
	return fd;
}

/* A request as a program writes it. */
struct wire_request {
	uint8_t bytes[400];
	size_t size;
};

static struct wire_request request(const char *target, const char *ident,
                                   const char *service)
{
	struct wire_request r = {{0},
	                         AGENT_HEADER_SIZE + AGENT_NAME_SIZE +
	                                 AGENT_IDENT_SIZE + strlen(service) +
	                                 1};

	r.bytes[0] = 0x12;
	r.bytes[1] = 0x02;
	r.bytes[4] = (uint8_t)(r.size - AGENT_HEADER_SIZE);
	r.bytes[5] = (uint8_t)((r.size - AGENT_HEADER_SIZE) >> 8);
	memcpy(r.bytes + 8, target, strlen(target));
	memcpy(r.bytes + 72, ident, strlen(ident));
	memcpy(r.bytes + 104, service, strlen(service));
	return r;
}

static void put_bytes(struct bed *b, int fd, const uint8_t *at, size_t size)
{
	assert_int_equal(testbed_call(b->t, __NR_write, fd, at, size), size);
	turn(b);
}

static int ask(struct bed *b, const char *target, const char *service)
{
	struct wire_request r = request(target, "SOCKET 1", service);
	int fd = enter(b);

	put_bytes(b, fd, r.bytes, r.size);
	return fd;
}

static void is_refused(struct bed *b, int fd)
{
	char got[256];

	assert_int_equal(get(b->t, fd, got, MSG_DONTWAIT), AGENT_ANSWER_SIZE);
	assert_int_equal((uint8_t)got[0], 0x03);
	assert_int_equal(got[1], 0x02);
	assert_string_equal(got + AGENT_HEADER_SIZE, "SOCKET 1");
	assert_int_equal(get(b->t, fd, got, MSG_DONTWAIT), 0);
}

/* The status goes from us to the program, or the other way. */
static void streams(bool served, int ours[CALLMSG_STREAMS],
                    int theirs[CALLMSG_STREAMS])
{
	for (size_t i = 0; i < CALLMSG_STREAMS; i++) {
		int fd[2];

		assert_int_equal(
			i < CALLMSG_ERRORS
				? socketpair(AF_UNIX, SOCK_STREAM, 0, fd)
				: pipe2(fd, O_CLOEXEC),
			0);
		ours[i] = fd[!served];
		theirs[i] = fd[served];
	}
}

static void a_call_is_told_and_refused(void **state)
{
	struct bed *b = *state;
	struct control c;
	int fd;

	connect_manager(b);
	assert_int_equal(hear(b, &c), CONTROL_serving);
	fd = ask(b, "work", "test.A+b c/d");
	assert_int_equal(hear(b, &c), CONTROL_call);
	assert_string_equal(c.text, "test.A+b_c_d work  ");
	say(b, CONTROL_refused, c.value[0] + 1, NULL, 0);
	say(b, CONTROL_refused, c.value[0], NULL, 0);
	is_refused(b, fd);
	assert_int_equal(hear(b, &c), -EAGAIN);
}

/* In whatever pieces it comes, and with what lies behind it. */
static void a_request_may_come_in_pieces(void **state)
{
	struct bed *b = *state;
	struct wire_request r = request("", "SOCKET 1", "test.A");
	struct control c;
	int fd;

	connect_manager(b);
	assert_int_equal(hear(b, &c), CONTROL_serving);
	fd = enter(b);
	for (size_t i = 0; i < r.size; i++) {
		assert_int_equal(hear(b, &c), -EAGAIN);
		put_bytes(b, fd, r.bytes + i, 1);
	}
	assert_int_equal(hear(b, &c), CONTROL_call);
	assert_string_equal(c.text, "test.A+ @default  ");
	put_bytes(b, fd, r.bytes, r.size);
	assert_int_equal(hear(b, &c), -EAGAIN);
}

static void the_streams_are_handed_over(void **state)
{
	struct bed *b = *state;
	int ours[CALLMSG_STREAMS], theirs[CALLMSG_STREAMS];
	int32_t got[CALLMSG_STREAMS];
	uint8_t control[CMSG_HEAD + sizeof(got)], bytes[64];
	abi_iovec iov = {(uint64_t)(uintptr_t)bytes, sizeof(bytes)};
	abi_msghdr msg = {
		.iov = (uint64_t)(uintptr_t)&iov,
		.iov_count = 1,
		.control = (uint64_t)(uintptr_t)control,
		.control_size = sizeof(control),
	};
	struct control c;
	int fd;

	connect_manager(b);
	assert_int_equal(hear(b, &c), CONTROL_serving);
	fd = ask(b, "work", "test.A");
	assert_int_equal(hear(b, &c), CONTROL_call);
	streams(false, ours, theirs);
	say(b, CONTROL_allowed, c.value[0], theirs, CALLMSG_STREAMS);
	callmsg_close(theirs);
	assert_int_equal(testbed_call(b->t, __NR_recvmsg, fd, &msg, 0),
	                 AGENT_ANSWER_SIZE);
	assert_int_equal(bytes[3], AGENT_ALLOWED >> 24);
	memcpy(got, control + CMSG_HEAD, sizeof(got));
	assert_int_equal(put(b->t, got[AGENT_IN], "to it"), 5);
	assert_int_equal(callio_receive(ours[CALLMSG_IN], bytes, 64), 5);
	assert_int_equal(
		testbed_call(b->t, __NR_write, got[AGENT_IN], "to it", 5), 5);
	assert_int_equal(callio_receive(ours[CALLMSG_IN], bytes, 64), 5);
	callio_status(ours[CALLMSG_STATUS], 7);
	assert_int_equal(
		testbed_call(b->t, __NR_read, got[AGENT_STATUS], bytes, 64), 4);
	assert_int_equal(bytes[0], 7);
	/* Each direction ends by itself. */
	assert_int_equal(shut(b->t, got[AGENT_IN]), 0);
	turn(b);
	assert_int_equal(callio_receive(ours[CALLMSG_IN], bytes, 64), 0);
	assert_int_equal(callio_send(ours[CALLMSG_OUT], "back", 4), 4);
	assert_int_equal(
		testbed_call(b->t, __NR_read, got[AGENT_OUT], bytes, 64), 4);
	callmsg_close(ours);
}

static void who_goes_away_wants_no_answer(void **state)
{
	struct bed *b = *state;
	int ours[CALLMSG_STREAMS], theirs[CALLMSG_STREAMS];
	struct control c;
	uint64_t id;
	uint8_t byte;
	int fd;

	connect_manager(b);
	assert_int_equal(hear(b, &c), CONTROL_serving);
	fd = ask(b, "work", "test.A");
	assert_int_equal(hear(b, &c), CONTROL_call);
	id = c.value[0];
	assert_int_equal(shut(b->t, fd), 0);
	assert_int_equal(hear(b, &c), CONTROL_gone);
	assert_int_equal(c.value[0], id);
	streams(false, ours, theirs);
	say(b, CONTROL_allowed, id, theirs, CALLMSG_STREAMS);
	callmsg_close(theirs);
	assert_int_equal(callio_receive(ours[CALLMSG_OUT], &byte, 1), 0);
	callmsg_close(ours);
	assert_int_equal(b->t->kernel.callhub->asked_count, 0);
}

static void a_new_manager_hears_what_waits(void **state)
{
	struct bed *b = *state;
	struct control c;
	uint64_t id;
	int fd;

	fd = ask(b, "work", "test.A");
	connect_manager(b);
	assert_int_equal(hear(b, &c), CONTROL_serving);
	assert_int_equal(hear(b, &c), CONTROL_call);
	id = c.value[0];
	connect_manager(b);
	assert_int_equal(hear(b, &c), CONTROL_serving);
	assert_int_equal(hear(b, &c), CONTROL_call);
	assert_int_equal(c.value[0], id);
	say(b, CONTROL_refused, id, NULL, 0);
	is_refused(b, fd);
}

static void a_qube_without_manager_calls_nobody(void **state)
{
	struct bed *b = *state;
	int fd;

	b->t->kernel.lasts = false;
	fd = ask(b, "work", "test.A");
	is_refused(b, fd);
}

static void garbage_ends_the_connection(void **state)
{
	struct bed *b = *state;
	struct control c;

	connect_manager(b);
	assert_int_equal(hear(b, &c), CONTROL_serving);
	for (int kind = 0; kind < 8; kind++) {
		struct wire_request r = request("work", "SOCKET 1", "test.A");
		int fd = enter(b);
		char got[256];

		switch (kind) {
		case 0: /* another message */
			r.bytes[1] = 3;
			break;
		case 1: /* larger than any */
			r.bytes[6] = 2;
			break;
		case 2: /* smaller than any */
			r.bytes[4] = 8;
			break;
		case 3: /* something behind the NUL of a name */
			r.bytes[8 + 63] = 'x';
			break;
		case 4: /* an ident of something else */
			r.bytes[72] = '/';
			break;
		case 5: /* a target that is a path */
			r.bytes[8] = '/';
			break;
		case 6: /* a NUL in the service */
			r.bytes[106] = 0;
			break;
		default: /* a service that is an argument */
			r.bytes[104] = '+';
			break;
		}
		put_bytes(b, fd, r.bytes, r.size);
		if (hear(b, &c) != -EAGAIN)
			fail_msg("kind %d is told", kind);
		/* What was left unread resets it, as Linux does. */
		if (get(b->t, fd, got, MSG_DONTWAIT) > 0)
			fail_msg("kind %d is answered", kind);
	}
	assert_int_equal(b->t->kernel.callhub->asked_count, 0);
}

#define UNTOLD 1000 /* the number of a call whose end nobody wants to hear */

/* Serves `service` to `source`; the manager's ends are in `ours`. */
static void serve_to(struct bed *b, const char *source, const char *service,
                     uint64_t id, int ours[CALLMSG_STREAMS])
{
	struct control c = {
		.kind = CONTROL_serve,
		.value = {id, id == UNTOLD ? 0 : CALLMSG_TELL},
	};
	struct callmsg m = {.service = span_str(service),
	                    .target = span_str("here"),
	                    .source = span_str(source)};
	int theirs[CALLMSG_STREAMS];

	streams(true, ours, theirs);
	assert_int_equal(callmsg_send(b->manager, &c, &m, theirs), 0);
	callmsg_close(theirs);
	turn(b);
}

static void serve(struct bed *b, const char *service, uint64_t id,
                  int ours[CALLMSG_STREAMS])
{
	serve_to(b, "work", service, id, ours);
}

static void is_over(struct bed *b, uint64_t id, int status,
                    int ours[CALLMSG_STREAMS])
{
	uint8_t bytes[8];
	struct control c;

	assert_int_equal(hear(b, &c), CONTROL_over);
	assert_int_equal(c.value[0], id);
	assert_int_equal(c.value[1], status);
	assert_int_equal(c.value[2], 0);
	assert_int_equal(read(ours[CALLMSG_STATUS], bytes, 8), 4);
	assert_int_equal(bytes[0], status);
	assert_int_equal(read(ours[CALLMSG_STATUS], bytes, 8), 0);
	assert_int_equal(callio_receive(ours[CALLMSG_OUT], bytes, 8), 0);
	callmsg_close(ours);
}

static void what_is_not_there_is_127(void **state)
{
	struct bed *b = *state;
	int ours[CALLMSG_STREAMS];
	struct control c;

	connect_manager(b);
	assert_int_equal(hear(b, &c), CONTROL_serving);
	serve(b, "test.None+a", 41, ours);
	is_over(b, 41, 127, ours);
	assert_int_equal(
		testbed_call(b->t, __NR_mkdir, "/etc/qubes-rpc/test.Dir", 0755),
		0);
	serve(b, "test.Dir+", 42, ours);
	is_over(b, 42, 125, ours);
}

static int listen_for(struct bed *b, const char *path, int backlog)
{
	struct sockname n = path_name_of(path);
	int fd = make(b->t, AF_UNIX, SOCK_STREAM);

	assert_int_equal(testbed_call(b->t, __NR_bind, fd, n.bytes, n.size), 0);
	assert_int_equal(testbed_call(b->t, __NR_listen, fd, backlog), 0);
	return fd;
}

static int listen_at(struct bed *b, const char *path)
{
	return listen_for(b, path, 8);
}

static void an_end_is_told_only_to_who_wants_it(void **state)
{
	struct bed *b = *state;
	int ours[CALLMSG_STREAMS];
	struct control c;
	uint8_t bytes[8];

	connect_manager(b);
	assert_int_equal(hear(b, &c), CONTROL_serving);
	serve(b, "test.None+", UNTOLD, ours);
	assert_int_equal(read(ours[CALLMSG_STATUS], bytes, 8), 4);
	callmsg_close(ours);
	assert_true(list_empty(&b->t->kernel.callhub->ended));
	serve(b, "test.None+", 7, ours);
	is_over(b, 7, CALLMSG_EXIT_NO_SERVICE, ours);
}

static int accept_one(struct bed *b, int listener)
{
	long fd = testbed_call(b->t, __NR_accept4, listener, 0, 0, 0);

	assert_true(fd >= 0);
	return (int)fd;
}

/* A call to a socket, joined: the service's end. */
static int join(struct bed *b, int ours[CALLMSG_STREAMS])
{
	struct control c;
	char head[256];
	int fd;

	connect_manager(b);
	assert_int_equal(hear(b, &c), CONTROL_serving);
	fd = listen_at(b, "/etc/qubes-rpc/test.Sock");
	serve(b, "test.Sock+", 9, ours);
	fd = accept_one(b, fd);
	assert_int_equal(get(b->t, fd, head, MSG_DONTWAIT),
	                 sizeof("test.Sock+ work"));
	return fd;
}

static void a_socket_is_connected_both_ways(void **state)
{
	static const char head[] = "test.Sock+a work";
	struct bed *b = *state;
	int ours[CALLMSG_STREAMS], listener, fd;
	struct control c;
	char got[256];

	connect_manager(b);
	assert_int_equal(hear(b, &c), CONTROL_serving);
	listener = listen_at(b, "/etc/qubes-rpc/test.Sock");
	serve(b, "test.Sock+a", 9, ours);
	fd = accept_one(b, listener);
	assert_int_equal(get(b->t, fd, got, MSG_DONTWAIT), sizeof(head));
	assert_string_equal(got, head);
	assert_int_equal(callio_send(ours[CALLMSG_IN], "ask", 3), 3);
	turn(b);
	expect(b->t, fd, "ask");
	assert_int_equal(put(b->t, fd, "answer"), 6);
	turn(b);
	assert_int_equal(callio_receive(ours[CALLMSG_OUT], got, 255), 6);

	/* The client has said all; the service has not. */
	base_close(&ours[CALLMSG_IN]);
	turn(b);
	assert_int_equal(get(b->t, fd, got, MSG_DONTWAIT), 0);
	assert_int_equal(put(b->t, fd, "more"), 4);
	turn(b);
	assert_int_equal(callio_receive(ours[CALLMSG_OUT], got, 255), 4);
	assert_int_equal(hear(b, &c), -EAGAIN);
	assert_int_equal(shut(b->t, fd), 0);
	is_over(b, 9, 0, ours);
}

/* A service that accepts one after the other has all of its calls. */
static void who_waits_for_room_is_served(void **state)
{
	enum { CALLS = 4 };
	struct bed *b = *state;
	int ours[CALLS][CALLMSG_STREAMS], fd[CALLS], listener;
	struct control c;
	char got[256];

	connect_manager(b);
	assert_int_equal(hear(b, &c), CONTROL_serving);
	listener = listen_for(b, "/etc/qubes-rpc/test.Sock", 0);
	for (int i = 0; i < CALLS; i++)
		serve(b, "test.Sock+", 50 + (uint64_t)i, ours[i]);
	for (int i = 0; i < CALLS; i++) {
		fd[i] = accept_one(b, listener);
		assert_int_equal(hear(b, &c), -EAGAIN);
	}
	for (int i = 0; i < CALLS; i++) {
		assert_int_equal(callio_send(ours[i][CALLMSG_IN], "x", 1), 1);
		turn(b);
		assert_int_equal(get(b->t, fd[i], got, MSG_DONTWAIT),
		                 sizeof("test.Sock+ work") + 1);
		callmsg_close(ours[i]);
	}
}

/* Much more than all buffers on the way hold, and nobody reads at first. */
static void neither_side_is_read_faster_than_the_other_reads(void **state)
{
	static uint8_t chunk[65536], back[65536];
	struct bed *b = *state;
	int ours[CALLMSG_STREAMS], fd = join(b, ours);
	size_t sent = 0, got = 0;
	struct control c;
	long n;

	for (;;) {
		for (size_t i = 0; i < sizeof(chunk); i++)
			chunk[i] = (uint8_t)((sent + i) * 7 + (sent + i) / 251);
		n = callio_send(ours[CALLMSG_IN], chunk, sizeof(chunk));
		if (n < 0)
			break;
		sent += (size_t)n;
		turn(b);
		assert_true(sent < 8u << 20);
	}
	assert_int_equal(n, -EAGAIN);
	while (got < sent) {
		n = testbed_call(b->t, __NR_recvfrom, fd, back, sizeof(back),
		                 MSG_DONTWAIT);
		assert_true(n > 0);
		for (size_t i = 0; i < (size_t)n; i++)
			if (back[i] !=
			    (uint8_t)((got + i) * 7 + (got + i) / 251))
				fail_msg("wrong at %zu", got + i);
		got += (size_t)n;
		turn(b);
	}
	/* And the other way. */
	for (sent = 0;;) {
		n = testbed_call(b->t, __NR_sendto, fd, back, sizeof(back),
		                 MSG_DONTWAIT);
		if (n < 0)
			break;
		sent += (size_t)n;
		turn(b);
		assert_true(sent < 8u << 20);
	}
	assert_int_equal(n, -EAGAIN);
	for (got = 0; got < sent; got += (size_t)n) {
		n = callio_receive(ours[CALLMSG_OUT], back, sizeof(back));
		assert_true(n > 0);
		turn(b);
	}
	/* The client leaves altogether: so does the service's connection. */
	base_close(&ours[CALLMSG_IN]);
	base_close(&ours[CALLMSG_OUT]);
	ours[CALLMSG_IN] = ours[CALLMSG_OUT] = -1;
	turn(b);
	assert_int_equal(hear(b, &c), CONTROL_over);
	callmsg_close(ours);
}

/* -1 if it is over at once, with 125; else what it goes on with. */
static int begin(struct bed *b, const char *source)
{
	int ours[CALLMSG_STREAMS], in = -1;
	struct control c;
	uint8_t bytes[4];

	serve_to(b, source, "test.Sock+", 7, ours);
	if (hear(b, &c) == -EAGAIN)
		in = take_fd(&ours[CALLMSG_IN]);
	else if (read(ours[CALLMSG_STATUS], bytes, 4) != 4 ||
	         bytes[0] != CALLMSG_EXIT_PROBLEM)
		fail_msg("it has ended with %d", bytes[0]);
	callmsg_close(ours);
	return in;
}

/* As many calls as it gets, which go on. */
static uint32_t begin_all(struct bed *b, const char *source, int held[])
{
	uint32_t count = 0;

	while ((held[count] = begin(b, source)) >= 0)
		count++;
	return count;
}

/* Who lets calls wait as long as it can leaves places for others. */
static void one_caller_does_not_keep_others_out(void **state)
{
	static int held[CALLHUB_SERVED_MAX + 1];
	struct bed *b = *state;
	uint32_t count;
	struct control c;

	more_descriptors();
	connect_manager(b);
	assert_int_equal(hear(b, &c), CONTROL_serving);
	(void)listen_at(b, "/etc/qubes-rpc/test.Sock");
	count = begin_all(b, "bad", held);
	assert_true(count >= 200);
	count += begin_all(b, "worse", held + count);
	assert_true(count < CALLHUB_SERVED_MAX - 100);
	for (int i = 0; i < 100; i++) {
		held[count] = begin(b, "good");
		assert_true(held[count++] >= 0);
	}
	assert_int_equal(begin(b, "bad"), -1);
	while (count > 0)
		close(held[--count]);
}

/* As much as goes on its way to the service, and to the caller. */
static void fill(struct bed *b, int in, int fd)
{
	static uint8_t chunk[65536];
	bool more = true;

	while (more) {
		more = callio_send(in, chunk, sizeof(chunk)) > 0;
		more |= testbed_call(b->t, __NR_sendto, fd, chunk,
		                     sizeof(chunk), MSG_DONTWAIT) > 0;
		turn(b);
	}
}

/* What callers let lie is a part of the memory, and others have room. */
static void what_lies_in_a_qube_is_little_of_it(void **state)
{
	enum { MEMORY = 32 << 20, BIG = 100000 };
	static int in[CALLHUB_SERVED_MAX + 1], out[CALLHUB_SERVED_MAX + 1];
	static uint8_t big[BIG], back[BIG];
	struct bed *b = *state;
	struct limits *l = &b->t->kernel.limits;
	int ours[CALLMSG_STREAMS], listener, fd, count;
	struct control c;
	uint64_t before;

	more_descriptors();
	b->t->process->rlimit[RLIMIT_FILES] = (abi_rlimit){20000, 20000};
	connect_manager(b);
	assert_int_equal(hear(b, &c), CONTROL_serving);
	listener = listen_at(b, "/etc/qubes-rpc/test.Sock");
	before = l->memory_used;
	l->memory = before + MEMORY;
	for (count = 0; count < 300; count++) {
		serve_to(b, "bad", "test.Sock+", 7, ours);
		in[count] = take_fd(&ours[CALLMSG_IN]);
		out[count] = take_fd(&ours[CALLMSG_OUT]);
		callmsg_close(ours);
		fd = accept_one(b, listener);
		fill(b, in[count], fd);
		assert_int_equal(hear(b, &c), -EAGAIN);
	}
	assert_true(l->memory_used - before > MEMORY / 32);
	assert_true(l->memory_used - before < MEMORY / 4);

	/* One that comes to all that. */
	serve_to(b, "good", "test.Sock+", 8, ours);
	fd = accept_one(b, listener);
	assert_int_equal(callio_send(ours[CALLMSG_IN], big, BIG), BIG);
	turn(b);
	assert_true(testbed_call(b->t, __NR_recvfrom, fd, back, BIG,
	                         MSG_DONTWAIT) >= BIG / 2);
	callmsg_close(ours);
	while (count-- > 0) {
		close(in[count]);
		close(out[count]);
	}
}

/* A call has its place as long as its bytes are there, but not its caller. */
static void what_is_not_read_is_not_over(void **state)
{
	struct bed *b = *state;
	int ours[CALLMSG_STREAMS], fd = join(b, ours);
	uint8_t bytes[8];
	char got[256];
	struct control c;

	assert_int_equal(callio_send(ours[CALLMSG_IN], "x", 1), 1);
	base_close(&ours[CALLMSG_IN]);
	base_close(&ours[CALLMSG_OUT]);
	turn(b);
	assert_int_equal(read(ours[CALLMSG_STATUS], bytes, 8), 4);
	assert_int_equal(bytes[0], 0);
	assert_int_equal(hear(b, &c), -EAGAIN);
	assert_int_equal(get(b->t, fd, got, MSG_DONTWAIT), 1);
	assert_int_equal(hear(b, &c), CONTROL_over);
	callmsg_close(ours);
}

/* MSG_WAITALL makes as much room as it asks for. */
static void a_service_waits_for_all(void **state)
{
	enum { BIG = 600000 };
	static uint8_t big[BIG], back[BIG];
	struct bed *b = *state;
	int ours[CALLMSG_STREAMS], fd = join(b, ours);
	long n, sent = 0, got;

	got = testbed_call(b->t, __NR_recvfrom, fd, back, BIG, MSG_WAITALL);
	while (sent < BIG) {
		assert_int_equal(got, -EWAIT);
		n = callio_send(ours[CALLMSG_IN], big, (size_t)(BIG - sent));
		assert_true(n > 0);
		sent += n;
		turn(b);
		got = testbed_finish(b->t->task);
	}
	assert_int_equal(got, BIG);
	callmsg_close(ours);
}

static void many_connections_cost_little(void **state)
{
	struct bed *b = *state;
	struct control c;
	uint32_t calls = 0;
	int fd = -1, kind;

	connect_manager(b);
	assert_int_equal(hear(b, &c), CONTROL_serving);
	b->t->process->rlimit[RLIMIT_FILES] = (abi_rlimit){20000, 20000};
	/* None of these says anything: the oldest make room for new ones. */
	for (size_t i = 0; i < 2 * CALLHUB_ASKED_MAX; i++) {
		fd = enter(b);
		if (i % 64 == 0)
			turn(b);
		if (b->t->kernel.callhub->asked_count > CALLHUB_ASKED_MAX)
			fail_msg("%zu connections", i);
	}
	/* One that does is heard. */
	fd = ask(b, "work", "test.A");
	while ((kind = hear(b, &c)) != -EAGAIN)
		calls += kind == CONTROL_call;
	assert_int_equal(calls, 1);
	say(b, CONTROL_refused, c.value[0], NULL, 0);
	is_refused(b, fd);
}

int main(void)
{
	/* As the kernel has it. */
	(void)signal(SIGPIPE, SIG_IGN);
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_call_is_told_and_refused),
		TEST(a_request_may_come_in_pieces),
		TEST(the_streams_are_handed_over),
		TEST(who_goes_away_wants_no_answer),
		TEST(a_new_manager_hears_what_waits),
		TEST(a_qube_without_manager_calls_nobody),
		TEST(garbage_ends_the_connection),
		TEST(what_is_not_there_is_127),
		TEST(an_end_is_told_only_to_who_wants_it),
		TEST(a_socket_is_connected_both_ways),
		TEST(who_waits_for_room_is_served),
		TEST(neither_side_is_read_faster_than_the_other_reads),
		TEST(one_caller_does_not_keep_others_out),
		TEST(what_lies_in_a_qube_is_little_of_it),
		TEST(what_is_not_read_is_not_over),
		TEST(a_service_waits_for_all),
		TEST(many_connections_cost_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

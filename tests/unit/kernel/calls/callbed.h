/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls in one kernel: the test is its programs, and its manager.
 */
#pragma once

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

static inline void turn(struct bed *b)
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
static inline void connect_manager(struct bed *b)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	base_close(&b->manager);
	b->manager = fd[0];
	callhub_connect(&b->t->kernel, fd[1]);
	turn(b);
}

static inline int setup(void **state)
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

static inline int teardown(void **state)
{
	struct bed *b = *state;

	callhub_destroy(&b->t->kernel);
	base_close(&b->manager);
	testbed_destroy(b->t);
	free(b);
	return 0;
}

/* What the manager hears: its kind, 0 for the end, -EAGAIN for nothing. */
static inline int hear(struct bed *b, struct control *c)
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

static inline void say(struct bed *b, uint32_t kind, uint64_t id,
                       const int *fds, uint32_t count)
{
	struct control c = {.kind = kind, .value = {id}};

	assert_int_equal(control_send(b->manager, &c, fds, count), 0);
	turn(b);
}

/* The same with another value, and streams. */
static inline void say_more(struct bed *b, uint32_t kind, uint64_t id,
                            uint64_t more, const int streams[CALLMSG_STREAMS])
{
	struct control c = {.kind = kind, .value = {id, more}};

	assert_int_equal(control_send(b->manager, &c, streams, CALLMSG_STREAMS),
	                 0);
	turn(b);
}

static inline struct sockname path_name_of(const char *path)
{
	struct sockname n;

	sockname_clear(&n, AF_UNIX, sizeof(n.un));
	(void)snprintf(n.un.sun_path, sizeof(n.un.sun_path), "%s", path);
	return n;
}

static inline int enter(struct bed *b)
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

static inline struct wire_request request(const char *target, const char *ident,
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

static inline void put_bytes(struct bed *b, int fd, const uint8_t *at,
                             size_t size)
{
	assert_int_equal(testbed_call(b->t, __NR_write, fd, at, size), size);
	turn(b);
}

static inline int ask(struct bed *b, const char *target, const char *service)
{
	struct wire_request r = request(target, "SOCKET 1", service);
	int fd = enter(b);

	put_bytes(b, fd, r.bytes, r.size);
	return fd;
}

static inline void is_refused(struct bed *b, int fd)
{
	char got[256];

	assert_int_equal(get(b->t, fd, got, MSG_DONTWAIT), AGENT_ANSWER_SIZE);
	assert_int_equal((uint8_t)got[0], 0x03);
	assert_int_equal(got[1], 0x02);
	assert_string_equal(got + AGENT_HEADER_SIZE, "SOCKET 1");
	assert_int_equal(get(b->t, fd, got, MSG_DONTWAIT), 0);
}

/* The status goes from us to the program, or the other way. */
static inline void streams(bool served, int ours[CALLMSG_STREAMS],
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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that a qube serves.
 */
#include "base/rights.h"
#include "kernel/calls/callbed.h"

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

	rights_allow_many();
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

	rights_allow_many();
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
int main(void)
{
	/* As the kernel has it. */
	(void)signal(SIGPIPE, SIG_IGN);
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_not_there_is_127),
		TEST(an_end_is_told_only_to_who_wants_it),
		TEST(a_socket_is_connected_both_ways),
		TEST(who_waits_for_room_is_served),
		TEST(neither_side_is_read_faster_than_the_other_reads),
		TEST(one_caller_does_not_keep_others_out),
		TEST(what_lies_in_a_qube_is_little_of_it),
		TEST(what_is_not_read_is_not_over),
		TEST(a_service_waits_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

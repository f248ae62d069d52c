/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that programs of a qube make.
 */
#include "kernel/calls/callbed.h"

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

/* An answer of that type, with streams. */
static void is_given(struct bed *b, int fd, uint32_t type,
                     int32_t got[CALLMSG_STREAMS])
{
	const size_t size = CALLMSG_STREAMS * sizeof(*got);
	uint8_t control[CMSG_HEAD + CALLMSG_STREAMS * sizeof(*got)], bytes[64];
	abi_iovec iov = {(uint64_t)(uintptr_t)bytes, sizeof(bytes)};
	abi_msghdr msg = {
		.iov = (uint64_t)(uintptr_t)&iov,
		.iov_count = 1,
		.control = (uint64_t)(uintptr_t)control,
		.control_size = sizeof(control),
	};

	assert_int_equal(testbed_call(b->t, __NR_recvmsg, fd, &msg, 0),
	                 AGENT_ANSWER_SIZE);
	assert_int_equal(bytes[0], type & 0xff);
	assert_int_equal(bytes[3], type >> 24);
	memcpy(got, control + CMSG_HEAD, size);
}

static void the_streams_are_handed_over(void **state)
{
	struct bed *b = *state;
	int ours[CALLMSG_STREAMS], theirs[CALLMSG_STREAMS];
	int32_t got[CALLMSG_STREAMS];
	struct control c;
	uint8_t bytes[64];
	int fd;

	connect_manager(b);
	assert_int_equal(hear(b, &c), CONTROL_serving);
	fd = ask(b, "work", "test.A");
	assert_int_equal(hear(b, &c), CONTROL_call);
	streams(false, ours, theirs);
	say(b, CONTROL_allowed, c.value[0], theirs, CALLMSG_STREAMS);
	callmsg_close(theirs);
	is_given(b, fd, AGENT_ALLOWED, got);
	assert_int_equal(put(b->t, got[AGENT_IN], "to it"), 5);
	assert_int_equal(callio_receive(ours[CALLMSG_IN], bytes, 64), 5);
	assert_int_equal(
		testbed_call(b->t, __NR_write, got[AGENT_IN], "to it", 5), 5);
	assert_int_equal(callio_receive(ours[CALLMSG_IN], bytes, 64), 5);
	callmsg_tell_status(ours[CALLMSG_STATUS], 7);
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

static int ask_early(struct bed *b)
{
	struct wire_request r = request("work", "SOCKET 1", "test.A");
	int fd = enter(b);

	r.bytes[3] |= AGENT_EARLY >> 24;
	put_bytes(b, fd, r.bytes, r.size);
	return fd;
}

/* The manager gives streams ahead, and a program begins with them. */
static int begin_early(struct bed *b, int ours[CALLMSG_STREAMS],
                       int32_t got[CALLMSG_STREAMS], struct control *c)
{
	int theirs[CALLMSG_STREAMS];
	int fd;

	streams(false, ours, theirs);
	/* With an answer that nobody waits for. */
	say_more(b, CONTROL_allowed, UINT64_MAX, 77, theirs);
	callmsg_close(theirs);
	fd = ask_early(b);
	is_given(b, fd, AGENT_BEGUN, got);
	assert_int_equal(hear(b, c), CONTROL_call);
	assert_int_equal(c->value[1], 77);
	assert_int_equal(c->value[2], CALLMSG_EARLY);
	return fd;
}

static void who_would_not_wait_begins_at_once(void **state)
{
	struct bed *b = *state;
	int ours[CALLMSG_STREAMS];
	int32_t got[CALLMSG_STREAMS];
	char bytes[256];
	struct control c;
	int fd, later;

	connect_manager(b);
	assert_int_equal(hear(b, &c), CONTROL_serving);
	fd = begin_early(b, ours, got, &c);
	assert_int_equal(put(b->t, got[AGENT_IN], "early"), 5);
	assert_int_equal(callio_receive(ours[CALLMSG_IN], bytes, sizeof(bytes)),
	                 5);
	/* There is nothing more ahead: the next one waits. */
	later = ask_early(b);
	say(b, CONTROL_allowed, c.value[0], NULL, 0);
	assert_int_equal(get(b->t, fd, bytes, MSG_DONTWAIT), AGENT_ANSWER_SIZE);
	assert_int_equal((uint8_t)bytes[0], AGENT_ALLOWED & 0xff);
	assert_int_equal(hear(b, &c), CONTROL_call);
	assert_int_equal(c.value[1], 0);
	assert_int_equal(get(b->t, later, bytes, MSG_DONTWAIT), -EAGAIN);
	say(b, CONTROL_refused, c.value[0], NULL, 0);
	is_refused(b, later);
	callmsg_close(ours);
}

/* The streams lead nowhere any more, so there is nothing to be told anew. */
static void what_has_begun_ends_with_its_manager(void **state)
{
	struct bed *b = *state;
	int ours[CALLMSG_STREAMS];
	int32_t got[CALLMSG_STREAMS];
	struct control c;
	char bytes[256];
	int fd;

	connect_manager(b);
	assert_int_equal(hear(b, &c), CONTROL_serving);
	fd = begin_early(b, ours, got, &c);
	callmsg_close(ours);
	connect_manager(b);
	assert_int_equal(hear(b, &c), CONTROL_serving);
	assert_int_equal(hear(b, &c), -EAGAIN);
	assert_int_equal(get(b->t, fd, bytes, MSG_DONTWAIT), 0);
	assert_int_equal(testbed_call(b->t, __NR_read, got[AGENT_STATUS], bytes,
	                              sizeof(bytes)),
	                 0);
	assert_int_equal(b->t->kernel.callhub->asked_count, 0);
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
		TEST(who_would_not_wait_begins_at_once),
		TEST(what_has_begun_ends_with_its_manager),
		TEST(who_goes_away_wants_no_answer),
		TEST(a_new_manager_hears_what_waits),
		TEST(a_qube_without_manager_calls_nobody),
		TEST(garbage_ends_the_connection),
		TEST(many_connections_cost_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

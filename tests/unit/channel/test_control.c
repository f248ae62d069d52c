/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/control.h"

#include <stdio.h>
#include <sys/socket.h>

#include "cmocka_all.h"

static void connect_pair(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
}

static void messages_and_descriptors_arrive(void **state)
{
	struct control c = {CONTROL_failed, {127, 2}, "no such program"};
	struct control got;
	int pair[2], fd = -1, pipe_fd[2];

	(void)state;
	connect_pair(pair);
	assert_int_equal(pipe(pipe_fd), 0);
	assert_int_equal(control_receive(pair[1], CONTROL_KERNEL, &got, &fd),
	                 -EAGAIN);
	assert_int_equal(control_send(pair[0], &c, -1), 0);
	assert_int_equal(control_receive(pair[1], CONTROL_KERNEL, &got, &fd),
	                 1);
	assert_int_equal(got.value[0], 127);
	assert_string_equal(got.text, c.text);
	assert_int_equal(fd, -1);

	c = (struct control){.kind = CONTROL_maps, .value = {5}};
	assert_int_equal(control_send(pair[0], &c, pipe_fd[1]), 0);
	assert_int_equal(control_receive(pair[1], CONTROL_KERNEL, &got, &fd),
	                 1);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	close(pair[0]);
	assert_int_equal(control_receive(pair[1], CONTROL_KERNEL, &got, &fd),
	                 0);
	close(pair[1]);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

static void each_side_has_its_own_messages(void **state)
{
	uint8_t wire[CONTROL_SIZE_MAX];
	struct control c = {.kind = CONTROL_signal, .value = {15}};
	struct control got = {.kind = 99};
	struct span s = {wire, control_format(&c, wire)};

	(void)state;
	assert_int_equal(control_parse(s, CONTROL_OWNER, &got), 0);
	got.kind = 99;
	assert_int_equal(control_parse(s, CONTROL_KERNEL, &got), -EPROTO);
	assert_int_equal(got.kind, 99);
	c.kind = 4711;
	s.size = control_format(&c, wire);
	assert_int_equal(control_parse(s, CONTROL_OWNER, &got), -EPROTO);
	assert_int_equal(
		control_parse((struct span){wire, 11}, CONTROL_OWNER, &got),
		-EPROTO);
}

/* The kernel may end with words of ours unread: its own are heard. */
static void last_words_are_heard(void **state)
{
	struct control c = {.kind = CONTROL_signal};
	struct control end = {.kind = CONTROL_exited, .value = {256}};
	struct control got;
	int pair[2], fd = -1;

	(void)state;
	connect_pair(pair);
	assert_int_equal(control_send(pair[0], &c, -1), 0);
	assert_int_equal(control_send(pair[1], &end, -1), 0);
	close(pair[1]);
	assert_int_equal(control_receive(pair[0], CONTROL_KERNEL, &got, &fd),
	                 1);
	assert_int_equal(got.value[0], 256);
	close(pair[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_and_descriptors_arrive),
		cmocka_unit_test(each_side_has_its_own_messages),
		cmocka_unit_test(last_words_are_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

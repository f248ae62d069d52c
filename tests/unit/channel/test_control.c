/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/control.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/rights.h"
#include "cmocka_all.h"

static void connect_pair(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
}

static void messages_and_descriptors_arrive(void **state)
{
	struct control c = {CONTROL_failed, {1, 127, 2}, "no such program"};
	struct control got;
	struct control_fds fds;
	int pair[2], pipe_fd[2], fd;

	(void)state;
	connect_pair(pair);
	assert_int_equal(pipe(pipe_fd), 0);
	assert_int_equal(control_receive(pair[1], CONTROL_KERNEL, &got, &fds),
	                 -EAGAIN);
	assert_int_equal(control_send(pair[0], &c, NULL, 0), 0);
	assert_int_equal(control_receive(pair[1], CONTROL_KERNEL, &got, &fds),
	                 1);
	assert_int_equal(got.value[1], 127);
	assert_string_equal(got.text, c.text);
	assert_int_equal(fds.count, 0);

	c = (struct control){.kind = CONTROL_maps, .value = {5ull << 40}};
	assert_int_equal(control_send(pair[0], &c, pipe_fd, 2), 0);
	assert_int_equal(control_receive(pair[1], CONTROL_KERNEL, &got, &fds),
	                 1);
	assert_true(got.value[0] == 5ull << 40);
	assert_int_equal(fds.count, 2);
	fd = control_take(&fds, 1);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	assert_int_equal(control_take(&fds, 2), -1);
	control_close(&fds);
	close(pair[0]);
	assert_int_equal(control_receive(pair[1], CONTROL_KERNEL, &got, &fds),
	                 0);
	close(pair[1]);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

/* The message is heard even if what came with it cannot be held. */
static void descriptors_that_do_not_fit_are_told(void **state)
{
	struct control c = {.kind = CONTROL_run, .value = {1}};
	struct control got;
	struct control_fds fds;
	struct rlimit old, less;
	int pair[2], three[3], last;

	(void)state;
	connect_pair(pair);
	for (size_t i = 0; i < ARRAY_LEN(three); i++)
		three[i] = pair[0];
	assert_int_equal(control_send(pair[0], &c, three, 3), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	last = dup(pair[0]);
	close(last);
	less = old;
	less.rlim_cur = (rlim_t)last + 2; /* room for two */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &less), 0);
	assert_int_equal(control_receive(pair[1], CONTROL_CLIENT, &got, &fds),
	                 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(got.kind, CONTROL_run);
	assert_true(fds.lost);
	assert_int_equal(fds.count, 0);
	assert_int_equal(dup(pair[0]), last); /* nothing stayed open */
	close(last);
	close(pair[0]);
	close(pair[1]);
}

static void each_side_has_its_own_messages(void **state)
{
	uint8_t wire[CONTROL_SIZE_MAX];
	struct control c = {.kind = CONTROL_signal, .value = {15}};
	struct control got = {.kind = 99};
	struct span s = {wire, control_format(&c, wire)};

	(void)state;
	assert_int_equal(control_parse(s, CONTROL_CLIENT, &got), 0);
	got.kind = 99;
	assert_int_equal(control_parse(s, CONTROL_KERNEL, &got), -EPROTO);
	assert_int_equal(got.kind, 99);
	c.kind = 4711;
	s.size = control_format(&c, wire);
	assert_int_equal(control_parse(s, CONTROL_CLIENT, &got), -EPROTO);
	assert_int_equal(
		control_parse((struct span){wire, 51}, CONTROL_CLIENT, &got),
		-EPROTO);
}

static void texts_are_harmless_for_a_terminal(void **state)
{
	uint8_t wire[CONTROL_SIZE_MAX];
	struct control c = {.kind = CONTROL_failed,
	                    .text = "a\x1b[2Jb\r\n\xc2\x9b~"};
	struct control got;
	struct span s = {wire, control_format(&c, wire)};

	(void)state;
	assert_int_equal(control_parse(s, CONTROL_KERNEL, &got), 0);
	assert_string_equal(got.text, "a?[2Jb????~");
}

/* The kernel may end with words of ours unread: its own are heard. */
static void last_words_are_heard(void **state)
{
	struct control c = {.kind = CONTROL_signal};
	struct control end = {.kind = CONTROL_exited, .value = {256}};
	struct control got;
	struct control_fds fds;
	int pair[2];

	(void)state;
	connect_pair(pair);
	assert_int_equal(control_send(pair[0], &c, NULL, 0), 0);
	assert_int_equal(control_send(pair[1], &end, NULL, 0), 0);
	close(pair[1]);
	assert_int_equal(control_receive(pair[0], CONTROL_KERNEL, &got, &fds),
	                 1);
	assert_int_equal(got.value[0], 256);
	close(pair[0]);
}

/* It is taken for the end; what came with it does not stay open. */
static void a_message_of_no_bytes_leaves_nothing_open(void **state)
{
	struct control got;
	struct control_fds fds;
	int pair[2], next;

	(void)state;
	connect_pair(pair);
	next = dup(pair[0]);
	close(next);
	assert_int_equal(rights_send(pair[0], span_str(""), pair, 2, 0), 0);
	assert_int_equal(control_receive(pair[1], CONTROL_KERNEL, &got, &fds),
	                 0);
	assert_int_equal(dup(pair[0]), next);
	close(next);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_and_descriptors_arrive),
		cmocka_unit_test(descriptors_that_do_not_fit_are_told),
		cmocka_unit_test(each_side_has_its_own_messages),
		cmocka_unit_test(texts_are_harmless_for_a_terminal),
		cmocka_unit_test(last_words_are_heard),
		cmocka_unit_test(a_message_of_no_bytes_leaves_nothing_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

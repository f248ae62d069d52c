/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rights.h"
#include "cmocka_all.h"

#include <fcntl.h>
#include <sys/socket.h>

static void pair(int end[2])
{
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, end), 0);
}

/* How many descriptors we have. */
static int open_count(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void bytes_and_descriptors_arrive_together(void **state)
{
	struct rights_got got;
	char text[8];
	int end[2], fds[3], out[2];

	(void)state;
	pair(end);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(rights_send(end[0], span_str("abc"), out, 2, 0), 3);
	assert_int_equal(
		rights_receive(end[1], text, sizeof(text), fds, 3, &got, 0), 3);
	assert_memory_equal(text, "abc", 3);
	assert_int_equal(got.count, 2);
	assert_false(got.cut || got.lost);
	assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(read(out[0], text, sizeof(text)), 1);
	for (int i = 0; i < 2; i++) {
		close(fds[i]);
		close(out[i]);
	}
	close(end[0]);
	assert_int_equal(
		rights_receive(end[1], text, sizeof(text), fds, 3, &got, 0), 0);
	close(end[1]);
}

/* For rooms of an odd size Linux delivers one more than asked for. */
static void descriptors_without_room_are_closed(void **state)
{
	(void)state;
	for (size_t room = 0; room < 4; room++) {
		int end[2], fds[4], many[4] = {0, 0, 0, 0};
		struct rights_got got;
		char text[2];
		int before;

		pair(end);
		before = open_count();
		assert_int_equal(
			rights_send(end[0], span_str("abc"), many, 4, 0), 3);
		assert_int_equal(
			rights_receive(end[1], text, 2, fds, room, &got, 0), 2);
		assert_true(got.cut && got.lost);
		assert_int_equal(got.count, 0);
		assert_int_equal(open_count(), before);
		close(end[0]);
		close(end[1]);
	}
}

static void errors_are_told(void **state)
{
	int end[2], fds[1], many[RIGHTS_MAX + 1] = {0};
	struct rights_got got;
	char byte;

	(void)state;
	pair(end);
	assert_int_equal(
		rights_send(end[0], span_str("a"), many, ARRAY_LEN(many), 0),
		-E2BIG);
	assert_int_equal(
		rights_receive(end[1], &byte, 1, fds, 1, &got, MSG_DONTWAIT),
		-EAGAIN);
	close(end[1]);
	assert_int_equal(rights_send(end[0], span_str("a"), NULL, 0, 0),
	                 -EPIPE);
	close(end[0]);
}

/* What programs inherit is what was there before. */
static void a_raised_limit_is_lowered_again(void **state)
{
	struct rlimit before, usual, now;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	usual = (struct rlimit){100, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
	assert_int_equal(rights_allow_many(), 100);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
	assert_int_equal(now.rlim_cur, before.rlim_max);
	rights_allow(100);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
	assert_int_equal(now.rlim_cur, 100);
	assert_int_equal(now.rlim_max, before.rlim_max);
	rights_allow(before.rlim_cur);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_and_descriptors_arrive_together),
		cmocka_unit_test(descriptors_without_room_are_closed),
		cmocka_unit_test(errors_are_told),
		cmocka_unit_test(a_raised_limit_is_lowered_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

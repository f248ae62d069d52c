/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/unix_dgram.h"

#include <linux/poll.h>

#include "kernel/net/sockets.h"

#define AF AF_UNIX

static void messages_keep_their_ends(void **state)
{
	static const int types[] = {SOCK_DGRAM, SOCK_SEQPACKET};
	struct testbed *bed = *state;

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		int fd[2];

		pair(bed, types[i], fd);
		assert_int_equal(put(bed, fd[0], "one"), 3);
		assert_int_equal(put(bed, fd[0], "two"), 3);
		expect(bed, fd[1], "one");
		expect(bed, fd[1], "two");
	}
}

static void a_short_buffer_cuts_and_says_so(void **state)
{
	struct testbed *bed = *state;
	char buf[8] = {0};
	int fd[2];

	pair(bed, SOCK_DGRAM, fd);
	assert_int_equal(put(bed, fd[0], "abcdef"), 6);
	assert_int_equal(testbed_call(bed, __NR_recvfrom, fd[1], buf, 2,
	                              MSG_PEEK | MSG_TRUNC),
	                 6);
	assert_int_equal(testbed_call(bed, __NR_recvfrom, fd[1], buf, 2, 0), 2);
	assert_string_equal(buf, "ab");
	assert_int_equal(
		testbed_call(bed, __NR_recvfrom, fd[1], buf, 2, MSG_DONTWAIT),
		-EAGAIN);
}

static void a_datagram_goes_to_a_name_and_tells_whence(void **state)
{
	struct testbed *bed = *state;
	int a = make(bed, AF, SOCK_DGRAM);
	int b = make(bed, AF, SOCK_DGRAM);
	struct sockname from = {.size = sizeof(from.bytes)};
	char buf[16];

	assert_int_equal(bind_to(bed, a, local("/a")), 0);
	assert_int_equal(bind_to(bed, b, local("@b")), 0);
	assert_int_equal(put_to(bed, b, "hi", local("/a")), 2);
	assert_int_equal(testbed_call(bed, __NR_recvfrom, a, buf, 16, 0,
	                              from.bytes, &from.size),
	                 2);
	assert_int_equal(from.size, 4);
	assert_memory_equal(from.bytes, local("@b").bytes, 4);
	assert_int_equal(put_to(bed, b, "hi", local("/none")), -ENOENT);
	assert_int_equal(put(bed, b, "hi"), -ENOTCONN);
}

static void a_receiver_that_went_is_refused(void **state)
{
	struct testbed *bed = *state;
	int a = make(bed, AF, SOCK_DGRAM);
	int b = make(bed, AF, SOCK_DGRAM);

	assert_int_equal(bind_to(bed, a, local("@a")), 0);
	assert_int_equal(connect_to(bed, b, local("@a")), 0);
	assert_int_equal(put(bed, b, "x"), 1);
	assert_int_equal(shut(bed, a), 0);
	assert_int_equal(put(bed, b, "x"), -ECONNREFUSED);
	assert_int_equal(put(bed, b, "x"), -ENOTCONN);
}

static void a_full_receiver_makes_the_sender_wait(void **state)
{
	struct testbed *bed = *state;
	struct task *first = bed->task;
	char buf[256];
	int fd[2];
	long n;

	pair(bed, SOCK_DGRAM, fd);
	do
		n = testbed_call(bed, __NR_sendto, fd[0], "x", 1, MSG_DONTWAIT);
	while (n == 1);
	assert_int_equal(n, -EAGAIN);
	assert_int_equal(events(bed, fd[0], POLLOUT), 0);
	assert_int_equal(put(bed, fd[0], "y"), -EWAIT);
	bed->task = testbed_thread(bed, first);
	assert_int_equal(get(bed, fd[1], buf, 0), 1);
	assert_int_equal(testbed_finish(first), 1);
}

static void what_does_not_fit_the_buffer_is_too_long(void **state)
{
	static char big[1 << 20];
	struct testbed *bed = *state;
	int fd[2];

	pair(bed, SOCK_DGRAM, fd);
	assert_int_equal(
		testbed_call(bed, __NR_sendto, fd[0], big, sizeof(big), 0),
		-EMSGSIZE);
}

static void an_unnamed_binding_gets_five_digits(void **state)
{
	struct testbed *bed = *state;
	int fd = make(bed, AF, SOCK_DGRAM);
	struct sockname n = {.size = 2, .family = AF};

	assert_int_equal(bind_to(bed, fd, n), 0);
	n = name_of(bed, fd, false);
	assert_int_equal(n.size, 8);
	assert_int_equal(n.un.sun_path[0], 0);
}

static void who_is_connected_takes_from_the_peer_only(void **state)
{
	struct testbed *bed = *state;
	int fd[2];
	int other = make(bed, AF, SOCK_DGRAM);

	pair(bed, SOCK_DGRAM, fd);
	assert_int_equal(bind_to(bed, fd[0], local("@taken")), 0);
	assert_int_equal(put_to(bed, other, "x", local("@taken")), -EPERM);
}

static void a_seqpacket_ends_like_a_stream(void **state)
{
	struct testbed *bed = *state;
	char buf[256];
	int fd[2];

	pair(bed, SOCK_SEQPACKET, fd);
	assert_int_equal(put(bed, fd[0], "last"), 4);
	assert_int_equal(shut(bed, fd[0]), 0);
	expect(bed, fd[1], "last");
	assert_int_equal(get(bed, fd[1], buf, 0), 0);
	assert_int_equal(put(bed, fd[1], "x"), -EPIPE);
}

static void several_messages_go_in_one_call(void **state)
{
	struct testbed *bed = *state;
	char text[2][4] = {"ab", "cd"};
	abi_iovec iov[2] = {{(uint64_t)text[0], 2}, {(uint64_t)text[1], 2}};
	struct {
		abi_msghdr head;
		uint32_t size, pad;
	} m[2] = {
		{.head = {.iov = (uint64_t)&iov[0], .iov_count = 1}},
		{.head = {.iov = (uint64_t)&iov[1], .iov_count = 1}},
	};
	int fd[2];

	pair(bed, SOCK_DGRAM, fd);
	assert_int_equal(testbed_call(bed, __NR_sendmmsg, fd[0], m, 2, 0), 2);
	assert_int_equal(m[1].size, 2);
	memset(text, 0, sizeof(text));
	assert_int_equal(testbed_call(bed, __NR_recvmmsg, fd[1], m, 2,
	                              MSG_WAITFORONE, 0),
	                 2);
	assert_string_equal(text[1], "cd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(messages_keep_their_ends),
		TESTBED(a_short_buffer_cuts_and_says_so),
		TESTBED(a_datagram_goes_to_a_name_and_tells_whence),
		TESTBED(a_receiver_that_went_is_refused),
		TESTBED(a_full_receiver_makes_the_sender_wait),
		TESTBED(what_does_not_fit_the_buffer_is_too_long),
		TESTBED(an_unnamed_binding_gets_five_digits),
		TESTBED(who_is_connected_takes_from_the_peer_only),
		TESTBED(a_seqpacket_ends_like_a_stream),
		TESTBED(several_messages_go_in_one_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/unix_stream.h"

#include <linux/poll.h>

#include "kernel/net/sockets.h"

#define AF AF_UNIX

static void bytes_arrive_in_order(void **state)
{
	struct testbed *bed = *state;
	int fd[2];

	pair(bed, SOCK_STREAM, fd);
	assert_int_equal(put(bed, fd[0], "one"), 3);
	assert_int_equal(put(bed, fd[0], "two"), 3);
	expect(bed, fd[1], "onetwo");
}

static void a_reader_waits_for_the_first_byte(void **state)
{
	struct testbed *bed = *state;
	struct task *first = bed->task;
	char buf[256];
	int fd[2];

	pair(bed, SOCK_STREAM, fd);
	assert_int_equal(get(bed, fd[0], buf, 0), -EWAIT);
	bed->task = testbed_thread(bed, first);
	assert_int_equal(put(bed, fd[1], "late"), 4);
	assert_int_equal(testbed_finish(first), 4);
	assert_string_equal(buf, "late");
}

static void a_blocking_write_goes_on_until_all_is_taken(void **state)
{
	static char big[700000];
	static char got[700000];
	struct testbed *bed = *state;
	struct task *first = bed->task;
	size_t done = 0;
	int fd[2];

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 + i / 251);
	pair(bed, SOCK_STREAM, fd);
	assert_int_equal(testbed_call(bed, __NR_write, fd[0], big, sizeof(big)),
	                 -EWAIT);
	bed->task = testbed_thread(bed, first);
	while (done < sizeof(got)) {
		long n = testbed_call(bed, __NR_recvfrom, fd[1], got + done,
		                      sizeof(got) - done, MSG_DONTWAIT);

		assert_true(n > 0);
		done += (size_t)n;
		if (done < sizeof(got))
			assert_int_equal(testbed_finish(first) < 0 ||
			                         done + 300000 > sizeof(got),
			                 true);
	}
	assert_memory_equal(big, got, sizeof(big));
}

static void waitall_takes_everything_at_once(void **state)
{
	struct testbed *bed = *state;
	struct task *first = bed->task;
	char buf[256] = {0};
	int fd[2];

	pair(bed, SOCK_STREAM, fd);
	assert_int_equal(put(bed, fd[1], "abc"), 3);
	assert_int_equal(
		testbed_call(bed, __NR_recvfrom, fd[0], buf, 6, MSG_WAITALL),
		-EWAIT);
	bed->task = testbed_thread(bed, first);
	assert_int_equal(put(bed, fd[1], "defg"), 4);
	assert_int_equal(testbed_finish(first), 6);
	assert_string_equal(buf, "abcdef");
	expect(bed, fd[0], "g");
}

static void peeking_leaves_the_bytes(void **state)
{
	struct testbed *bed = *state;
	char buf[256];
	int fd[2];

	pair(bed, SOCK_STREAM, fd);
	assert_int_equal(put(bed, fd[0], "here"), 4);
	assert_int_equal(get(bed, fd[1], buf, MSG_PEEK), 4);
	assert_string_equal(buf, "here");
	expect(bed, fd[1], "here");
}

static void a_close_ends_the_stream_after_the_data(void **state)
{
	struct testbed *bed = *state;
	char buf[256];
	int fd[2];

	pair(bed, SOCK_STREAM, fd);
	assert_int_equal(put(bed, fd[0], "rest"), 4);
	assert_int_equal(shut(bed, fd[0]), 0);
	assert_int_equal(events(bed, fd[1], POLLIN | POLLRDHUP),
	                 POLLIN | POLLRDHUP | POLLHUP);
	expect(bed, fd[1], "rest");
	assert_int_equal(get(bed, fd[1], buf, 0), 0);
	assert_int_equal(
		testbed_call(bed, __NR_sendto, fd[1], "x", 1, MSG_NOSIGNAL),
		-EPIPE);
	assert_false(signal_pending(bed->task) & SIGNAL_BIT(13));
	testbed_block(bed->task, SIGNAL_BIT(13));
	assert_int_equal(put(bed, fd[1], "x"), -EPIPE);
	assert_true(signal_pending(bed->task) & SIGNAL_BIT(13));
}

static void closing_with_unread_data_resets(void **state)
{
	struct testbed *bed = *state;
	char buf[256];
	int fd[2];

	pair(bed, SOCK_STREAM, fd);
	assert_int_equal(put(bed, fd[0], "lost"), 4);
	assert_int_equal(shut(bed, fd[1]), 0);
	assert_int_equal(get(bed, fd[0], buf, 0), -ECONNRESET);
	assert_int_equal(get(bed, fd[0], buf, 0), 0);
}

static void shutting_one_half_leaves_the_other(void **state)
{
	struct testbed *bed = *state;
	char buf[256];
	int fd[2];

	pair(bed, SOCK_STREAM, fd);
	assert_int_equal(testbed_call(bed, __NR_shutdown, fd[0], SHUT_WR), 0);
	assert_int_equal(get(bed, fd[1], buf, 0), 0);
	assert_int_equal(put(bed, fd[1], "back"), 4);
	expect(bed, fd[0], "back");
	assert_int_equal(testbed_call(bed, __NR_shutdown, fd[0], 3), -EINVAL);
}

static int listening(struct testbed *bed, const char *path, int backlog)
{
	int fd = make(bed, AF, SOCK_STREAM);

	assert_int_equal(bind_to(bed, fd, local(path)), 0);
	assert_int_equal(testbed_call(bed, __NR_listen, fd, backlog), 0);
	return fd;
}

static void connects_by_path_and_by_abstract_name(void **state)
{
	static const char *const names[] = {"/sock", "@sock"};
	struct testbed *bed = *state;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		int l = listening(bed, names[i], 5);
		int c = make(bed, AF, SOCK_STREAM);
		struct sockname n;
		long s;

		assert_int_equal(connect_to(bed, c, local(names[i])), 0);
		assert_int_equal(events(bed, l, POLLIN), POLLIN);
		s = testbed_call(bed, __NR_accept, l, 0, 0);
		assert_true(s >= 0);
		assert_int_equal(put(bed, (int)s, "hello"), 5);
		expect(bed, c, "hello");
		n = name_of(bed, c, true);
		assert_memory_equal(n.bytes, local(names[i]).bytes,
		                    local(names[i]).size);
		assert_int_equal(name_of(bed, c, false).size, 2);
	}
}

static void a_name_can_be_had_once(void **state)
{
	struct testbed *bed = *state;
	int a = make(bed, AF, SOCK_STREAM);
	int b = make(bed, AF, SOCK_STREAM);

	assert_int_equal(bind_to(bed, a, local("/one")), 0);
	assert_int_equal(bind_to(bed, b, local("/one")), -EADDRINUSE);
	assert_int_equal(bind_to(bed, a, local("/two")), -EINVAL);
	assert_int_equal(shut(bed, a), 0);
	/* The file stays behind, without a socket. */
	assert_int_equal(bind_to(bed, b, local("/one")), -EADDRINUSE);
	assert_int_equal(connect_to(bed, b, local("/one")), -ECONNREFUSED);
	assert_int_equal(connect_to(bed, b, local("/none")), -ENOENT);
	assert_int_equal(connect_to(bed, b, local("@none")), -ECONNREFUSED);
	assert_int_equal(bind_to(bed, b, local("@two")), 0);
	a = make(bed, AF, SOCK_STREAM);
	assert_int_equal(bind_to(bed, a, local("@two")), -EADDRINUSE);
	assert_int_equal(shut(bed, b), 0);
	assert_int_equal(bind_to(bed, a, local("@two")), 0);
}

static void a_full_backlog_makes_connect_wait(void **state)
{
	struct testbed *bed = *state;
	struct task *first = bed->task;
	struct sockname name = local("@full");
	int l = listening(bed, "@full", 0);
	int a = make(bed, AF, SOCK_STREAM);
	int b = make(bed, AF, SOCK_STREAM | SOCK_NONBLOCK);
	int c = make(bed, AF, SOCK_STREAM);

	assert_int_equal(connect_to(bed, a, local("@full")), 0);
	assert_int_equal(connect_to(bed, b, local("@full")), -EAGAIN);
	assert_int_equal(
		testbed_call(bed, __NR_connect, c, name.bytes, name.size),
		-EWAIT);
	bed->task = testbed_thread(bed, first);
	assert_true(testbed_call(bed, __NR_accept, l, 0, 0) >= 0);
	assert_int_equal(testbed_finish(first), 0);
}

static void a_listener_s_end_resets_who_was_not_accepted(void **state)
{
	struct testbed *bed = *state;
	int l = listening(bed, "@gone", 5);
	int c = make(bed, AF, SOCK_STREAM);
	char buf[256];

	assert_int_equal(connect_to(bed, c, local("@gone")), 0);
	assert_int_equal(shut(bed, l), 0);
	assert_int_equal(get(bed, c, buf, 0), -ECONNRESET);
}

static void an_accept_gets_what_came_before_it(void **state)
{
	struct testbed *bed = *state;
	int l = listening(bed, "@early", 5);
	int c = make(bed, AF, SOCK_STREAM);
	long s;

	assert_int_equal(connect_to(bed, c, local("@early")), 0);
	assert_int_equal(put(bed, c, "early"), 5);
	assert_int_equal(shut(bed, c), 0);
	s = testbed_call(bed, __NR_accept, l, 0, 0);
	assert_true(s >= 0);
	expect(bed, (int)s, "early");
}

static void the_peer_is_known(void **state)
{
	struct testbed *bed = *state;
	struct sockcred cred;
	int size = sizeof(cred);
	int fd[2];

	testbed_become(bed, 1000);
	pair(bed, SOCK_STREAM, fd);
	assert_int_equal(testbed_call(bed, __NR_getsockopt, fd[0], SOL_SOCKET,
	                              SO_PEERCRED, &cred, &size),
	                 0);
	assert_int_equal(cred.pid, bed->process->pid);
	assert_int_equal(cred.uid, 1000);
	assert_int_equal(cred.gid, 1000);
}

static void a_timeout_ends_a_wait(void **state)
{
	struct testbed *bed = *state;
	abi_timeval tv = {0, 2000};
	char buf[256];
	int fd[2];

	pair(bed, SOCK_STREAM, fd);
	assert_int_equal(testbed_call(bed, __NR_setsockopt, fd[0], SOL_SOCKET,
	                              SO_RCVTIMEO_OLD, &tv, sizeof(tv)),
	                 0);
	assert_int_equal(get(bed, fd[0], buf, 0), -EWAIT);
	assert_int_equal(testbed_wait(bed->task), -EAGAIN);
	assert_int_equal(testbed_call(bed, __NR_read, fd[0], buf, 9), -EWAIT);
	assert_int_equal(testbed_wait(bed->task), -EAGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(bytes_arrive_in_order),
		TESTBED(a_reader_waits_for_the_first_byte),
		TESTBED(a_blocking_write_goes_on_until_all_is_taken),
		TESTBED(waitall_takes_everything_at_once),
		TESTBED(peeking_leaves_the_bytes),
		TESTBED(a_close_ends_the_stream_after_the_data),
		TESTBED(closing_with_unread_data_resets),
		TESTBED(shutting_one_half_leaves_the_other),
		TESTBED(connects_by_path_and_by_abstract_name),
		TESTBED(a_name_can_be_had_once),
		TESTBED(a_full_backlog_makes_connect_wait),
		TESTBED(a_listener_s_end_resets_who_was_not_accepted),
		TESTBED(an_accept_gets_what_came_before_it),
		TESTBED(the_peer_is_known),
		TESTBED(a_timeout_ends_a_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

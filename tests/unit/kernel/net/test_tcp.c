/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/tcp.h"

#include <linux/poll.h>
#include <linux/tcp.h>

#include "kernel/net/sockets.h"

#define LO    0x7f000001u
#define ANY   0u
#define FLAGS (POLLIN | POLLOUT | POLLRDHUP)

static int listening(struct testbed *bed, struct sockname n, int backlog)
{
	int fd = make(bed, n.family, SOCK_STREAM);

	assert_int_equal(bind_to(bed, fd, n), 0);
	assert_int_equal(testbed_call(bed, __NR_listen, fd, backlog), 0);
	return fd;
}

/* A connection: fd[0] the client, fd[1] the accepted end. */
static void connected(struct testbed *bed, int fd[2])
{
	int l = listening(bed, v4(LO, 0), 5);

	fd[0] = make(bed, AF_INET, SOCK_STREAM);
	assert_int_equal(connect_to(bed, fd[0], name_of(bed, l, false)), 0);
	fd[1] = (int)testbed_call(bed, __NR_accept, l, 0, 0);
	assert_true(fd[1] >= 0);
	assert_int_equal(shut(bed, l), 0);
}

static void bytes_go_both_ways(void **state)
{
	struct testbed *bed = *state;
	int fd[2];

	connected(bed, fd);
	assert_int_equal(put(bed, fd[0], "ping"), 4);
	expect(bed, fd[1], "ping");
	assert_int_equal(put(bed, fd[1], "pong"), 4);
	expect(bed, fd[0], "pong");
}

static void both_ends_have_names(void **state)
{
	struct testbed *bed = *state;
	struct sockname a;
	struct sockname b;
	int fd[2];

	connected(bed, fd);
	a = name_of(bed, fd[0], false);
	b = name_of(bed, fd[1], true);
	assert_int_equal(a.size, sizeof(a.in));
	assert_memory_equal(a.bytes, b.bytes, a.size);
	assert_int_equal(a.in.sin_addr.s_addr, htobe32(LO));
	assert_in_range(be16toh(a.in.sin_port), PORTS_FIRST, PORTS_LAST);
}

static void nobody_there_is_refused(void **state)
{
	struct testbed *bed = *state;
	int fd = make(bed, AF_INET, SOCK_STREAM);

	assert_int_equal(connect_to(bed, fd, v4(LO, 9)), -ECONNREFUSED);
	/* The socket may try again. */
	listening(bed, v4(LO, 9999), 1);
	assert_int_equal(connect_to(bed, fd, v4(LO, 9999)), 0);
	assert_int_equal(connect_to(bed, fd, v4(LO, 9999)), -EISCONN);
}

static void outside_there_is_no_route(void **state)
{
	struct testbed *bed = *state;
	int fd = make(bed, AF_INET, SOCK_STREAM);

	assert_int_equal(connect_to(bed, fd, v4(0x08080808, 53)), -ENETUNREACH);
	fd = make(bed, AF_INET6, SOCK_STREAM);
	assert_int_equal(connect_to(bed, fd, v6(2, 53)), -ENETUNREACH);
	assert_int_equal(bind_to(bed, fd, v6(2, 53)), -EADDRNOTAVAIL);
}

static void a_connect_that_does_not_wait_tells_later(void **state)
{
	struct testbed *bed = *state;
	int l = listening(bed, v4(LO, 4000), 1);
	int a = make(bed, AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
	int b = make(bed, AF_INET, SOCK_STREAM | SOCK_NONBLOCK);

	(void)l;
	assert_int_equal(events(bed, a, FLAGS), POLLOUT | POLLHUP);
	assert_int_equal(connect_to(bed, a, v4(LO, 4000)), -EINPROGRESS);
	assert_int_equal(events(bed, a, FLAGS), POLLOUT);
	assert_int_equal(option(bed, a, SOL_SOCKET, SO_ERROR), 0);
	assert_int_equal(connect_to(bed, a, v4(LO, 4000)), 0);
	assert_int_equal(connect_to(bed, a, v4(LO, 4000)), -EISCONN);

	assert_int_equal(connect_to(bed, b, v4(LO, 4001)), -EINPROGRESS);
	assert_int_equal(events(bed, b, FLAGS) & (POLLOUT | POLLERR),
	                 POLLOUT | POLLERR);
	assert_int_equal(option(bed, b, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	assert_int_equal(option(bed, b, SOL_SOCKET, SO_ERROR), 0);
}

static void beyond_the_backlog_a_client_waits(void **state)
{
	struct testbed *bed = *state;
	struct task *first = bed->task;
	struct sockname name = v4(LO, 4000);
	int l = listening(bed, name, 0);
	int a = make(bed, AF_INET, SOCK_STREAM);
	int b = make(bed, AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
	int c = make(bed, AF_INET, SOCK_STREAM);

	assert_int_equal(connect_to(bed, a, v4(LO, 4000)), 0);
	assert_int_equal(connect_to(bed, b, v4(LO, 4000)), -EINPROGRESS);
	assert_int_equal(events(bed, b, FLAGS), 0);
	assert_int_equal(connect_to(bed, b, v4(LO, 4000)), -EALREADY);
	assert_int_equal(
		testbed_call(bed, __NR_connect, c, name.bytes, name.size),
		-EWAIT);
	bed->task = testbed_thread(bed, first);
	assert_true(testbed_call(bed, __NR_accept, l, 0, 0) >= 0);
	assert_int_equal(events(bed, b, FLAGS), POLLOUT);
	assert_int_equal(shut(bed, l), 0);
	assert_int_equal(testbed_finish(first), -ECONNREFUSED);
}

static void a_close_is_an_end_of_file_then_a_broken_pipe(void **state)
{
	struct testbed *bed = *state;
	char buf[256];
	int fd[2];

	connected(bed, fd);
	assert_int_equal(put(bed, fd[0], "bye"), 3);
	assert_int_equal(shut(bed, fd[0]), 0);
	expect(bed, fd[1], "bye");
	assert_int_equal(events(bed, fd[1], FLAGS),
	                 POLLIN | POLLOUT | POLLRDHUP);
	assert_int_equal(get(bed, fd[1], buf, 0), 0);
	/* The first write is answered by a reset, the second knows it. */
	assert_int_equal(put(bed, fd[1], "x"), 1);
	testbed_block(bed->task, SIGNAL_BIT(13));
	assert_int_equal(put(bed, fd[1], "x"), -EPIPE);
}

static void unread_data_resets_the_connection(void **state)
{
	struct testbed *bed = *state;
	char buf[256];
	int fd[2];

	connected(bed, fd);
	assert_int_equal(put(bed, fd[0], "unread"), 6);
	assert_int_equal(shut(bed, fd[1]), 0);
	assert_int_equal(events(bed, fd[0], POLLIN) & POLLERR, POLLERR);
	assert_int_equal(get(bed, fd[0], buf, 0), -ECONNRESET);
	assert_int_equal(get(bed, fd[0], buf, 0), 0);
}

static void a_linger_of_zero_resets_too(void **state)
{
	struct testbed *bed = *state;
	int32_t linger[2] = {1, 0};
	char buf[256];
	int fd[2];

	connected(bed, fd);
	assert_int_equal(testbed_call(bed, __NR_setsockopt, fd[0], SOL_SOCKET,
	                              SO_LINGER, linger, sizeof(linger)),
	                 0);
	assert_int_equal(shut(bed, fd[0]), 0);
	assert_int_equal(get(bed, fd[1], buf, 0), -ECONNRESET);
}

static void shutting_down_twice_closes_for_both(void **state)
{
	struct testbed *bed = *state;
	char buf[256];
	int fd[2];

	connected(bed, fd);
	assert_int_equal(testbed_call(bed, __NR_shutdown, fd[0], SHUT_WR), 0);
	assert_int_equal(get(bed, fd[1], buf, 0), 0);
	assert_int_equal(put(bed, fd[1], "still"), 5);
	assert_int_equal(testbed_call(bed, __NR_shutdown, fd[1], SHUT_WR), 0);
	expect(bed, fd[0], "still");
	assert_int_equal(get(bed, fd[0], buf, 0), 0);
	assert_int_equal(events(bed, fd[0], 0), POLLHUP);
	assert_int_equal(testbed_call(bed, __NR_shutdown, fd[0], SHUT_WR),
	                 -ENOTCONN);
}

static void ports_conflict_as_on_linux(void **state)
{
	struct testbed *bed = *state;
	int l = listening(bed, v4(ANY, 5000), 1);
	int fd = make(bed, AF_INET, SOCK_STREAM);
	int c = make(bed, AF_INET, SOCK_STREAM);

	assert_int_equal(bind_to(bed, fd, v4(LO, 5000)), -EADDRINUSE);
	assert_int_equal(set(bed, fd, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	assert_int_equal(bind_to(bed, fd, v4(LO, 5000)), -EADDRINUSE);

	/* A connection keeps the port from those without SO_REUSEADDR. */
	assert_int_equal(connect_to(bed, c, v4(LO, 5000)), 0);
	assert_true(testbed_call(bed, __NR_accept, l, 0, 0) >= 0);
	assert_int_equal(shut(bed, l), 0);
	l = make(bed, AF_INET, SOCK_STREAM);
	assert_int_equal(bind_to(bed, l, v4(ANY, 5000)), -EADDRINUSE);
}

static void listeners_may_share_a_port_on_purpose(void **state)
{
	struct testbed *bed = *state;
	int fd[2];

	for (int i = 0; i < 2; i++) {
		fd[i] = make(bed, AF_INET, SOCK_STREAM);
		assert_int_equal(set(bed, fd[i], SOL_SOCKET, SO_REUSEPORT, 1),
		                 0);
		assert_int_equal(bind_to(bed, fd[i], v4(LO, 6000)), 0);
		assert_int_equal(testbed_call(bed, __NR_listen, fd[i], 5), 0);
	}
	for (int i = 0; i < 2; i++) {
		int c = make(bed, AF_INET, SOCK_STREAM);

		assert_int_equal(connect_to(bed, c, v4(LO, 6000)), 0);
	}
	assert_int_equal(events(bed, fd[0], POLLIN), POLLIN);
	assert_int_equal(events(bed, fd[1], POLLIN), POLLIN);
}

static void a_v6_listener_takes_v4_unless_told_not_to(void **state)
{
	struct testbed *bed = *state;
	int l = listening(bed, v6(0, 7000), 5);
	int c = make(bed, AF_INET, SOCK_STREAM);
	struct sockname n;
	long s;

	assert_int_equal(connect_to(bed, c, v4(LO, 7000)), 0);
	s = testbed_call(bed, __NR_accept, l, 0, 0);
	n = name_of(bed, (int)s, true);
	assert_int_equal(n.family, AF_INET6);
	assert_int_equal(n.in6.sin6_addr.s6_addr[10], 0xff);
	assert_int_equal(n.in6.sin6_addr.s6_addr[12], 127);

	l = make(bed, AF_INET6, SOCK_STREAM);
	assert_int_equal(set(bed, l, SOL_IPV6, IPV6_V6ONLY, 1), 0);
	assert_int_equal(bind_to(bed, l, v6(0, 7001)), 0);
	assert_int_equal(testbed_call(bed, __NR_listen, l, 5), 0);
	c = make(bed, AF_INET, SOCK_STREAM);
	assert_int_equal(connect_to(bed, c, v4(LO, 7001)), -ECONNREFUSED);
	assert_int_equal(bind_to(bed, c, v4(LO, 7001)), 0);
}

static void low_ports_are_root_s(void **state)
{
	struct testbed *bed = *state;
	int fd;

	testbed_become(bed, 1000);
	fd = make(bed, AF_INET, SOCK_STREAM);
	assert_int_equal(bind_to(bed, fd, v4(LO, 80)), -EACCES);
}

static void an_urgent_byte_goes_past_the_stream(void **state)
{
	struct testbed *bed = *state;
	char buf[256];
	int fd[2];

	connected(bed, fd);
	assert_int_equal(
		testbed_call(bed, __NR_sendto, fd[0], "ab!", 3, MSG_OOB), 3);
	assert_int_equal(events(bed, fd[1], POLLPRI), POLLPRI);
	expect(bed, fd[1], "ab");
	assert_int_equal(get(bed, fd[1], buf, MSG_OOB), 1);
	assert_string_equal(buf, "!");
	assert_int_equal(get(bed, fd[1], buf, MSG_OOB), -EINVAL);
}

static void an_unconnected_socket_says_so(void **state)
{
	struct testbed *bed = *state;
	int fd = make(bed, AF_INET, SOCK_STREAM);
	char buf[256];

	testbed_block(bed->task, SIGNAL_BIT(13));
	assert_int_equal(get(bed, fd, buf, 0), -ENOTCONN);
	assert_int_equal(put(bed, fd, "x"), -EPIPE);
	assert_int_equal(testbed_call(bed, __NR_accept, fd, 0, 0), -EINVAL);
	assert_int_equal(testbed_call(bed, __NR_shutdown, fd, SHUT_WR),
	                 -ENOTCONN);
}

static void everything_is_given_back(void **state)
{
	struct testbed *bed = *state;
	uint64_t before;
	int fd[2];

	connected(bed, fd);
	assert_int_equal(shut(bed, fd[0]), 0);
	assert_int_equal(shut(bed, fd[1]), 0);
	before = bed->kernel.limits.memory_used;
	connected(bed, fd);
	assert_int_equal(put(bed, fd[0], "text"), 4);
	assert_int_equal(shut(bed, fd[1]), 0);
	assert_int_equal(shut(bed, fd[0]), 0);
	assert_int_equal(bed->kernel.limits.memory_used, before);
	assert_int_equal(bed->kernel.net->count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(bytes_go_both_ways),
		TESTBED(both_ends_have_names),
		TESTBED(nobody_there_is_refused),
		TESTBED(outside_there_is_no_route),
		TESTBED(a_connect_that_does_not_wait_tells_later),
		TESTBED(beyond_the_backlog_a_client_waits),
		TESTBED(a_close_is_an_end_of_file_then_a_broken_pipe),
		TESTBED(unread_data_resets_the_connection),
		TESTBED(a_linger_of_zero_resets_too),
		TESTBED(shutting_down_twice_closes_for_both),
		TESTBED(ports_conflict_as_on_linux),
		TESTBED(listeners_may_share_a_port_on_purpose),
		TESTBED(a_v6_listener_takes_v4_unless_told_not_to),
		TESTBED(low_ports_are_root_s),
		TESTBED(an_urgent_byte_goes_past_the_stream),
		TESTBED(an_unconnected_socket_says_so),
		TESTBED(everything_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/hostsock.h"

#include <linux/poll.h>
#include <unistd.h>

#include "kernel/fs/fd.h"
#include "kernel/fs/stream.h"
#include "kernel/net/sockets.h"

/* The host's, whose header does not go with the guest's numbers. */
int socketpair(int family, int type, int protocol, int fd[2]);
int shutdown(int fd, int how);

/* The guest's descriptor, and the host's other end. */
static int stream_pair(struct testbed *bed, int *host)
{
	int end[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, end), 0);
	*host = end[1];
	return testbed_stream(bed, end[0]);
}

static void is_a_connected_unix_socket(void **state)
{
	struct testbed *bed = *state;
	struct sockname n = {.size = sizeof(n.un)};
	struct sockcred who;
	uint32_t size = sizeof(who);
	int host, fd = stream_pair(bed, &host), pipes[2];

	assert_int_equal(option(bed, fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
	assert_int_equal(option(bed, fd, SOL_SOCKET, SO_DOMAIN), AF_UNIX);
	assert_int_equal(option(bed, fd, SOL_SOCKET, SO_ERROR), 0);
	assert_int_equal(testbed_call(bed, __NR_getsockopt, fd, SOL_SOCKET,
	                              SO_PEERCRED, &who, &size),
	                 0);
	assert_int_equal(who.uid, 65534);
	assert_int_equal(
		testbed_call(bed, __NR_getpeername, fd, n.bytes, &n.size), 0);
	assert_int_equal(n.size, sizeof(n.family));
	assert_int_equal(testbed_call(bed, __NR_listen, fd, 1), -EOPNOTSUPP);
	assert_int_equal(pipe(pipes), 0);
	close(pipes[1]);
	assert_int_equal(put(bed, testbed_stream(bed, pipes[0]), "x"),
	                 -ENOTSOCK);
	close(host);
}

static void messages_come_and_go(void **state)
{
	struct testbed *bed = *state;
	int host, fd = stream_pair(bed, &host);
	char got[256];

	assert_int_equal(put(bed, fd, "ask"), 3);
	assert_int_equal(read(host, got, sizeof(got)), 3);
	assert_int_equal(get(bed, fd, got, MSG_DONTWAIT), -EAGAIN);
	assert_int_equal(get(bed, fd, got, 0), -EWAIT);
	assert_int_equal(write(host, "answer", 6), 6);
	assert_int_equal(testbed_wait(bed->task), 6);
	assert_string_equal(got, "answer");
	assert_int_equal(write(host, "more", 4), 4);
	assert_int_equal(get(bed, fd, got, MSG_PEEK), 4);
	expect(bed, fd, "more");
	close(host);
	assert_int_equal(get(bed, fd, got, 0), 0);
	assert_int_equal(
		testbed_call(bed, __NR_sendto, fd, "x", 1, MSG_NOSIGNAL, 0, 0),
		-EPIPE);
}

static void each_direction_ends_by_itself(void **state)
{
	struct testbed *bed = *state;
	int host, fd = stream_pair(bed, &host);
	char got[256];

	assert_int_equal(testbed_call(bed, __NR_shutdown, fd, SHUT_WR), 0);
	assert_int_equal(read(host, got, sizeof(got)), 0);
	assert_int_equal(write(host, "rest", 4), 4);
	expect(bed, fd, "rest");
	assert_int_equal(get(bed, fd, got, 0), -EWAIT);
	assert_int_equal(shutdown(host, SHUT_WR), 0);
	assert_int_equal(testbed_wait(bed->task), 0);
	close(host);
}

static void a_full_one_is_waited_for(void **state)
{
	static char much[1 << 20], back[sizeof(much)];
	struct testbed *bed = *state;
	int host, fd = stream_pair(bed, &host);
	size_t have = 0;
	long n;

	n = testbed_call(bed, __NR_sendto, fd, much, sizeof(much), 0);
	assert_int_equal(n, -EWAIT);
	while (n == -EWAIT) {
		ssize_t got = read(host, back, sizeof(back));

		assert_true(got > 0);
		have += (size_t)got;
		while (loop_wait(&bed->kernel.loop, 0) > 0)
			;
		n = testbed_finish(bed->task);
	}
	assert_int_equal(n, sizeof(much));
	while (have < sizeof(much)) {
		ssize_t got = read(host, back, sizeof(back));

		assert_true(got > 0);
		have += (size_t)got;
	}
	close(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(is_a_connected_unix_socket),
		TESTBED(messages_come_and_go),
		TESTBED(each_direction_ends_by_itself),
		TESTBED(a_full_one_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

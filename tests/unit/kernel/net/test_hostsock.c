/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/hostsock.h"

#include <linux/poll.h>
#include <signal.h>
#include <unistd.h>

#include "kernel/fs/fd.h"
#include "kernel/fs/stream.h"
#include "kernel/net/sockets.h"

/* The host's, whose header does not go with the guest's numbers. */
int socketpair(int family, int type, int protocol, int fd[2]);
int shutdown(int fd, int how);
ssize_t send(int fd, const void *bytes, size_t size, int flags);
ssize_t recv(int fd, void *bytes, size_t size, int flags);

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
	assert_int_equal(send_fd(bed, fd, fd), -EOPNOTSUPP);
	assert_int_equal(recv(host, got, sizeof(got), MSG_DONTWAIT), -1);
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

/* The call runs on with what the host has done. */
static long go_on(struct testbed *bed)
{
	while (loop_wait(&bed->kernel.loop, 0) > 0)
		;
	return testbed_finish(bed->task);
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
		n = go_on(bed);
	}
	assert_int_equal(n, sizeof(much));
	while (have < sizeof(much)) {
		ssize_t got = read(host, back, sizeof(back));

		assert_true(got > 0);
		have += (size_t)got;
	}
	close(host);
}

/* More than the host holds, so that it must be taken while it comes. */
static void waitall_waits_for_all(void **state)
{
	enum { ALL = 600000 };
	static uint8_t all[ALL], back[ALL];
	struct testbed *bed = *state;
	int host, fd = stream_pair(bed, &host);
	size_t sent = 0;
	long n;

	for (size_t i = 0; i < ALL; i++)
		all[i] = (uint8_t)(i * 7 + i / 256);
	n = testbed_call(bed, __NR_recvfrom, fd, back, ALL, MSG_WAITALL);
	while (sent < ALL) {
		assert_int_equal(n, -EWAIT);
		n = send(host, all + sent, MIN(ALL - sent, (size_t)50000),
		         MSG_DONTWAIT);
		assert_true(n > 0);
		sent += (size_t)n;
		n = go_on(bed);
	}
	assert_int_equal(n, ALL);
	assert_memory_equal(all, back, ALL);
	close(host);
}

/* Each piece of its own, and the parts of it that came at different times. */
static void waitall_fills_every_piece(void **state)
{
	struct testbed *bed = *state;
	int host, fd = stream_pair(bed, &host);
	char one[4], two[4];
	abi_iovec iov[2] = {{(uintptr_t)one, 4}, {(uintptr_t)two, 4}};
	struct {
		abi_msghdr head;
		uint64_t size;
	} many[2] = {0};

	for (int i = 0; i < 2; i++) {
		many[i].head.iov = (uintptr_t)iov;
		many[i].head.iov_count = 2;
	}
	assert_int_equal(write(host, "abc", 3), 3);
	assert_int_equal(
		testbed_call(bed, __NR_recvmmsg, fd, many, 2, MSG_WAITALL, 0),
		-EWAIT);
	assert_int_equal(write(host, "defgh", 5), 5);
	assert_int_equal(go_on(bed), -EWAIT);
	assert_memory_equal(one, "abcd", 4);
	assert_memory_equal(two, "efgh", 4);
	assert_int_equal(many[0].size, 8);
	assert_int_equal(write(host, "ij", 2), 2);
	assert_int_equal(go_on(bed), -EWAIT);
	assert_int_equal(shutdown(host, SHUT_WR), 0);
	assert_int_equal(testbed_wait(bed->task), 2);
	assert_int_equal(many[1].size, 2);
	assert_memory_equal(one, "ijcd", 4);
	close(host);
}

/* What has come when there is a reason not to wait is the answer. */
static void waitall_gives_what_came(void **state)
{
	const abi_timeval soon = {0, 1000};
	struct testbed *bed = *state;
	int host, fd = stream_pair(bed, &host);
	int other, ending = stream_pair(bed, &other);
	const abi_sigaction handled = {.handler = 0x1000};
	const abi_siginfo info = signal_info_kernel(SIGUSR1);
	char got[256];

	assert_int_equal(write(host, "abc", 3), 3);
	assert_int_equal(get(bed, fd, got, MSG_WAITALL | MSG_PEEK), 3);
	assert_int_equal(get(bed, fd, got, MSG_WAITALL | MSG_DONTWAIT), 3);
	assert_int_equal(get(bed, fd, got, MSG_WAITALL | MSG_DONTWAIT),
	                 -EAGAIN);
	/* The end. */
	assert_int_equal(write(other, "g", 1), 1);
	close(other);
	assert_int_equal(get(bed, ending, got, MSG_WAITALL), 1);
	assert_int_equal(get(bed, ending, got, MSG_WAITALL), 0);
	/* Its time is over. */
	assert_int_equal(testbed_call(bed, __NR_setsockopt, fd, SOL_SOCKET,
	                              SO_RCVTIMEO, &soon, sizeof(soon)),
	                 0);
	assert_int_equal(write(host, "f", 1), 1);
	assert_int_equal(get(bed, fd, got, MSG_WAITALL), -EWAIT);
	assert_int_equal(testbed_wait(bed->task), 1);
	/* A signal. */
	assert_int_equal(testbed_call(bed, __NR_rt_sigaction, SIGUSR1, &handled,
	                              NULL, 8),
	                 0);
	assert_int_equal(write(host, "de", 2), 2);
	assert_int_equal(get(bed, fd, got, MSG_WAITALL), -EWAIT);
	assert_int_equal(signal_send_task(bed->task, &info, false), 0);
	assert_int_equal(testbed_wait(bed->task), 2);
	assert_string_equal(got, "de");
	close(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(is_a_connected_unix_socket),
		TESTBED(messages_come_and_go),
		TESTBED(each_direction_ends_by_itself),
		TESTBED(a_full_one_is_waited_for),
		TESTBED(waitall_waits_for_all),
		TESTBED(waitall_fills_every_piece),
		TESTBED(waitall_gives_what_came),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

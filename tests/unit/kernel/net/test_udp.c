/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/udp.h"

#include <linux/poll.h>

#include "kernel/net/sockets.h"

#define LO 0x7f000001u

static int bound(struct testbed *bed, struct sockname n)
{
	int fd = make(bed, n.family, SOCK_DGRAM);

	assert_int_equal(bind_to(bed, fd, n), 0);
	return fd;
}

static void a_datagram_arrives_with_its_sender(void **state)
{
	struct testbed *bed = *state;
	int a = bound(bed, v4(LO, 3000));
	int b = make(bed, AF_INET, SOCK_DGRAM);
	struct sockname from = {.size = sizeof(from.bytes)};
	char buf[16];

	assert_int_equal(put_to(bed, b, "hi", v4(LO, 3000)), 2);
	assert_int_equal(testbed_call(bed, __NR_recvfrom, a, buf, 16, 0,
	                              from.bytes, &from.size),
	                 2);
	assert_int_equal(be16toh(from.in.sin_port), port_of(bed, b));
	assert_int_equal(from.in.sin_addr.s_addr, htobe32(LO));
}

static void the_best_match_gets_it(void **state)
{
	struct testbed *bed = *state;
	int any = make(bed, AF_INET, SOCK_DGRAM);
	int one = make(bed, AF_INET, SOCK_DGRAM);
	int from = make(bed, AF_INET, SOCK_DGRAM);

	assert_int_equal(set(bed, any, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	assert_int_equal(set(bed, one, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	assert_int_equal(bind_to(bed, any, v4(0, 3000)), 0);
	assert_int_equal(bind_to(bed, one, v4(LO, 3000)), 0);
	assert_int_equal(put_to(bed, from, "exact", v4(LO, 3000)), 5);
	assert_int_equal(put_to(bed, from, "other", v4(LO + 1, 3000)), 5);
	expect(bed, one, "exact");
	expect(bed, any, "other");
}

static void who_is_connected_hears_only_the_peer(void **state)
{
	struct testbed *bed = *state;
	int a = bound(bed, v4(LO, 3000));
	int b = bound(bed, v4(LO, 3001));
	int c = bound(bed, v4(LO, 3002));
	char buf[256];

	assert_int_equal(connect_to(bed, a, v4(LO, 3001)), 0);
	assert_int_equal(put_to(bed, c, "stranger", v4(LO, 3000)), 8);
	assert_int_equal(get(bed, a, buf, MSG_DONTWAIT), -EAGAIN);
	assert_int_equal(put_to(bed, b, "peer", v4(LO, 3000)), 4);
	expect(bed, a, "peer");
}

static void nobody_there_is_told_to_who_is_connected(void **state)
{
	struct testbed *bed = *state;
	int a = make(bed, AF_INET, SOCK_DGRAM);
	char buf[256];

	assert_int_equal(put_to(bed, a, "x", v4(LO, 9)), 1);
	assert_int_equal(get(bed, a, buf, MSG_DONTWAIT), -EAGAIN);
	assert_int_equal(connect_to(bed, a, v4(LO, 9)), 0);
	assert_int_equal(put(bed, a, "x"), 1);
	assert_int_equal(events(bed, a, POLLIN), POLLERR);
	assert_int_equal(get(bed, a, buf, 0), -ECONNREFUSED);
	assert_int_equal(get(bed, a, buf, MSG_DONTWAIT), -EAGAIN);
}

static void an_error_queue_keeps_what_failed(void **state)
{
	struct testbed *bed = *state;
	int a = make(bed, AF_INET, SOCK_DGRAM);
	char buf[256];

	assert_int_equal(set(bed, a, SOL_IP, IP_RECVERR, 1), 0);
	assert_int_equal(put_to(bed, a, "gone", v4(LO, 9)), 4);
	assert_int_equal(option(bed, a, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	assert_int_equal(get(bed, a, buf, MSG_ERRQUEUE), 4);
	assert_string_equal(buf, "gone");
	assert_int_equal(get(bed, a, buf, MSG_ERRQUEUE), -EAGAIN);
}

static void a_full_buffer_loses_silently(void **state)
{
	static char big[60000];
	struct testbed *bed = *state;
	int a = bound(bed, v4(LO, 3000));
	int b = make(bed, AF_INET, SOCK_DGRAM);
	int count = 0;

	assert_int_equal(connect_to(bed, b, v4(LO, 3000)), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(
			testbed_call(bed, __NR_sendto, b, big, sizeof(big), 0),
			sizeof(big));
	while (testbed_call(bed, __NR_recvfrom, a, big, sizeof(big),
	                    MSG_DONTWAIT) > 0)
		count++;
	assert_in_range(count, 1, 10);
}

static void what_must_not_be_sent_is_refused(void **state)
{
	static char big[70000];
	static const struct {
		const char *why;
		uint32_t addr;
		unsigned port;
		long want;
	} refused[] = {
		{"there is no port 0", LO, 0, -EINVAL},
		{"outside there is nothing", 0x01010101, 53, -ENETUNREACH},
		{"broadcasting must be asked for", 0xffffffff, 1, -EACCES},
		{"nor are groups reachable", 0xe0000001, 1, -ENETUNREACH},
	};
	struct testbed *bed = *state;
	int a = make(bed, AF_INET, SOCK_DGRAM);

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		long got = put_to(bed, a, "x",
		                  v4(refused[i].addr, refused[i].port));

		if (got != refused[i].want)
			fail_msg("%s: got %ld", refused[i].why, got);
	}
	assert_int_equal(put(bed, a, "x"), -EDESTADDRREQ);
	assert_int_equal(connect_to(bed, a, v4(LO, 1)), 0);
	assert_int_equal(testbed_call(bed, __NR_sendto, a, big, sizeof(big), 0),
	                 -EMSGSIZE);
}

static void the_address_it_was_sent_to_can_be_had(void **state)
{
	struct testbed *bed = *state;
	int a = bound(bed, v4(0, 3000));
	int b = make(bed, AF_INET, SOCK_DGRAM);
	struct ancillary c;
	char buf[256];
	int flags;

	assert_int_equal(set(bed, a, SOL_IP, IP_PKTINFO, 1), 0);
	assert_int_equal(put_to(bed, b, "x", v4(LO + 4, 3000)), 1);
	assert_int_equal(recv_control(bed, a, buf, &c, &flags), 1);
	assert_int_equal(c.level, SOL_IP);
	assert_int_equal(c.type, IP_PKTINFO);
	assert_int_equal(c.data[0], 1);
	assert_int_equal(c.data[2], htobe32(LO + 4));
}

static void a_message_s_own_hop_limit_arrives(void **state)
{
	struct testbed *bed = *state;
	int a = bound(bed, v6(1, 3000));
	int b = make(bed, AF_INET6, SOCK_DGRAM);
	struct ancillary c = {CMSG_HEAD + 4, SOL_IPV6, IPV6_HOPLIMIT, {2}};
	char buf[256];
	int flags;

	assert_int_equal(set(bed, a, SOL_IPV6, IPV6_RECVHOPLIMIT, 1), 0);
	assert_int_equal(connect_to(bed, b, v6(1, 3000)), 0);
	assert_int_equal(send_control(bed, b, "x", &c), 1);
	assert_int_equal(recv_control(bed, a, buf, &c, &flags), 1);
	assert_int_equal(c.type, IPV6_HOPLIMIT);
	assert_int_equal(c.data[0], 2);
	c = (struct ancillary){CMSG_HEAD + 4, SOL_IPV6, IPV6_HOPLIMIT, {256}};
	assert_int_equal(send_control(bed, b, "x", &c), -EINVAL);
}

static void a_v6_socket_talks_to_v4(void **state)
{
	struct testbed *bed = *state;
	int a = bound(bed, v6(0, 3000));
	int b = make(bed, AF_INET, SOCK_DGRAM);
	struct sockname from = {.size = sizeof(from.bytes)};
	char buf[16];

	assert_int_equal(put_to(bed, b, "hi", v4(LO, 3000)), 2);
	assert_int_equal(testbed_call(bed, __NR_recvfrom, a, buf, 16, 0,
	                              from.bytes, &from.size),
	                 2);
	assert_int_equal(from.size, sizeof(from.in6));
	assert_int_equal(put_to(bed, a, "back", from), 4);
	expect(bed, b, "back");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(a_datagram_arrives_with_its_sender),
		TESTBED(the_best_match_gets_it),
		TESTBED(who_is_connected_hears_only_the_peer),
		TESTBED(nobody_there_is_told_to_who_is_connected),
		TESTBED(an_error_queue_keeps_what_failed),
		TESTBED(a_full_buffer_loses_silently),
		TESTBED(what_must_not_be_sent_is_refused),
		TESTBED(the_address_it_was_sent_to_can_be_had),
		TESTBED(a_message_s_own_hop_limit_arrives),
		TESTBED(a_v6_socket_talks_to_v4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/netlink.h"

#include <linux/rtnetlink.h>

#include "kernel/net/sockets.h"

/* A request with a body of zeros, and the answer to it. */
struct talk {
	struct nlmsghdr head;
	uint8_t body[32];
};

static long ask(struct testbed *bed, int fd, struct talk *t, unsigned type,
                unsigned flags)
{
	t->head.nlmsg_len = sizeof(t->head) + 16;
	t->head.nlmsg_type = (uint16_t)type;
	t->head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	t->head.nlmsg_seq = 77;
	return testbed_call(bed, __NR_sendto, fd, t, t->head.nlmsg_len, 0);
}

/* Counts the messages of a type in the next datagram; *end: the last type. */
static int count(struct testbed *bed, int fd, unsigned type, unsigned *end)
{
	static uint8_t buf[8192];
	long n = testbed_call(bed, __NR_recvfrom, fd, buf, sizeof(buf),
	                      MSG_DONTWAIT);
	struct netlink_request q;
	struct reader r;
	int found = 0;

	assert_true(n > 0);
	r = (struct reader){.rest = {buf, (size_t)n}};
	while (netlink_next(&r, &q)) {
		assert_int_equal(q.seq, 77);
		found += q.type == type;
		*end = q.type;
	}
	return found;
}

static int route_socket(struct testbed *bed)
{
	return (int)testbed_call(bed, __NR_socket, AF_NETLINK, SOCK_RAW,
	                         NETLINK_ROUTE);
}

static void dumps_describe_the_loopback(void **state)
{
	static const struct {
		unsigned ask, answer;
		uint8_t family;
		int count;
	} dumps[] = {
		{RTM_GETLINK, RTM_NEWLINK, AF_UNSPEC, 1},
		{RTM_GETADDR, RTM_NEWADDR, AF_UNSPEC, 2},
		{RTM_GETADDR, RTM_NEWADDR, AF_INET6, 1},
		{RTM_GETROUTE, RTM_NEWROUTE, AF_INET, 3},
		{RTM_GETRULE, RTM_NEWRULE, AF_INET, 3},
		{RTM_GETNEIGH, RTM_NEWNEIGH, AF_UNSPEC, 0},
	};
	struct testbed *bed = *state;
	int fd = route_socket(bed);

	for (size_t i = 0; i < ARRAY_LEN(dumps); i++) {
		struct talk t = {.body = {dumps[i].family}};
		unsigned end = 0;

		assert_true(ask(bed, fd, &t, dumps[i].ask, NLM_F_DUMP) > 0);
		assert_int_equal(count(bed, fd, dumps[i].answer, &end),
		                 dumps[i].count);
		assert_int_equal(end, NLMSG_DONE);
	}
}

static void one_link_is_found_by_its_index(void **state)
{
	struct testbed *bed = *state;
	int fd = route_socket(bed);
	struct talk t = {.body = {[4] = 1}};
	unsigned end;

	assert_true(ask(bed, fd, &t, RTM_GETLINK, 0) > 0);
	assert_int_equal(count(bed, fd, RTM_NEWLINK, &end), 1);
	t.body[4] = 2;
	assert_true(ask(bed, fd, &t, RTM_GETLINK, 0) > 0);
	assert_int_equal(count(bed, fd, NLMSG_ERROR, &end), 1);
}

static void changes_are_refused_and_acknowledgements_given(void **state)
{
	struct testbed *bed = *state;
	int fd = route_socket(bed);
	struct talk t = {.body = {0}};
	unsigned end;

	assert_true(ask(bed, fd, &t, RTM_NEWLINK, NLM_F_ACK) > 0);
	assert_int_equal(count(bed, fd, NLMSG_ERROR, &end), 1);
	assert_true(ask(bed, fd, &t, NLMSG_NOOP, NLM_F_ACK) > 0);
	assert_int_equal(count(bed, fd, NLMSG_ERROR, &end), 1);
}

static void ports_are_given_out(void **state)
{
	struct testbed *bed = *state;
	struct sockname n;
	int a = route_socket(bed);
	int b = route_socket(bed);

	sockname_clear(&n, AF_NETLINK, sizeof(n.nl));
	assert_int_equal(bind_to(bed, a, n), 0);
	assert_int_equal(bind_to(bed, b, n), 0);
	assert_int_equal(name_of(bed, a, false).nl.nl_pid, bed->process->pid);
	assert_int_not_equal(name_of(bed, b, false).nl.nl_pid,
	                     bed->process->pid);
	n.nl.nl_pid = (uint32_t)bed->process->pid;
	b = route_socket(bed);
	assert_int_equal(bind_to(bed, b, n), -EADDRINUSE);
}

static void other_protocols_are_silent_or_absent(void **state)
{
	struct testbed *bed = *state;
	struct sockname n;
	char buf[256];
	long fd;

	fd = testbed_call(bed, __NR_socket, AF_NETLINK, SOCK_DGRAM,
	                  NETLINK_KOBJECT_UEVENT);
	assert_true(fd >= 0);
	sockname_clear(&n, AF_NETLINK, sizeof(n.nl));
	n.nl.nl_groups = 1;
	assert_int_equal(bind_to(bed, (int)fd, n), 0);
	assert_int_equal(get(bed, (int)fd, buf, MSG_DONTWAIT), -EAGAIN);
	assert_int_equal(testbed_call(bed, __NR_socket, AF_NETLINK, SOCK_RAW,
	                              NETLINK_AUDIT),
	                 -EPROTONOSUPPORT);
}

/* What a request's sizes may claim; nothing is read beyond the datagram. */
static void lying_sizes_end_the_datagram(void **state)
{
	static const struct {
		const char *why;
		uint32_t claim;
		size_t size;
	} bad[] = {
		{"shorter than a head", 15, 16},
		{"longer than the datagram", 17, 16},
		{"as long as can be", UINT32_MAX, 16},
		{"no whole head", 16, 15},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		autofree uint8_t *wire = calloc(1, bad[i].size);
		struct reader r = {.rest = {wire, bad[i].size}};
		struct netlink_request q;

		memcpy(wire, &bad[i].claim, 4);
		if (netlink_next(&r, &q) != 0)
			fail_msg("%s", bad[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(dumps_describe_the_loopback),
		TESTBED(one_link_is_found_by_its_index),
		TESTBED(changes_are_refused_and_acknowledgements_given),
		TESTBED(ports_are_given_out),
		TESTBED(other_protocols_are_silent_or_absent),
		cmocka_unit_test(lying_sizes_end_the_datagram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

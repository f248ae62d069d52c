/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/sockopt.h"

#include <linux/tcp.h>

#include "kernel/net/sockets.h"

static const struct {
	int family, type;
} kinds[] = {
	{AF_UNIX, SOCK_STREAM},   {AF_UNIX, SOCK_DGRAM},
	{AF_INET, SOCK_STREAM},   {AF_INET, SOCK_DGRAM},
	{AF_INET6, SOCK_STREAM},  {AF_INET6, SOCK_DGRAM},
	{AF_NETLINK, SOCK_DGRAM},
};

/*
 * Every row can be read or refuses to be, of every kind of socket, and what
 * was read from an int can be written back.
 */
static void every_row_survives_every_socket(void **state)
{
	struct testbed *bed = *state;

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		int fd = make(bed, kinds[k].family, kinds[k].type);
		int level;
		int opt;

		for (size_t n = 0; sockopt_row(n, &level, &opt); n++) {
			uint8_t value[256] = {0};
			int size = sizeof(value);
			long got = testbed_call(bed, __NR_getsockopt, fd, level,
			                        opt, value, &size);

			assert_in_range(-got, 0, 133);
			if (got == 0 && size == 4)
				(void)testbed_call(bed, __NR_setsockopt, fd,
				                   level, opt, value, 4);
			(void)testbed_call(bed, __NR_setsockopt, fd, level, opt,
			                   value, sizeof(value));
			(void)testbed_call(bed, __NR_setsockopt, fd, level, opt,
			                   value, 0);
		}
		assert_int_equal(shut(bed, fd), 0);
	}
}

static void no_row_is_there_twice(void **state)
{
	int level;
	int opt;

	(void)state;
	for (size_t n = 0; sockopt_row(n, &level, &opt); n++) {
		int other_level;
		int other;

		for (size_t i = 0; i < n; i++) {
			assert_true(sockopt_row(i, &other_level, &other));
			if (level == other_level && opt == other)
				fail_msg("%d, %d", level, opt);
		}
	}
}

static void flags_and_numbers_are_kept(void **state)
{
	struct testbed *bed = *state;
	int fd = make(bed, AF_INET, SOCK_STREAM);

	assert_int_equal(set(bed, fd, SOL_TCP, TCP_NODELAY, 5), 0);
	assert_int_equal(option(bed, fd, SOL_TCP, TCP_NODELAY), 1);
	assert_int_equal(set(bed, fd, SOL_TCP, TCP_KEEPIDLE, 12), 0);
	assert_int_equal(option(bed, fd, SOL_TCP, TCP_KEEPIDLE), 12);
	assert_int_equal(set(bed, fd, SOL_TCP, TCP_KEEPIDLE, 0), -EINVAL);
	assert_int_equal(set(bed, fd, SOL_TCP, 9999, 0), -ENOPROTOOPT);
	assert_int_equal(set(bed, fd, SOL_SOCKET, SO_TYPE, 1), -ENOPROTOOPT);
}

static void buffers_are_doubled_within_bounds(void **state)
{
	struct testbed *bed = *state;
	int fd = make(bed, AF_UNIX, SOCK_STREAM);

	assert_int_equal(set(bed, fd, SOL_SOCKET, SO_SNDBUF, 10000), 0);
	assert_int_equal(option(bed, fd, SOL_SOCKET, SO_SNDBUF), 20000);
	assert_int_equal(set(bed, fd, SOL_SOCKET, SO_SNDBUF, 1), 0);
	assert_int_equal(option(bed, fd, SOL_SOCKET, SO_SNDBUF), 4608);
	assert_int_equal(set(bed, fd, SOL_SOCKET, SO_RCVBUF, 1 << 30), 0);
	assert_int_equal(option(bed, fd, SOL_SOCKET, SO_RCVBUF), 425984);
	testbed_become(bed, 1000);
	assert_int_equal(set(bed, fd, SOL_SOCKET, SO_SNDBUFFORCE, 1), -EPERM);
}

static void a_short_buffer_gets_a_part(void **state)
{
	struct testbed *bed = *state;
	int fd = make(bed, AF_INET, SOCK_DGRAM);
	uint8_t value[4] = {9, 9, 9, 9};
	int size = 2;

	assert_int_equal(testbed_call(bed, __NR_getsockopt, fd, SOL_SOCKET,
	                              SO_TYPE, value, &size),
	                 0);
	assert_int_equal(size, 2);
	assert_int_equal(value[0], SOCK_DGRAM);
	assert_int_equal(value[2], 9);
	size = -1;
	assert_int_equal(testbed_call(bed, __NR_getsockopt, fd, SOL_SOCKET,
	                              SO_TYPE, value, &size),
	                 -EINVAL);
	assert_int_equal(testbed_call(bed, __NR_setsockopt, fd, SOL_SOCKET,
	                              SO_BROADCAST, value, 3),
	                 -EINVAL);
}

static void what_a_family_lacks_it_refuses(void **state)
{
	struct testbed *bed = *state;
	int fd = make(bed, AF_UNIX, SOCK_STREAM);

	assert_int_equal(set(bed, fd, SOL_TCP, TCP_NODELAY, 1), -EOPNOTSUPP);
	fd = make(bed, AF_INET, SOCK_DGRAM);
	assert_int_equal(set(bed, fd, SOL_TCP, TCP_NODELAY, 1), -ENOPROTOOPT);
	assert_int_equal(set(bed, fd, SOL_IPV6, IPV6_V6ONLY, 1), -ENOPROTOOPT);
}

static void families_that_are_missing_say_so(void **state)
{
	static const struct {
		int family, type, protocol;
		long want;
	} refused[] = {
		{AF_PACKET, SOCK_RAW, 0, -EPERM},
		{40 /* AF_VSOCK */, SOCK_STREAM, 0, -EAFNOSUPPORT},
		{999, SOCK_STREAM, 0, -EAFNOSUPPORT},
		{-1, SOCK_STREAM, 0, -EAFNOSUPPORT},
		{AF_INET, SOCK_RAW, IPPROTO_ICMP, -EPERM},
		{AF_INET, SOCK_DGRAM, IPPROTO_ICMP, -EACCES},
		{AF_INET, SOCK_STREAM, IPPROTO_UDP, -EPROTONOSUPPORT},
		{AF_INET, SOCK_DGRAM, IPPROTO_TCP, -EPROTONOSUPPORT},
		{AF_INET, SOCK_SEQPACKET, 0, -ESOCKTNOSUPPORT},
		{AF_INET, 15, 0, -EINVAL},
		{AF_INET, SOCK_STREAM, 262, -EPROTONOSUPPORT},
		{AF_UNIX, SOCK_STREAM, 7, -EPROTONOSUPPORT},
		{AF_UNIX, SOCK_STREAM | 0x10000, 0, -EINVAL},
	};
	struct testbed *bed = *state;

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		long got = testbed_call(bed, __NR_socket, refused[i].family,
		                        refused[i].type, refused[i].protocol);

		if (got != refused[i].want)
			fail_msg("row %zu: got %ld", i, got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(every_row_survives_every_socket),
		cmocka_unit_test(no_row_is_there_twice),
		TESTBED(flags_and_numbers_are_kept),
		TESTBED(buffers_are_doubled_within_bounds),
		TESTBED(a_short_buffer_gets_a_part),
		TESTBED(what_a_family_lacks_it_refuses),
		TESTBED(families_that_are_missing_say_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

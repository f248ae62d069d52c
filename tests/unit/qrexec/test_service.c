/* SPDX-License-Identifier: Apache-2.0 */
#include "qrexec/service.h"

#include <errno.h>
#include <stdio.h>

#include "cmocka_all.h"

static void the_argument_is_part_of_the_name_first(void **state)
{
	static const char *const want[] = {
		"/run/qubes-rpc/a.B+c",
		"/usr/local/etc/qubes-rpc/a.B+c",
		"/etc/qubes-rpc/a.B+c",
		"/run/qubes-rpc/a.B",
		"/usr/local/etc/qubes-rpc/a.B",
		"/etc/qubes-rpc/a.B",
	};
	char path[SERVICE_PATH_ROOM];
	unsigned n = 0;

	(void)state;
	for (; service_place(span_str("a.B+c"), n, path); n++)
		assert_string_equal(path, want[n]);
	assert_int_equal(n, ARRAY_LEN(want));
	assert_true(service_config_place(span_str("a+"), 2, path));
	assert_string_equal(path, "/etc/qubes/rpc-config/a+");
	assert_true(service_config_place(span_str("a+"), 3, path));
	assert_string_equal(path, "/run/qubes/rpc-config/a");
}

static void a_long_name_is_looked_up_without_argument(void **state)
{
	char name[600], path[SERVICE_PATH_ROOM];
	struct span full = {(const uint8_t *)name, 255};

	(void)state;
	memset(name, 'x', sizeof(name));
	name[100] = '+';
	assert_true(service_place(full, 5, path));
	assert_true(service_place(full, 0, path));
	assert_int_equal(strlen(path), strlen("/run/qubes-rpc/") + 255);
	full.size = 256;
	assert_true(service_place(full, 0, path));
	assert_int_equal(strlen(path), strlen("/run/qubes-rpc/") + 100);
	assert_true(service_place(full, 2, path));
	assert_false(service_place(full, 3, path));
	/* Nor has any file a name of 256 bytes without it. */
	name[100] = 'x';
	name[256] = '+';
	full.size = 600;
	assert_false(service_place(full, 0, path));
}

static const struct {
	const char *link, *argument;
	const char *host; /* NULL: refused */
	uint16_t port;
	int err;
} links[] = {
	{"/dev/tcp", "127.0.0.1+80", "127.0.0.1", 80, 0},
	{"/dev/tcp/", "127.0.0.1+80", "127.0.0.1", 80, 0},
	{"/dev/tcp", "++1+443", "::1", 443, 0},
	{"/dev/tcp/127.0.0.1", "65535", "127.0.0.1", 65535, 0},
	{"/dev/tcp/localhost", "1", "127.0.0.1", 1, 0},
	{"/dev/tcp/::1/22", "", "::1", 22, 0},
	{"/dev/tcp/::1", "22", "::1", 22, 0},
	{"/dev/tcpx", "80", NULL, 0, -ENOENT},
	{"/dev/tc", "80", NULL, 0, -ENOENT},
	{"../dev/tcp", "80", NULL, 0, -ENOENT},
	{"/dev/tcp", "", NULL, 0, -EINVAL},
	{"/dev/tcp", "127.0.0.1", NULL, 0, -EINVAL},
	{"/dev/tcp", "example.org+80", NULL, 0, -EINVAL},
	{"/dev/tcp/127.0.0.1", "", NULL, 0, -EINVAL},
	{"/dev/tcp/127.0.0.1", "0", NULL, 0, -EINVAL},
	{"/dev/tcp/127.0.0.1", "080", NULL, 0, -EINVAL},
	{"/dev/tcp/127.0.0.1", "65536", NULL, 0, -EINVAL},
	{"/dev/tcp/127.0.0.1", "-1", NULL, 0, -EINVAL},
	{"/dev/tcp/127.0.0.1/80", "81", NULL, 0, -EINVAL},
	{"/dev/tcp/127.0.0.1/80/1", "", NULL, 0, -EINVAL},
};

static void links_lead_to_hosts_and_ports(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		struct service_tcp tcp = {.port = 7};
		int err = service_tcp(span_str(links[i].link),
		                      span_str(links[i].argument), &tcp);

		if (err != links[i].err)
			fail_msg("%s with %s: %d", links[i].link,
			         links[i].argument, err);
		if (err < 0) {
			assert_int_equal(tcp.port, 7);
			continue;
		}
		assert_string_equal(tcp.host, links[i].host);
		assert_int_equal(tcp.port, links[i].port);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_argument_is_part_of_the_name_first),
		cmocka_unit_test(a_long_name_is_looked_up_without_argument),
		cmocka_unit_test(links_lead_to_hosts_and_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "qrexec/service.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "qrexec/qrname.h"

#define FOLDERS 3
#define TCP     "/dev/tcp"

static const char *const services[FOLDERS] = {
	"/run/qubes-rpc",
	"/usr/local/etc/qubes-rpc",
	"/etc/qubes-rpc",
};

static const char *const configs[FOLDERS] = {
	"/run/qubes/rpc-config",
	"/usr/local/etc/qubes/rpc-config",
	"/etc/qubes/rpc-config",
};

static bool place(const char *const folder[FOLDERS], struct span full,
                  unsigned n, char to[static SERVICE_PATH_ROOM])
{
	struct span name, argument;

	(void)qrname_split(full, &name, &argument);
	/* No file has such a name. */
	if (full.size > QRNAME_FILE_MAX)
		n += FOLDERS;
	if (name.size > QRNAME_FILE_MAX || n >= 2 * FOLDERS)
		return false;
	if (n < FOLDERS)
		name = full;
	(void)snprintf(to, SERVICE_PATH_ROOM, "%s/%.*s", folder[n % FOLDERS],
	               (int)name.size, (const char *)name.at);
	return true;
}

bool service_place(struct span full, unsigned n,
                   char to[static SERVICE_PATH_ROOM])
{
	return place(services, full, n, to);
}

bool service_config_place(struct span full, unsigned n,
                          char to[static SERVICE_PATH_ROOM])
{
	return place(configs, full, n, to);
}

static int parse_port(struct span s, uint16_t *out)
{
	uint32_t port = 0;

	if (s.size == 0 || s.size > 5 || s.at[0] == '0')
		return -EINVAL;
	for (size_t i = 0; i < s.size; i++) {
		if (s.at[i] < '0' || s.at[i] > '9')
			return -EINVAL;
		port = port * 10 + (uint32_t)(s.at[i] - '0');
	}
	if (port > UINT16_MAX)
		return -EINVAL;
	*out = (uint16_t)port;
	return 0;
}

/* An address of either family; "localhost" is the only name. */
static int parse_host(struct span s, char to[static SERVICE_HOST_MAX + 1])
{
	uint8_t address[16];

	if (s.size == 0 || s.size > SERVICE_HOST_MAX || memchr(s.at, 0, s.size))
		return -EINVAL;
	if (span_is(s, "localhost"))
		s = span_str("127.0.0.1");
	for (size_t i = 0; i < s.size; i++)
		to[i] = s.at[i] == '+' ? ':' : (char)s.at[i];
	to[s.size] = '\0';
	return inet_pton(AF_INET, to, address) == 1 ||
	                       inet_pton(AF_INET6, to, address) == 1
	               ? 0
	               : -EINVAL;
}

/* Cuts `s` at the last `c`: *before and what is behind it. */
static bool cut(struct span s, uint8_t c, struct span *before,
                struct span *behind)
{
	const uint8_t *at = s.size > 0 ? memrchr(s.at, c, s.size) : NULL;

	if (!at)
		return false;
	*before = (struct span){s.at, (size_t)(at - s.at)};
	*behind = span_from(s, before->size + 1);
	return true;
}

int service_tcp(struct span link, struct span argument, struct service_tcp *out)
{
	struct span head = {link.at, MIN(link.size, strlen(TCP))};
	struct span host, port, rest = span_from(link, strlen(TCP));
	struct service_tcp got = {.port = 0};
	bool said = false; /* the link has said it all */

	if (!span_is(head, TCP) || (rest.size > 0 && rest.at[0] != '/'))
		return -ENOENT;
	rest = span_from(rest, 1);
	if (rest.size == 0) {
		if (!cut(argument, '+', &host, &port))
			return -EINVAL;
	} else if (cut(rest, '/', &host, &port)) {
		said = true;
	} else {
		host = rest;
		port = argument;
	}
	if ((said && argument.size > 0) || parse_host(host, got.host) < 0 ||
	    parse_port(port, &got.port) < 0)
		return -EINVAL;
	*out = got;
	return 0;
}

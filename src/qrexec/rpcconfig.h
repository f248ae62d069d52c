/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a service wants to be started: the file rpc-config/SERVICE.
 *
 *	wait-for-session = true
 *	force-user = 'root'		# a comment
 *
 * It is the small part of TOML that Qubes OS reads: one key a line, true, false,
 * 0, 1, or a text in single quotes; no sections.  A key twice, a value of the
 * wrong kind, or anything that is not such a line makes the whole file bad; a
 * key that nobody knows does not.
 */
#pragma once

#include "base/span.h"

#define RPCCONFIG_SIZE_MAX 4096u /* larger files are bad */
#define RPCCONFIG_USER_MAX 63u

struct rpcconfig {
	/* Only once the desktop of the user is there. */
	bool wait_for_session;
	/* Of sockets: do not begin with "SERVICE+ARGUMENT SOURCE\0"; end the
	 * call when that side has sent all, whatever the other does. */
	bool skip_service_descriptor;
	bool exit_on_client_eof;
	bool exit_on_service_eof;
	/* Whom it runs as, whoever was asked for; or empty. */
	char force_user[RPCCONFIG_USER_MAX + 1];
	uint32_t unknown; /* how many keys nobody knows */
};

/*
 * Reads one.  0; -EINVAL with *line (from 1 on) where it is bad; -ENOMEM.  Then
 * *out is left alone.
 */
must_check int rpcconfig_parse(struct span text, struct rpcconfig *out,
                               uint32_t *line);

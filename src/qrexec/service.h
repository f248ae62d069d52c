/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a qube's services are, and what a link to /dev/tcp means.
 *
 * A service is an executable, a unix socket, or a symbolic link to /dev/tcp, in
 * one of three folders; under the name SERVICE+ARGUMENT in any of them first,
 * then under SERVICE.  Its configuration (rpcconfig.h) is found in the same way
 * in three other folders.  The first that is there counts.
 */
#pragma once

#include "base/span.h"

/* Room for the longest path of a place, with its NUL. */
#define SERVICE_PATH_ROOM 320u

/*
 * Writes the path of the place number `n` (0, 1, ...) where the service `full`,
 * which is qrname_service_ok(), may be.  False when there is none any more.
 */
must_check bool service_place(struct span full, unsigned n,
                              char to[static SERVICE_PATH_ROOM]);

/* The same for its configuration. */
must_check bool service_config_place(struct span full, unsigned n,
                                     char to[static SERVICE_PATH_ROOM]);

#define SERVICE_HOST_MAX 63u

struct service_tcp {
	char host[SERVICE_HOST_MAX + 1]; /* as inet_pton(3) wants it */
	uint16_t port;                   /* not 0 */
};

/*
 * Where a service connects to that is a symbolic link with this target: what
 * the link does not say (/dev/tcp, /dev/tcp/HOST, /dev/tcp/HOST/PORT), the
 * argument does, with a '+' between host and port, and for each ':' of a host.
 * 0; -ENOENT when it is no such link; -EINVAL when too little, or too much, is
 * said, or it is neither a number of a host nor of a port.
 */
must_check int service_tcp(struct span link, struct span argument,
                           struct service_tcp *out);

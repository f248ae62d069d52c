/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A service of dom0 that is a unix socket, or a link to /dev/tcp: a process of its
 * own connects, and carries the bytes of one call, both ways, each as fast as its
 * receiver takes them.  Behind the connecting it is confined to that (carrier.def).
 */
#pragma once

#include "admin/paths.h"
#include "base/span.h"
#include "qrexec/rpcconfig.h"
#include "qrexec/service.h"

/* The longest head there can be. */
#define CARRIER_HEAD_MAX 65536u

/* A service that does not answer for so long keeps its place among calls no longer. */
#define CARRIER_PATIENCE_MS 10000u

struct carrier {
	char path[PATHS_MAX + 320]; /* of the socket; empty: `tcp` */
	struct service_tcp tcp;
	struct span head; /* for the service, before all else */
	struct rpcconfig config;
	unsigned patience_ms; /* for the connecting; not 0 */
};

/*
 * Connects, carries what comes from the stream `in` to the service, and what that
 * says to the stream `out`, and ends with the exit status for the caller: 0 once
 * both are over, 125 when nobody listens or answers.
 */
_Noreturn void carrier_become(const struct carrier *c, int in, int out);

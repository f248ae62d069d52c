/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds a service in this qube's files, as its root would.  src/qrexec says
 * where to look; what is there decides how it is served.
 */
#pragma once

#include "base/fault.h"
#include "kernel/fs/path.h"
#include "qrexec/rpcconfig.h"
#include "qrexec/service.h"

enum servefind_kind {
	SERVEFIND_PROGRAM, /* to be executed */
	SERVEFIND_SOCKET,  /* a unix socket somebody listens at */
	SERVEFIND_TCP,     /* a link to /dev/tcp */
};

struct servefind {
	enum servefind_kind kind;
	char path[SERVICE_PATH_ROOM];
	struct path at; /* a socket's; references, path_put() it */
	struct service_tcp tcp;
	struct rpcconfig config;
};

/*
 * Looks for `full` ("NAME+ARGUMENT") with the hand `t`.  0 and *out; -ENOENT:
 * there is none; or another negative errno: it or its configuration is of no
 * use.
 */
must_check int servefind_look(struct task *t, struct span full,
                              struct servefind *out, struct fault *f);

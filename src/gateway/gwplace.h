/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where channels and the manager's sockets lie, and numbers on command lines.
 */
#pragma once

#include "admin/paths.h"

/*
 * Makes the folder of channels the current one: `given`; or else
 * $VCHAN_SOCKET_DIR; or else vchan/ in our runtime folder. 0 or a negative errno.
 */
must_check int gwplace_enter(const char *given, struct fault *f);

/* The path of a socket of the manager's: `given`, or `name` in our runtime
 * folder. Call it before gwplace_enter(). */
must_check int gwplace_socket(const char *given, const char *name,
                              char path[PATHS_MAX], struct fault *f);

/* The number of a domain, 0 to 65535. */
must_check bool gwplace_number(const char *text, uint32_t *out);

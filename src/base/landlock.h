/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock: a process and all it starts reach the places of a plan, and no other
 * file by its name.  No TCP either from ABI 4 on; scopes are of ABI 6.
 */
#pragma once

#include "base/fault.h"

/* What may be done beneath a folder, or with a file. */
#define LANDLOCK_READ    1u
#define LANDLOCK_WRITE   2u /* folders: also make, rename and remove */
#define LANDLOCK_EXECUTE 4u
#define LANDLOCK_FILE    8u  /* it is a file, not a folder */
#define LANDLOCK_LIST    16u /* folders only: what is in them, and no more */
#define LANDLOCK_SOCKETS 32u /* folders only: make sockets, remove names */

/* Whom it cannot reach outside of its own domain. */
#define LANDLOCK_NO_ABSTRACT 1u /* abstract sockets */
#define LANDLOCK_NO_SIGNALS  2u

struct landlock_place {
	int fd; /* O_PATH will do */
	unsigned what;
	bool owned; /* whoever made the list closes it */
};

/*
 * Notes the places; their descriptors may go afterwards.  A descriptor for
 * landlock_enter(), which the caller owns; -EOPNOTSUPP on a host without
 * Landlock; or another negative errno and why.
 */
must_check int landlock_plan(const struct landlock_place *place, size_t count,
                             unsigned scope, struct fault *f);

/*
 * Confines the calling thread, and all it starts, to the plan (borrowed).
 * no_new_privs must be set.  0 or a negative errno.
 */
must_check int landlock_enter(int plan, struct fault *f);

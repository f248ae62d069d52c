/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs and folders that a user, or the machine's administrator, puts beside
 * the folder of the policy: $XDG_CONFIG_HOME/bento/NAME, then /etc/bento/NAME.
 */
#pragma once

#include "admin/paths.h"

struct manager;

/* Number `i` of the places, without a slash at its end; or false. */
must_check bool beside_place(const struct manager *m, unsigned i,
                             char path[PATHS_MAX]);

/* The first of them with an executable of that name; or false. */
must_check bool beside_find(const struct manager *m, const char *name,
                            char path[PATHS_MAX]);

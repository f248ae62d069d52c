/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The places a kernel may reach on the host: the list for jail_files().
 *
 * The host's /etc is allowed entry by entry, without what etc_hidden.def keeps
 * to itself: even a captured kernel started by root cannot read the machine's
 * password hashes.
 */
#pragma once

#include "kernel/jail.h"

struct places {
	struct landlock_place *place;
	size_t count;
	size_t room;
};

/* Borrows `fd`.  Without memory for it, the place is just not allowed. */
void places_add(struct places *p, int fd, unsigned what);

/* A folder of the template, borrowed. */
void places_add_template(struct places *p, const char *name, int fd);

void places_fini(struct places *p);

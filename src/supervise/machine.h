/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's own programs as a qube's template: the folders of its root that
 * hold programs and what they need; and a folder of its disk for what outgrows
 * memory: /var/tmp/bento-UID, which only ever holds files without a name.
 */
#pragma once

#include "supervise/start.h"

#define MACHINE_FOLDERS  8u
#define MACHINE_LINK_MAX 63u

struct machine {
	struct {
		const char *at;
		int fd; /* O_PATH, or -1: a symbolic link */
		char link[MACHINE_LINK_MAX + 1];
	} folder[MACHINE_FOLDERS];
	uint32_t count;
	int spill; /* O_DIRECTORY, or -1: all stays in memory */
};

/* Opens them.  0, or a negative errno and nothing is open. */
must_check int machine_open(struct machine *m, struct fault *f);

/* Adds them to what a kernel is started with; `m` must live as long as `s`. */
must_check int machine_add(const struct machine *m, struct start *s,
                           struct fault *f);

void machine_close(struct machine *m);

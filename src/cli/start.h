/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts a kernel: finds our other programs, puts the new process into what
 * namespaces the host allows, and leaves it the descriptors that
 * channel/launch.h names.
 */
#pragma once

#include "base/fault.h"
#include "channel/launch.h"

#define START_FDS (LAUNCH_TEMPLATES + LAUNCH_SHARES + 8u)

struct start {
	struct launch record;
	int fd[START_FDS]; /* from LAUNCH_FD_FIRST on; borrowed */
	uint32_t fd_count;
};

struct started {
	pid_t pid;
	int control; /* channel/control.h */
	int say;     /* what the kernel writes to its stderr */
};

/*
 * Opens the cell's executable beside ours, or where it was installed.  The
 * descriptor or a negative errno.
 */
must_check int start_open_cell(struct fault *f);

/* 0 and *out, whose descriptors the caller owns; or a negative errno. */
must_check int start_kernel(struct start *s, struct started *out,
                            struct fault *f);

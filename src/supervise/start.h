/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts a kernel: finds our other programs, puts the new process into what
 * namespaces the host allows, and leaves it the descriptors that
 * channel/launch.h names.
 */
#pragma once

#include "base/fault.h"
#include "channel/launch.h"
#include "supervise/cgroup.h"

/* The folder beside our programs that holds those for qubes. */
#define START_TOOLS "guest"

struct start {
	struct launch record;
	int fd[LAUNCH_FDS_MAX]; /* from LAUNCH_FD_FIRST on; borrowed */
	uint32_t fd_count;
	int say; /* where to, or 0: a pipe is made */
};

struct started {
	pid_t pid;
	int control; /* channel/control.h */
	int say;     /* the pipe with what the kernel says besides, or -1 */
	struct cgroup cgroup; /* cgroup_end() it behind start_reap() */
};

/*
 * Adds descriptors (borrowed) in the order channel/launch.h gives: first of all
 * the cell's, then the listening socket and the trace if the record's flags
 * have them, then mounts.  0, or -E2BIG for too many.
 */
must_check int start_fd(struct start *s, int fd, struct fault *f);
must_check int start_mount(struct start *s, const struct launch_mount *m,
                           const int *fds, struct fault *f);

/*
 * Starts it, with what is in START_TOOLS besides (LAUNCH_TOOLS) if that is there.
 * 0 and *out, whose descriptors the caller owns; or a negative errno.
 */
must_check int start_kernel(struct start *s, struct started *out,
                            struct fault *f);

/*
 * Waits for the end of a kernel, a child of ours, and returns its wait status.
 * What is left of its process group has been told to end by then, too, which its
 * warden (supervise/warden.h) does by itself, but later.
 */
int start_reap(pid_t kernel);

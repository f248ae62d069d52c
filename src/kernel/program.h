/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program a qube is started for: a child of process 1 with the streams,
 * user, folder and environment the launch record asks for.  When it ends, the
 * qube does.
 */
#pragma once

#include "base/fault.h"
#include "channel/launch.h"
#include "kernel/core/kernel.h"
#include "kernel/fs/path.h"

/* Descriptors of the three streams; -1 for those that are not descriptors. */
struct program_streams {
	int fd[3];
};

/*
 * Starts it.  Takes over the stream descriptors.  0; or the exit status to end
 * with as a positive number (126, 127), or a negative errno, and why.
 */
must_check int program_start(struct kernel *k, const struct launch *l,
                             const struct path *root,
                             struct program_streams *streams, struct fault *f);

/* A signal from outside, for its (or the terminal's) foreground group. */
void program_signal(struct kernel *k, int sig);

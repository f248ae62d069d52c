/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's files and folders that the user shares with a qube.  Everything
 * is checked and opened before anything starts.
 */
#pragma once

#include "base/fault.h"
#include "channel/launch.h"
#include "supervise/start.h"

#define SHARE_MAX 64u

struct share {
	int fd;                         /* O_PATH for a folder */
	char host[LAUNCH_PATH_MAX + 1]; /* where it really is, absolute */
	char at[LAUNCH_PATH_MAX + 1];
	uint64_t dev, ino;
	bool writable;
	bool file;
};

struct shares {
	struct share share[SHARE_MAX];
	uint32_t count;
};

void share_init(struct shares *s);
void share_fini(struct shares *s);

/*
 * Adds PATH or PATH:AT.  Without AT it appears where it is on the host.  0, or
 * -ENOENT, -EEXIST (shared twice), -EINVAL ("/", not absolute, no place) and
 * why.
 */
must_check int share_add(struct shares *s, const char *what, bool writable,
                         struct fault *f);

/* Adds all to what a kernel is started with; they must live as long as that. */
must_check int share_mount(const struct shares *s, struct start *to,
                           struct fault *f);

/* Is `path` (absolute, real) inside a shared folder?  Where, inside. */
bool share_covers(const struct shares *s, const char *path,
                  char at[static LAUNCH_PATH_MAX + 1]);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's folders that a qube sees: the template (the machine's own
 * programs) and what the user shares.  Everything is checked and opened before
 * anything starts.
 */
#pragma once

#include "base/fault.h"
#include "channel/launch.h"

struct share {
	int fd;                         /* O_PATH for a folder */
	char host[LAUNCH_PATH_MAX + 1]; /* where it really is, absolute */
	char at[LAUNCH_PATH_MAX + 1];
	uint64_t dev, ino;
	bool writable;
	bool file;
};

struct shares {
	struct share share[LAUNCH_SHARES];
	uint32_t count;
	int template_fd[LAUNCH_TEMPLATES];
	char template_link[LAUNCH_TEMPLATES][LAUNCH_LINK_MAX + 1];
	const char *template_name[LAUNCH_TEMPLATES];
	uint32_t template_count;
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

/* Opens the machine's folders of programs. */
must_check int share_template(struct shares *s, struct fault *f);

/* Is `path` (absolute, real) inside a shared folder?  Where, inside. */
bool share_covers(const struct shares *s, const char *path,
                  char at[static LAUNCH_PATH_MAX + 1]);

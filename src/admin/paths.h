/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where things lie: the one place that knows the folders of the user's.
 *
 *	data     $XDG_DATA_HOME/bento, or ~/.local/share/bento: the manager's
 *	         state (manager.lmdb), templates/, volumes/, keys/
 *	state    $XDG_STATE_HOME/bento, or ~/.local/state/bento: log/QUBE.log
 *	runtime  $XDG_RUNTIME_DIR/bento, or /tmp/bento-UID: manager.sock,
 *	         policy.sock, manager.lock, qubes/NAME.sock
 *
 * They are made when first opened, for us alone (0700), and refused when
 * another user owns them or may write into them.
 */
#pragma once

#include "base/fault.h"

enum paths_place { PATHS_DATA, PATHS_STATE, PATHS_RUNTIME, PATHS_COUNT };

#define PATHS_MAX 1024u

struct paths {
	char at[PATHS_COUNT][PATHS_MAX];
};

/* Looks into the environment.  0, or -ENOENT without a home, or -ENAMETOOLONG. */
must_check int paths_find(struct paths *out, struct fault *f);

/*
 * Opens one of the three, making it if need be.  A descriptor that the caller
 * owns; or a negative errno (-EPERM: it is not ours alone).
 */
must_check int paths_open(const struct paths *p, enum paths_place place,
                          struct fault *f);

/*
 * Makes a folder, for us alone, and those above it.  Whoever opens it sees whether
 * that worked; `path` is as it was.
 */
void paths_make(char *path);

/*
 * Opens a folder below one that is held, making it if need be, with the same
 * checks.  `name` is one component.
 */
must_check int paths_open_below(int folder, const char *name, struct fault *f);

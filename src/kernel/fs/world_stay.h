/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a qube stays when it ends, put into its world: volumes and the places
 * they appear at.
 *
 * A volume at / is the root's writable side: what is changed there stays.
 * Others are mounted where they belong, usually the private one at /rw.  Binds
 * show parts of it elsewhere; what they show is made if it is missing: a home
 * for `user` from /etc/skel, the folders of /usr/local, else an empty folder.
 */
#pragma once

#include "kernel/fs/world.h"

/* The volume at /, or NULL. */
struct volume *world_stay_root(const struct world_options *o);

/* Is something bound there, or a volume mounted? */
bool world_stay_covers(const struct world_options *o, const char *at);

/*
 * Mounts the volumes that are not the root's, which are taken over, and makes
 * the binds.  0 or a negative errno.
 */
must_check long world_stay_mount(struct kernel *k,
                                 const struct world_options *o,
                                 const struct path *root);

/*
 * Makes a folder, or an empty file, and the folders on the way, as root; what
 * is there stays as it is.  0 or a negative errno.
 */
must_check long world_stay_make(struct kernel *k, const struct path *root,
                                const char *at, bool file);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A volume and what it was before: the folder `volumes/QUBE/NAME`.
 *
 *	live          a symbolic link to the volume in use: vol.N
 *	vol.N         a volume (volume/volume.h)
 *	rev.SECONDS   a revision: the volume as it was then, complete
 *	new.*         being made, or left behind by a crash
 *
 * Whatever is made is made beside and put in its place by one rename(2), so
 * that nothing is half there whenever the process is killed.  What was left
 * behind goes with the next change.
 *
 * Objects are shared between the two: by reference where the host can
 * (FICLONE), else by hard links, which whoever writes to a volume takes as
 * the sign to make a copy first (volume/object.h).
 *
 * Files base.* in a volume's folder are the manager's; copies have them, too.
 *
 * The volume must not be in use: -EBUSY.  Keys are not needed to copy.
 */
#pragma once

#include "volume/volume.h"

/*
 * Makes the first volume in an empty folder; arguments as volume_create().
 */
must_check int revision_init(int home_fd, const struct volume_limits *limits,
                             enum header_lock how, struct span secret,
                             struct fault *f);

/* The folder of the volume in use: a descriptor, or a negative errno. */
must_check int revision_live(int home_fd, struct fault *f);

/*
 * Keeps the volume as it is now as a revision, and only the `keep` newest of
 * all; 0: none, and none is made.  *id (may be NULL) is its number.
 */
must_check int revision_take(int home_fd, uint32_t keep, uint64_t *id,
                             struct fault *f);

/* Ids of all revisions, oldest first: their number, *ids to be freed. */
must_check int revision_list(int home_fd, uint64_t **ids, struct fault *f);

/* The volume becomes what it was; id 0: as the newest revision has it.  The
 * revision stays.  -ENOENT: there is none. */
must_check int revision_revert(int home_fd, uint64_t id, struct fault *f);

/* Somebody who is told how far a copy is, in objects. */
struct revision_watch {
	void (*step)(void *ctx, uint64_t done, uint64_t all);
	void *ctx;
	uint64_t done;
	uint64_t all; /* his to find out, by revision_measure() */
};

/* How many objects the volume in use has, or a negative errno. */
must_check int64_t revision_measure(int home_fd, struct fault *f);

/* A copy of the volume in use, in an empty folder.  `watch`, or NULL, is told. */
must_check int revision_clone(int from_home_fd, int to_home_fd,
                              struct revision_watch *watch, struct fault *f);

/*
 * The same for whoever needs the copy no longer than the machine runs: nothing is
 * synced, and after a power cut anything may be there.
 */
must_check int revision_borrow(int from_home_fd, int to_home_fd,
                               struct fault *f);

/* An empty volume with the same limits and key in the place of this one; the
 * revisions stay.  `key` as for volume_open(). */
must_check int revision_clear(int home_fd, const uint8_t *key, struct fault *f);

/* New limits. */
must_check int revision_resize(int home_fd, const uint8_t *key,
                               const struct volume_limits *limits,
                               struct fault *f);

/*
 * Locks the key of the volume in use, and of its revisions that have the same
 * one, with another secret.  What was there before opens none of them any more.
 */
must_check int revision_relock(int home_fd, const uint8_t key[HEADER_KEY],
                               enum header_lock how, struct span secret,
                               struct fault *f);

/* Gives the volume in a folder the files base.* of another one. */
must_check int revision_take_base(int from_dir_fd, int to_dir_fd,
                                  struct fault *f);

/* Removes all of it; the folder stays, empty. */
must_check int revision_remove(int home_fd, struct fault *f);

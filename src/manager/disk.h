/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folders of volumes: volumes/UUID/private and volumes/UUID/root.
 *
 * They are named after UUIDs, so that to rename a qube is a change of the ledger
 * alone.  Before such a folder is made, or its qube's records go, the ledger has
 * "doomed/UUID"; with the commit that makes the qube be there, that goes.
 * (UUIDs of unnamed disposables say by themselves that they do not stay.)
 * So whatever the moment we are killed at, the next manager finds in the ledger
 * what is to be removed (disk_sweep()), and half a qube is never seen.
 *
 * What may take long runs in a worker (manager/worker.h), hence the const.
 */
#pragma once

#include "manager/manager.h"
#include "manager/qube.h"

struct call;
struct revision_watch;

#define DISK_PRIVATE 1u
#define DISK_ROOT    2u

/* The volumes that a qube of this class has. */
unsigned disk_volumes(enum qube_class class);

/* "private" or "root" to its bit; 0 for anything else. */
unsigned disk_volume_bit(const char *name);

/* How large a new volume is, in bytes, as a text. */
const char *disk_default_size(const char *volume);

/* Notes in the open transaction that a folder is to go, or is to stay. */
void disk_doom(struct ledger *l, const char *uuid);
void disk_save(struct ledger *l, const char *uuid);

/*
 * Which volumes are to be there.  `image` is the template that a root lies over
 * which has not been told yet (manager/rootbase.h); "": that is left open.
 */
struct disk_wish {
	unsigned volumes;
	const char *image;
	struct revision_watch *watch; /* of a copy; or NULL */
};

/* Makes empty ones.  0 or a negative errno. */
must_check int disk_make(const struct manager *m, const char *uuid,
                         const struct disk_wish *w, struct fault *f);

/* Copies them from another qube that is halted. */
must_check int disk_copy(const struct manager *m, const char *from,
                         const char *to, const struct disk_wish *w,
                         struct fault *f);

/* Removes the folder and all in it.  Not being there is no error. */
must_check int disk_drop(const struct manager *m, const char *uuid,
                         struct fault *f);

/*
 * Removes a doomed folder in a worker and then finishes `c` (NULL: nobody
 * waits).  0 or a negative errno, and `c` is the caller's.
 */
must_check int disk_drop_later(struct manager *m, const char *uuid,
                               struct call *c, struct fault *f);

/* Has the qube a folder?  Disposables of templates that never ran have none. */
bool disk_is_there(const struct manager *m, const char *uuid);

/*
 * At the start: removes all that is doomed, and what disposables have left that
 * nobody knows any more.  No transaction may be open.
 */
must_check int disk_sweep(struct manager *m, struct fault *f);

/*
 * Snapshots: what an AppVM has of its template's root, and a DispVM of its
 * template's private volume.  They are made of what the other qube had when it
 * last ended (VOLUME.committed in its folder), and discarded at the end.  To be
 * right, disk_commit() comes before that other qube is started again.
 *
 * disk_use() notes that a qube's volumes may have something in them; as long as
 * that is not so, nobody needs a snapshot.
 */
must_check int disk_use(const struct manager *m, const char *uuid,
                        struct fault *f);
bool disk_is_used(const struct manager *m, const char *uuid);
must_check int disk_commit(const struct manager *m, const char *uuid,
                           const char *volume, struct fault *f);
must_check int disk_snapshot(const struct manager *m, const char *from,
                             const char *to, const char *volume,
                             struct fault *f);
void disk_discard(const struct manager *m, const char *uuid,
                  const char *volume);

/*
 * Makes a volume what that of another qube is, both of which are halted; all at
 * once.
 */
must_check int disk_replace(const struct manager *m, const char *from,
                            const char *to, const char *volume,
                            struct revision_watch *watch, struct fault *f);

/*
 * An empty folder beside a volume's, for what shall take its place; and that it
 * does, all at once.
 */
must_check int disk_beside(const struct manager *m, const char *uuid,
                           const char *volume, struct fault *f);
must_check int disk_exchange(const struct manager *m, const char *uuid,
                             const char *volume, struct fault *f);

/*
 * Opens the folder of a volume.  A descriptor that the caller owns, or a
 * negative errno.
 */
must_check int disk_open(const struct manager *m, const char *uuid,
                         const char *volume, struct fault *f);

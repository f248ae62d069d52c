/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Young files: new ones whose object on the host is not made yet.
 *
 * To make it is the slowest part of making a file, and nobody needs it before the
 * batch that names the file is written.  Until then its contents are in the
 * kernel's memory, charged to the qube; a file that is gone sooner never
 * touches the host.  Whoever needs the host's file (a mapping, fsync(2), a size
 * beyond VOLUMEFS_YOUNG_SIZE...) makes it at once by volumefs_young_make().
 *
 * Invariants: no batch is frozen while a file with a name is young, so after a crash
 * no name is without an object, nor empty that was not before.  A young file has
 * no holes, and no descriptor.  One with a name is on a list, which holds its inode.
 * All of their contents have room on the disk (volume_may_wait()).
 */
#pragma once

#include "base/list.h"
#include "base/span.h"
#include "volume/volume.h"

#define VOLUMEFS_YOUNG_SIZE  ((size_t)16 * 1024) /* of one file */
#define VOLUMEFS_YOUNG_COUNT 512u                /* of one volume */
#define VOLUMEFS_YOUNG_BYTES VOLUME_LATER_MAX    /* the same */
#define VOLUMEFS_YOUNG_NS    500000u /* of making some, between other things */

struct uio;
struct volumefs;
struct volumefs_node;

/* All of a volume's. */
struct volumefs_young {
	struct list named; /* oldest first */
	size_t count;      /* these, and open ones without a name */
	uint64_t bytes;    /* of the disk, that they will take */
	int clock_fd;      /* a file that the host stamps; or -1 */
	bool stale;        /* it has stamped an object since */
};

/* What a node has. */
struct volumefs_young_file {
	struct list link;
	bool is;        /* young */
	uint8_t *bytes; /* charged */
	size_t room;
};

void volumefs_young_init(struct volumefs *fs);
void volumefs_young_fini(struct volumefs *fs);

/* May the next file be young? */
bool volumefs_young_may(const struct volumefs *fs);

/* What gets its time now is not older than what was written to an object. */
void volumefs_young_stamp(struct volumefs *fs);

/* A node just made is young; it has a name. */
void volumefs_young_begin(struct volumefs_node *n);

/* Its last name has gone, or the node goes: no batch needs it any more. */
void volumefs_young_unnamed(struct volumefs_node *n);
void volumefs_young_end(struct volumefs_node *n);

/* It is young no longer.  0, also if it was not; or -ENOSPC, -ENFILE... */
must_check int volumefs_young_make(struct volumefs_node *n);

/* The same of all with names; or of some, of one at least, until that takes too
 * long: are any left?  Or -errno. */
must_check int volumefs_young_make_all(struct volumefs *fs);
must_check int volumefs_young_make_some(struct volumefs *fs);

/* The volume was closed without them. */
void volumefs_young_drop(struct volumefs *fs);

/* Bytes of the disk that its object will take. */
uint64_t volumefs_young_held(const struct volumefs_node *n);

/*
 * Before [at, at + size) of a file is written: has room for that, or makes the
 * object.  0 or -errno.  Then volumefs_young_write() to a young one.
 */
must_check int volumefs_young_room(struct volumefs_node *n, uint64_t at,
                                   uint64_t size);
void volumefs_young_write(struct volumefs_node *n, struct span from,
                          uint64_t at);

/* As file_ops.read, of a young one. */
must_check long volumefs_young_read(struct volumefs_node *n, struct uio *u,
                                    int64_t *pos);

/* Of a young one, which does not grow. */
void volumefs_young_shrink(struct volumefs_node *n, uint64_t size);

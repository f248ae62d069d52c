/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A volume: one folder of the host that holds a qube's files, whatever their
 * names, owners and modes are, which the host never sees.
 *
 *	header      version, identity, how the key is locked (volume/header.h)
 *	lock        flock(2)ed by the one who has the volume open; says what is
 *	            used and how much may be, as of the last batch
 *	meta.mdb    metadata (volume/store.h, volume/vrecord.h)
 *	objects/N   contents of the regular file with inode number N
 *	open        there while the volume is open; left behind by a crash
 *	base.*      what its owner keeps with it (manager/rootbase.h)
 *	reserve     room on the host's disk to be able to delete when it is full,
 *	            and for files that have no object yet
 *
 * Changing it is volume/tree.h's, in memory; volume_flush() makes that safe.
 * The kernel flushes on a helper thread (kernel/fs/volumefs.h).
 *
 * After a crash the next volume_open() sets right what transactions cannot:
 * objects without an inode go, inodes without a name go, and what is used is
 * counted anew.
 */
#pragma once

#include "base/fault.h"
#include "volume/header.h"
#include "volume/spare.h"
#include "volume/store.h"
#include "volume/vrecord.h"

#define VOLUME_INODES_MAX ((uint64_t)1 << 40)
#define VOLUME_BYTES_MAX  ((uint64_t)1 << 60)

/* The most that files may hold whose objects are made later (volume/tree.h). */
#define VOLUME_LATER_MAX ((uint64_t)2 << 20)

struct volume {
	int dir_fd;
	int objects_fd;
	int lock_fd;
	struct header header;
	struct store *store;
	struct vrecord_volume sums; /* limits, and what is used now */
	bool sums_changed;
	bool created;        /* names of objects are not yet safe */
	bool created_before; /* in the frozen batch */
	bool full;           /* the host's disk refused the last batch */
	bool encrypted;
	bool reserve_used; /* by volume_commit() */
	uint64_t reserved; /* bytes of the disk that are kept free */
	uint8_t objects_key[32];
	struct spares spares;
	struct vrecord_time stamped; /* the host has so stamped an object */
	struct volume_asked { /* the name last asked for: volume/tree.c */
		uint64_t dir;
		size_t size;
		uint8_t name[VRECORD_NAME_MAX];
		bool absent; /* there was none, and no change since */
		struct vrecord_key key; /* size 0: nothing was asked yet */
	} asked;
	struct volume_usage {
		uint64_t bytes;     /* used */
		uint64_t max_bytes; /* the limit */
	} frozen;                   /* of the frozen batch */

	/* Inodes whose objects go when the current / the frozen batch is
	 * safe. */
	struct volume_dead {
		uint64_t *ino;
		size_t count;
		size_t room;
	} dead, dying;
};

struct volume_limits {
	uint64_t bytes;
	uint64_t inodes; /* 0: one for each 4 KiB */
};

/*
 * Makes a volume in an empty folder: its root belongs to root and has mode
 * 0755.  `secret` matters unless `how` is HEADER_OPEN.  0, -EEXIST, ...
 */
must_check int volume_create(int dir_fd, const struct volume_limits *limits,
                             enum header_lock how, struct span secret,
                             struct fault *f);

/* The same with the limits and the lock of another, open one; and its key. */
must_check int volume_create_like(int dir_fd, const struct volume *like,
                                  const uint8_t *key, struct fault *f);

/*
 * Opens a volume; the descriptor is duplicated.  `key` is the volume key, of
 * HEADER_KEY bytes, of an encrypted one, else NULL.  0, or: -EBUSY (somebody
 * has it open), -EKEYREJECTED, -ENOENT, -EIO...
 */
must_check int volume_open(int dir_fd, const uint8_t *key, struct volume **out,
                           struct fault *f);

/* The key of the volume in a folder, by its passphrase or key file. */
must_check int volume_unlock(int dir_fd, struct span secret,
                             uint8_t key[HEADER_KEY], struct fault *f);

/*
 * What a volume that somebody else may have open said last, without a key and
 * in two host calls.  It is told, not checked.  0 or -ENODATA.
 */
must_check int volume_usage(int dir_fd, struct volume_usage *out);

/* Flushes, and notes that all is in order.  Accepts NULL.  0 or -errno. */
int volume_close(struct volume *v);

/* Lets go of everything as a crash would. */
void volume_abandon(struct volume *v);

/* ---- to the disk ---- */

/* Begins a batch: false if there is nothing to do, or one is under way. */
must_check bool volume_freeze(struct volume *v);

/* On any thread. */
must_check int volume_commit(struct volume *v);

/* Back on the owner's: with what volume_commit() returned. */
void volume_settle(struct volume *v, int err);

/* All three.  Metadata and the folder of objects are safe after it. */
must_check int volume_flush(struct volume *v);

/* ---- a full disk ---- */

/* May there be files whose objects are made later?  The disk has room for
 * VOLUME_LATER_MAX bytes of theirs. */
bool volume_may_wait(const struct volume *v);

/* The disk is full, and an object that was to be made later has to be now: is
 * there room where there was none? */
must_check bool volume_use_reserve(struct volume *v);

/* ---- the limits ---- */

/* Takes bytes, or an inode, of the volume's: 0 or -ENOSPC. */
must_check int volume_charge(struct volume *v, uint64_t bytes);
void volume_uncharge(struct volume *v, uint64_t bytes);
must_check int volume_charge_inode(struct volume *v);
void volume_uncharge_inode(struct volume *v);

/* New limits; what is there stays, even if it is more. */
void volume_resize(struct volume *v, const struct volume_limits *limits);

/* ---- for volume/tree.c ---- */

/* The object of that inode goes when the current batch is safe.  -ENOMEM. */
must_check int volume_bury(struct volume *v, uint64_t ino);

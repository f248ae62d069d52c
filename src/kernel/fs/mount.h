/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts: file systems, or folders of them, put over directories.
 *
 * Also the root of everything the files of a qube share: the mount table, the
 * dentry cache, device numbers.
 */
#pragma once

#include "kernel/fs/inode.h"
#include "kernel/fs/path.h"

struct dentry;
struct dentry_table;

/* k->fs */
struct fs_world {
	struct list mounts; /* mount.link, in the order they were made */
	uint32_t last_mount_id;
	uint32_t last_dev;
	uint64_t mounts_changed; /* grows; for poll of /proc/mounts */
	struct mount *root;
	struct waitq mount_wait;
	struct dentry_table *dentries;
	struct superblock *anonymous; /* of pipes and the like */
	struct mount *nowhere;        /* where they are "mounted" */
	struct list marks;            /* of inotify, and how many */
	uint32_t mark_count;
	uint32_t instance_count; /* inotify instances */
	uint32_t last_cookie;
	struct list lock_waits; /* kernel/fs/lock.c */
	char name[4096];        /* the path a walk is on */
};

/* Flags beside MOUNT_RDONLY and friends of world.h. */
#define MOUNT_NOATIME    16u
#define MOUNT_RELATIME   32u
#define MOUNT_NODIRATIME 64u

struct mount {
	struct kernel *kernel;
	uint32_t refs;  /* paths, and one while it is attached */
	uint32_t flags; /* MOUNT_* */
	uint32_t id;
	struct superblock *sb;   /* owns a reference */
	struct dentry *root;     /* owns a reference */
	struct mount *parent;    /* owns a reference; NULL: root or detached */
	struct dentry *point;    /* in the parent; owns a reference */
	struct mount *next_here; /* the next over the same dentry */
	struct list link;        /* in fs_world.mounts, while attached */
	char source[128];
};

/* k->fs, made when first wanted.  NULL when there is no memory. */
must_check struct fs_world *mount_world(struct kernel *k);

/* Takes everything down: all mounts, then the cache.  k->fs is NULL after. */
void mount_fini(struct kernel *k);

struct mount *mount_get(struct mount *m);
void mount_put(struct mount *m); /* accepts NULL */

/* What is mounted directly over that path, borrowed, or NULL. */
struct mount *mount_over(const struct path *p);

/*
 * Puts what is at `from` also at `at`, with everything mounted below it if
 * `deep`.  Both are directories or both are not.  0 or a negative errno.
 */
must_check long mount_bind(struct kernel *k, const struct path *from,
                           const struct path *at, bool deep);

/* MS_MOVE. */
must_check long mount_move(const struct path *from, const struct path *at);

/*
 * Takes the mount whose root `p` is away.  -EINVAL if it is not the root of
 * one, -EBUSY while it is used, unless `detach`: then it lives on until
 * nobody uses it.
 */
must_check long mount_remove(const struct path *p, bool detach);

/* Is the file system or the mount read-only? */
bool mount_is_readonly(const struct path *p);

/*
 * The mount table in order: the first, or the one after `m`; borrowed.  For
 * /proc/mounts; mount_options() gives "rw,nosuid" and the like.
 */
struct mount *mount_next(struct kernel *k, const struct mount *m);
size_t mount_options(const struct mount *m, char *to, size_t room);

static inline bool mount_is_root(const struct path *p)
{
	return p->mount && p->dentry == p->mount->root;
}

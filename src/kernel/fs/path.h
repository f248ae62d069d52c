/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names to files: dentries, mounts, and the walk over both.
 *
 * A dentry is a name in a directory, and caches that there is no such file
 * (inode NULL).  Dentries of a directory hang in its table; those nobody uses
 * are kept on a list and dropped, oldest first, beyond a limit.  A mount puts
 * the root dentry of a file system over a dentry of another.
 */
#pragma once

#include "base/span.h"
#include "kernel/task/task.h"
#include "kernel/task/user.h"

struct dentry;
struct inode;
struct mount;
struct superblock;

struct path {
	struct mount *mount;
	struct dentry *dentry;
};

/* What a task shares with CLONE_FS. */
struct fsctx {
	uint32_t refs;
	uint32_t umask;
	struct path root;
	struct path cwd;
};

void path_get(const struct path *p);
void path_put(struct path *p); /* leaves it empty; accepts an empty one */

/* The inode a path leads to, borrowed; NULL for a negative dentry. */
struct inode *path_inode(const struct path *p);

/* Flags of the walk. */
#define PATH_FOLLOW    1u /* follow a symbolic link at the end */
#define PATH_DIRECTORY 2u /* the end must be a directory */
#define PATH_EMPTY     4u /* "" stands for the starting point */
#define PATH_BENEATH   8u /* openat2 RESOLVE_* */
#define PATH_IN_ROOT   16u
#define PATH_NO_LINKS  32u
#define PATH_NO_MAGIC  64u
#define PATH_NO_XDEV   128u

/*
 * Walks from `dir` (a descriptor, or AT_FDCWD) along the guest's string at
 * `name` / the C string.  On success *out holds references.  Errors as
 * path_resolution(7) lists them, or -EWAIT.
 */
must_check long path_at(struct task *t, int32_t dir, uaddr_t name,
                        uint32_t flags, struct path *out);
must_check long path_lookup(struct task *t, int32_t dir, const char *name,
                            uint32_t flags, struct path *out);

/*
 * Walks to the directory that holds (or would hold) the last component.
 * *out is that directory; *last, in a buffer of LIMIT_NAME + 2, the name.  A
 * name ending in slashes is noted in *slash.  "." and ".." as last component
 * are returned as such; what they mean is up to the caller.
 */
struct path_last {
	char name[256];
	size_t size;
	bool slash;
};
must_check long path_parent(struct task *t, int32_t dir, const char *name,
                            uint32_t flags, struct path *out,
                            struct path_last *last);

/* path_parent() of a string in guest memory. */
must_check long path_parent_at(struct task *t, int32_t dir, uaddr_t name,
                               uint32_t flags, struct path *out,
                               struct path_last *last);

/*
 * For open(O_CREAT): walks to the end.  If there is no such file, but its
 * directory, *out is the directory and last->size is not 0; the name is that
 * of the last link's target if the end was a link (and PATH_FOLLOW given).
 */
must_check long path_create(struct task *t, int32_t dir, const char *name,
                            uint32_t flags, struct path *out,
                            struct path_last *last);

/*
 * One more step: the dentry of `name` in the directory `dir`, cached or looked
 * up; negative if there is none; what is mounted there if something is.  No
 * permission is checked and no link followed; `t` may be NULL for the kernel's
 * own walks.  *out gets references.
 */
must_check long path_child(struct task *t, const struct path *dir,
                           struct span name, struct path *out);

/*
 * The absolute name of a path below the task's root, for getcwd and /proc.
 * Returns its length without the NUL, or -ENAMETOOLONG; deleted files end in
 * " (deleted)".  *reachable (may be NULL): whether it lies below the root.
 */
must_check long path_name(struct task *t, const struct path *p, char *to,
                          size_t room, bool *reachable);

/*
 * May the task do this (R_OK | W_OK | X_OK) with the inode, by its fsuid and
 * fsgid?  0, -EACCES, -EROFS, -EWAIT.
 */
must_check long path_permission(struct task *t, const struct path *p, int mask);

/* Names and places for a new task: `root` is also its cwd.  NULL: no memory. */
must_check struct fsctx *path_fsctx_create(const struct path *root);
struct fsctx *path_fsctx_copy(struct fsctx *f); /* NULL: no memory */
struct fsctx *path_fsctx_get(struct fsctx *f);
void path_fsctx_put(struct fsctx *f);

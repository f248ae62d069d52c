/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inotify(7): marks on inodes, and queues of events.
 *
 * Whoever changes a file says so here.  As long as nobody watches anything
 * that costs one comparison.
 */
#pragma once

#include "kernel/fs/dentry.h"
#include "kernel/fs/file.h"

/* Tells those who watch the file, and those who watch its directory. */
void inotify_dentry_slow(struct dentry *d, uint32_t mask);

/* Tells those who watch the directory about one name in it. */
void inotify_entry_slow(struct inode *dir, uint32_t mask, uint32_t cookie,
                        struct span name, bool is_dir);

/* Something happened to the file at that dentry: IN_OPEN, IN_ATTRIB... */
static inline void inotify_dentry(struct dentry *d, uint32_t mask)
{
	if (d && d->inode && d->inode->sb->kernel->fs->mark_count)
		inotify_dentry_slow(d, mask);
}

/* The same for those only who watch the file itself. */
void inotify_self_slow(struct inode *i, uint32_t mask);

static inline void inotify_dentry_self(struct dentry *d, uint32_t mask)
{
	if (d->inode && d->inode->sb->kernel->fs->mark_count)
		inotify_self_slow(d->inode, mask);
}

/* The same through an open file: IN_ACCESS and IN_MODIFY of read and write. */
static inline void inotify_file(struct file *f, uint32_t mask)
{
	if (f->path.dentry)
		inotify_dentry(f->path.dentry, mask);
}

/* Does anybody want to hear of that? */
bool inotify_watches_slow(const struct dentry *d, uint32_t mask);

static inline bool inotify_watches(const struct file *f, uint32_t mask)
{
	return f->path.dentry && f->kernel->fs->mark_count &&
	       inotify_watches_slow(f->path.dentry, mask);
}

/* IN_CREATE, IN_DELETE, IN_MOVED_FROM, IN_MOVED_TO in a directory. */
static inline void inotify_entry(struct inode *dir, uint32_t mask,
                                 uint32_t cookie, struct span name, bool is_dir)
{
	if (dir->sb->kernel->fs->mark_count)
		inotify_entry_slow(dir, mask, cookie, name, is_dir);
}

/* A number that ties IN_MOVED_FROM to IN_MOVED_TO. */
uint32_t inotify_cookie(struct kernel *k);

/* The last name of a file and its last user have gone. */
void inotify_deleted(struct inode *i);

/* The file system goes: IN_UNMOUNT for all its marks, which go too. */
void inotify_unmounted(struct superblock *sb);

/* A new instance.  0 and a reference, -EMFILE, -ENOMEM. */
must_check long inotify_open(struct task *t, uint32_t flags, struct file **out);

/* inotify_add_watch(2) and inotify_rm_watch(2): `f` must be an instance. */
must_check long inotify_add(struct file *f, struct inode *i, uint32_t mask);
must_check long inotify_remove(struct file *f, int32_t wd);

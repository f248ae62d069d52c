/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/tty/devpts.h"

#include <linux/fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>

#include "kernel/fs/device.h"
#include "kernel/fs/dots.h"
#include "kernel/fs/fd.h"
#include "kernel/fs/world.h"
#include "kernel/tty/console.h"
#include "kernel/tty/pty.h"
#include "kernel/tty/terminals.h"

#define TTY_MAJOR   5u
#define TTY_CURRENT 0u
#define TTY_CONSOLE 1u
#define TTY_PTMX    2u
#define PTS_INO     3u /* of /dev/pts/0 */

static bool is_pts(uint32_t major)
{
	return major >= TTY_PTS_MAJOR && major < TTY_PTS_MAJOR + 8;
}

long devpts_open_device(struct task *t, uint64_t rdev, struct file *f)
{
	struct kernel *k = t->kernel;
	uint32_t major = DEVICE_MAJOR(rdev);
	uint32_t minor = DEVICE_MINOR(rdev);
	struct tty *tty = NULL;

	if (major == TTY_MAJOR && minor == TTY_PTMX)
		return pty_open(t, f);
	if (major == TTY_MAJOR && minor == TTY_CURRENT)
		tty = tty_of_task(t);
	else if (major == TTY_MAJOR && minor == TTY_CONSOLE)
		tty = k->console ? console_tty(k->console) : NULL;
	else if (is_pts(major))
		tty = terminals_find(k, minor);
	if (!tty)
		return -ENXIO;
	return tty_open(tty, t, f);
}

/* ---- one terminal ---- */

static long refresh(struct inode *i, struct task *t)
{
	const struct tty *tty = i->private;

	(void)t;
	i->mode = tty->mode;
	i->uid = tty->uid;
	i->gid = tty->gid;
	i->atime = tty->times[0];
	i->mtime = tty->times[1];
	i->ctime = tty->times[2];
	return 0;
}

static long change(struct inode *i, struct task *t,
                   const struct inode_change *c)
{
	struct tty *tty = i->private;

	if (c->which & INODE_SET_MODE)
		tty->mode = S_IFCHR | (c->mode & 07777);
	if (c->which & INODE_SET_UID)
		tty->uid = c->uid;
	if (c->which & INODE_SET_GID)
		tty->gid = c->gid;
	if (c->which & INODE_SET_ATIME)
		tty->times[0] = c->atime;
	if (c->which & INODE_SET_MTIME)
		tty->times[1] = c->mtime;
	tty->times[2] = inode_now();
	return refresh(i, t);
}

static long open_pts(struct inode *i, struct task *t, struct file *f)
{
	return tty_open(i->private, t, f);
}

static void destroy_pts(struct inode *i)
{
	tty_put(i->private);
}

static const struct inode_ops pts_ops = {
	.refresh = refresh,
	.change = change,
	.open = open_pts,
	.destroy = destroy_pts,
};

/* ---- /dev/pts/ptmx ---- */

static long open_ptmx(struct inode *i, struct task *t, struct file *f)
{
	(void)i;
	return pty_open(t, f);
}

static const struct inode_ops ptmx_ops = {.open = open_ptmx};

/* ---- the folder ---- */

/* A number without leading zeros, or -1. */
static int64_t number(struct span name)
{
	int64_t n = 0;

	if (name.size == 0 || name.size > 7 ||
	    (name.at[0] == '0' && name.size > 1))
		return -1;
	for (size_t i = 0; i < name.size; i++) {
		if (name.at[i] < '0' || name.at[i] > '9')
			return -1;
		n = n * 10 + (name.at[i] - '0');
	}
	return n;
}

static long lookup(struct inode *dir, struct task *t, struct span name,
                   struct inode **out)
{
	bool ptmx = span_is(name, "ptmx");
	int64_t n = number(name);
	struct tty *tty = NULL;
	struct inode *i;

	(void)t;
	if (!ptmx && n >= 0)
		tty = terminals_find(dir->sb->kernel, (uint32_t)n);
	if (!ptmx && !tty)
		return -ENOENT;
	i = inode_create(dir->sb, tty ? &pts_ops : &ptmx_ops,
	                 tty ? tty->mode : S_IFCHR | 0666);
	if (!i)
		return -ENOMEM;
	i->ino = tty ? PTS_INO + tty->index : PTS_INO - 1;
	i->rdev = tty ? DEVICE_MAKE(TTY_PTS_MAJOR, tty->index)
	              : DEVICE_MAKE(TTY_MAJOR, TTY_PTMX);
	if (tty) {
		i->private = tty_get(tty);
		(void)refresh(i, t);
	}
	*out = i;
	return 0;
}

static long readdir(struct file *f, struct task *t, struct dirsink *sink)
{
	struct kernel *k = f->kernel;
	struct tty *tty;

	(void)t;
	if (f->pos <= DOTS_FIRST) {
		if (!sink->add(sink, span_str("ptmx"), PTS_INO - 1, 2,
		               DOTS_FIRST + 1))
			return 0;
		f->pos = DOTS_FIRST + 1;
	}
	while ((tty = terminals_next(k, (uint32_t)f->pos - DOTS_FIRST - 1))) {
		int64_t next = DOTS_FIRST + 1 + (int64_t)tty->index + 1;
		char name[16];

		(void)snprintf(name, sizeof(name), "%u", tty->index);
		if (!sink->add(sink, span_str(name), PTS_INO + tty->index, 2,
		               next))
			return 0;
		f->pos = next;
	}
	return 0;
}

static const struct file_ops folder_file_ops = {
	.readdir = readdir,
	.seek = dots_seek,
};

static long open_folder(struct inode *i, struct task *t, struct file *f)
{
	(void)i, (void)t;
	f->ops = &folder_file_ops;
	return 0;
}

static const struct inode_ops folder_ops = {
	.lookup = lookup,
	.open = open_folder,
};

static const struct superblock_ops devpts_ops = {.name = "devpts"};

int devpts_create(struct kernel *k, struct superblock **out)
{
	struct superblock *sb = inode_superblock_create(k, &devpts_ops,
	                                                DEVPTS_SUPER_MAGIC);

	if (!sb)
		return -ENOMEM;
	sb->cache = SUPERBLOCK_NO_CACHE;
	sb->root = inode_create(sb, &folder_ops, S_IFDIR | 0755);
	if (!sb->root) {
		inode_superblock_put(sb);
		return -ENOMEM;
	}
	sb->root->nlink = 2;
	*out = sb;
	return 0;
}

long devpts_open_peer(struct tty *tty, struct task *t, uint32_t flags)
{
	struct path p;
	struct file *f;
	char name[32];
	long err;

	if (flags & ~(uint32_t)(O_ACCMODE | O_NOCTTY | O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	(void)snprintf(name, sizeof(name), "/dev/pts/%u", tty->index);
	err = path_lookup(t, AT_FDCWD, name, PATH_FOLLOW, &p);
	if (err < 0)
		return err;
	err = file_open(t, &p, flags & ~(uint32_t)O_CLOEXEC, &f);
	path_put(&p);
	return err < 0 ? err : fd_open(t, f, flags & O_CLOEXEC);
}

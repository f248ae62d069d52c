/* SPDX-License-Identifier: Apache-2.0 */
/*
 * getdents64(2), and the old getdents(2) whose records end in the type.
 */
#include <dirent.h>

#include "kernel/fs/dentry.h"
#include "kernel/fs/fd.h"
#include "kernel/fs/inotify.h"
#include "kernel/syscall.h"

#include <linux/inotify.h>
#include <sys/stat.h>

/* Both records begin so. */
struct head {
	uint64_t ino;
	int64_t next;
	uint16_t size;
} __attribute__((packed));

/* A guest's buffer being filled. */
struct listing {
	struct dirsink sink;
	struct uio to;
	bool old; /* getdents(2) */
	bool fault;
	bool full;
	int64_t next; /* position after the last entry taken */
};

static bool add(struct dirsink *s, struct span name, uint64_t ino, uint8_t type,
                int64_t next)
{
	struct listing *l = container_of(s, struct listing, sink);
	uint8_t record[sizeof(struct head) + 1 + 256 + 8] = {0};
	struct head head = {.ino = ino, .next = next};
	size_t at = sizeof(head);

	/* Name, NUL and type in either order. */
	head.size = (uint16_t)round_up(at + name.size + 2, 8);
	if (l->fault || name.size > 255 || head.size > l->to.left) {
		l->full = true;
		return false;
	}
	memcpy(record, &head, sizeof(head));
	if (l->old)
		record[head.size - 1] = type;
	else
		record[at++] = type;
	memcpy(record + at, name.at, name.size);
	if (uio_put(&l->to, record, head.size) < 0) {
		l->fault = true;
		return false;
	}
	l->next = next;
	return true;
}

/* "." and "..", then what the file system has. */
static long fill(struct task *t, struct file *f, struct listing *l)
{
	int64_t start = f->pos;
	struct path up = f->path;
	long err = 0;

	if (start == 0 &&
	    !add(&l->sink, span_str("."), f->inode->ino, DT_DIR, 1))
		return 0;
	if (up.dentry == up.mount->root && up.mount->parent)
		up.dentry = up.mount->point;
	if (up.dentry->parent)
		up.dentry = up.dentry->parent;
	if (start <= 1 &&
	    !add(&l->sink, span_str(".."), path_inode(&up)->ino, DT_DIR, 2))
		return 0;
	/* readdir() goes on from f->pos, which is ours until it has worked. */
	f->pos = MAX(start, 2);
	err = f->ops->readdir(f, t, &l->sink);
	f->pos = start;
	return err;
}

static long list(struct task *t, int32_t fd, uaddr_t to, uint32_t size,
                 bool old)
{
	struct listing l = {.sink = {.add = add}, .old = old};
	struct file *f = fd_get(t, fd);
	long err = 0;

	if (!f)
		return -EBADF;
	if (!f->inode || !inode_is(f->inode, S_IFDIR) || !f->ops->readdir)
		err = -ENOTDIR;
	else if (f->path.dentry->deleted)
		err = -ENOENT;
	if (err == 0) {
		uio_init(&l.to, t, to, MIN(size, INT32_MAX));
		l.next = f->pos;
		err = fill(t, f, &l);
	}
	if (err >= 0) {
		f->pos = l.next;
		err = (long)l.to.done;
		if (err == 0 && (l.full || l.fault))
			err = l.fault ? -EFAULT : -EINVAL;
		inotify_file(f, IN_ACCESS);
	}
	file_put(f);
	return err;
}

long sys_getdents(struct task *t, const struct args_getdents *a)
{
	return list(t, a->fd, a->buf, a->size, true);
}

long sys_getdents64(struct task *t, const struct args_getdents64 *a)
{
	return list(t, a->fd, a->buf, a->size, false);
}

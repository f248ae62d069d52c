/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OP_object and OP_lease: host descriptors for a cell, to map a file or to
 * read and write it without us.
 */
#include <asm/resource.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <sys/stat.h>

#include "kernel/fs/fd.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/lease.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/world.h"
#include "kernel/ops.h"

#define PROT_ANY (PROT_READ | PROT_WRITE | PROT_EXEC)

/* May the file be mapped so?  mmap(2)'s errors. */
static long may_map(const struct file *f, int prot, bool shared)
{
	if (!(f->mode & FILE_READ))
		return -EACCES;
	if (shared && (prot & PROT_WRITE) && !(f->mode & FILE_WRITE))
		return -EACCES;
	if ((prot & PROT_EXEC) && f->path.mount &&
	    (f->path.mount->flags & MOUNT_NOEXEC))
		return -EPERM;
	return f->ops->object ? 0 : -ENODEV;
}

static long object(struct task *t, struct file *f, int prot, bool shared)
{
	struct file_object o = {.host_fd = -1};
	int later = shared && (f->mode & FILE_WRITE) ? PROT_WRITE : 0;
	long err = may_map(f, prot, shared);

	if (err < 0)
		return err;
	/* mprotect(2) may add PROT_WRITE later without asking anyone; unless
	 * a seal forbids that. */
	err = f->ops->object(f, t, prot | later, shared, &o);
	if ((err == -EPERM || err == -EACCES) && !(prot & PROT_WRITE))
		err = f->ops->object(f, t, prot, shared, &o);
	if (err < 0)
		return err;
	if (o.host_fd < 0)
		return 0;
	if (shared && o.writable)
		f->leased_write = true;
	return lease_give(t, &o);
}

long op_object(struct task *t)
{
	int prot = (int)(t->req.arg[1] & PROT_ANY);
	bool shared = t->req.arg[2] & MAP_SHARED;
	struct file *f = fd_get(t, (int32_t)t->req.arg[0]);
	long ret;

	if (!f)
		return -EBADF;
	ret = object(t, f, prot, shared);
	file_put(f);
	return ret;
}

static long lease(struct task *t, struct file *f)
{
	struct file_object o = {.host_fd = -1};
	int prot = PROT_READ;
	long ret;

	if (!lease_may_read(t, f))
		return -EOPNOTSUPP;
	if (lease_may_write(t, f))
		prot |= PROT_WRITE;
	ret = f->ops->object(f, t, prot, true, &o);
	if (ret == -EWAIT)
		return ret;
	if (ret < 0 || o.host_fd < 0)
		return -EOPNOTSUPP;
	if (!(prot & PROT_WRITE) && o.writable)
		return -EOPNOTSUPP;
	if (o.writable)
		f->leased_write = true;
	ret = lease_give(t, &o);
	return ret > 0 && o.writable ? ret | OP_KEY_WRITABLE : ret;
}

long op_lease(struct task *t)
{
	struct file *f = fd_get(t, (int32_t)t->req.arg[0]);
	long ret;

	if (!f)
		return -EBADF;
	ret = lease(t, f);
	file_put(f);
	return ret;
}

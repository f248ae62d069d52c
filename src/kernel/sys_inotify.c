/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inotify_init1(2), inotify_add_watch(2), inotify_rm_watch(2).
 */
#include <linux/fcntl.h>
#include <linux/inotify.h>

#include "kernel/fs/fd.h"
#include "kernel/fs/inotify.h"
#include "kernel/fs/path.h"
#include "kernel/syscall.h"

static long init(struct task *t, int flags)
{
	struct file *f;
	long err;

	if (flags & ~(IN_CLOEXEC | IN_NONBLOCK))
		return -EINVAL;
	err = inotify_open(t, (uint32_t)flags & O_NONBLOCK, &f);
	return err < 0 ? err : fd_open(t, f, flags & IN_CLOEXEC);
}

long sys_inotify_init(struct task *t, const struct args_inotify_init *a)
{
	(void)a;
	return init(t, 0);
}

long sys_inotify_init1(struct task *t, const struct args_inotify_init1 *a)
{
	return init(t, a->flags);
}

static long add_watch(struct task *t, struct file *f,
                      const struct args_inotify_add_watch *a)
{
	uint32_t how = 0;
	struct path p;
	long ret;

	if (!(a->mask & IN_ALL_EVENTS) ||
	    (a->mask & IN_MASK_ADD && a->mask & IN_MASK_CREATE))
		return -EINVAL;
	if (!(a->mask & IN_DONT_FOLLOW))
		how |= PATH_FOLLOW;
	if (a->mask & IN_ONLYDIR)
		how |= PATH_DIRECTORY;
	ret = path_at(t, AT_FDCWD, a->path, how, &p);
	if (ret < 0)
		return ret;
	ret = inode_permission(path_inode(&p), t, R_OK);
	if (ret == 0)
		ret = inotify_add(f, path_inode(&p), a->mask);
	path_put(&p);
	return ret;
}

long sys_inotify_add_watch(struct task *t,
                           const struct args_inotify_add_watch *a)
{
	struct file *f = fd_get(t, a->fd);
	long ret;

	if (!f)
		return -EBADF;
	ret = add_watch(t, f, a);
	file_put(f);
	return ret;
}

long sys_inotify_rm_watch(struct task *t, const struct args_inotify_rm_watch *a)
{
	struct file *f = fd_get(t, a->fd);
	long ret;

	if (!f)
		return -EBADF;
	ret = inotify_remove(f, a->wd);
	file_put(f);
	return ret;
}

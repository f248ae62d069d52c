/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chdir(2), chroot(2), getcwd(2), umask(2).
 */
#include <linux/fcntl.h>
#include <sys/stat.h>

#include "kernel/fs/dentry.h"
#include "kernel/fs/fd.h"
#include "kernel/syscall.h"
#include "kernel/task/cred.h"

/* Replaces a place by another; takes over the references. */
static void settle(struct path *at, struct path to)
{
	struct path old = *at;

	*at = to;
	path_put(&old);
}

/* A directory one may be in. */
static long find(struct task *t, uaddr_t name, struct path *out)
{
	struct path p;
	long err = path_at(t, AT_FDCWD, name, PATH_FOLLOW | PATH_DIRECTORY, &p);

	if (err < 0)
		return err;
	err = path_permission(t, &p, X_OK);
	if (err < 0)
		path_put(&p);
	else
		*out = p;
	return err;
}

long sys_chdir(struct task *t, const struct args_chdir *a)
{
	struct path p;
	long err = find(t, a->path, &p);

	if (err < 0)
		return err;
	settle(&t->fs->cwd, p);
	return 0;
}

long sys_fchdir(struct task *t, const struct args_fchdir *a)
{
	struct file *f = fd_get_path(t, a->fd);
	struct path p;
	long err = 0;

	if (!f)
		return -EBADF;
	p = f->path;
	if (!path_inode(&p) || !inode_is(path_inode(&p), S_IFDIR))
		err = -ENOTDIR;
	if (err == 0)
		err = path_permission(t, &p, X_OK);
	if (err == 0) {
		path_get(&p);
		settle(&t->fs->cwd, p);
	}
	file_put(f);
	return err;
}

long sys_chroot(struct task *t, const struct args_chroot *a)
{
	struct path p;
	long err = find(t, a->path, &p);

	if (err < 0)
		return err;
	if (!cred_capable(t->cred, CRED_CAP_SYS_CHROOT)) {
		path_put(&p);
		return -EPERM;
	}
	settle(&t->fs->root, p);
	return 0;
}

#define UNREACHABLE "(unreachable)"

long sys_getcwd(struct task *t, const struct args_getcwd *a)
{
	struct fs_world *w = t->kernel->fs;
	const size_t prefix = sizeof(UNREACHABLE) - 1;
	const size_t room = sizeof(w->name) - prefix;
	char *name = w->name + prefix;
	bool reachable;
	long n;

	if (t->fs->cwd.dentry->deleted)
		return -ENOENT;
	/* What may stand before it has its place already. */
	memcpy(w->name, UNREACHABLE, prefix);
	n = path_name(t, &t->fs->cwd, name, room, &reachable);
	if (n < 0)
		return n;
	if (!reachable) {
		name = w->name;
		n += (long)prefix;
	}
	if ((uint64_t)n + 1 > a->size)
		return -ERANGE;
	if (user_write(t, a->buf, name, (size_t)n + 1) < 0)
		return -EFAULT;
	return n + 1;
}

long sys_umask(struct task *t, const struct args_umask *a)
{
	uint32_t old = t->fs->umask;

	t->fs->umask = a->mask & 0777;
	return old;
}

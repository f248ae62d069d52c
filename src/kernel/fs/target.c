/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/target.h"

#include <linux/fcntl.h>

#include "kernel/core/limits.h"
#include "kernel/fs/fd.h"
#include "kernel/fs/mount.h"

long target_fd(struct task *t, int32_t fd, bool paths_too, struct target *out)
{
	struct file *f = paths_too ? fd_get_path(t, fd) : fd_get(t, fd);

	if (!f)
		return -EBADF;
	if (!f->inode) {
		file_put(f);
		return -EINVAL;
	}
	*out = (struct target){.path = f->path, .inode = f->inode, .file = f};
	path_get(&out->path);
	return 0;
}

/* "" with AT_EMPTY_PATH: the directory itself, which may be any file. */
static long empty(struct task *t, int32_t dir, struct target *out)
{
	if (dir != AT_FDCWD)
		return target_fd(t, dir, true, out);
	*out = (struct target){.path = t->fs->cwd};
	path_get(&out->path);
	out->inode = path_inode(&out->path);
	return 0;
}

long target_at(struct task *t, int32_t dir, uaddr_t name, int flags,
               struct target *out)
{
	char *text = t->kernel->fs->name;
	uint32_t how = flags & AT_SYMLINK_NOFOLLOW ? 0 : PATH_FOLLOW;
	struct path p;
	long n = 0;

	if ((flags & AT_EMPTY_PATH) && !name.raw)
		return empty(t, dir, out);
	n = user_string(t, name, text, LIMIT_PATH);
	if (n < 0)
		return n;
	if (n == 0 && (flags & AT_EMPTY_PATH))
		return empty(t, dir, out);
	n = path_lookup(t, dir, text, how, &p);
	if (n < 0)
		return n;
	*out = (struct target){.path = p, .inode = path_inode(&p)};
	return 0;
}

void target_put(struct target *g)
{
	path_put(&g->path);
	file_put(g->file);
	*g = (struct target){0};
}

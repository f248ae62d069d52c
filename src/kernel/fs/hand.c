/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/hand.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "kernel/fs/fd.h"
#include "kernel/fs/file.h"
#include "kernel/fs/node.h"
#include "kernel/task/cred.h"
#include "kernel/task/process.h"

int hand_take(struct kernel *k, const struct path *root, struct task **out)
{
	static const uint32_t no_group;
	struct cred *cred = cred_create(0, 0, &no_group, 0);
	struct fsctx *fs = path_fsctx_create(root);
	struct fdtable *fds = fd_table_create(k);
	int err = -ENOMEM;

	if (cred && fs && fds)
		err = task_spawn(k, cred, fs, fds, out);
	if (err == 0)
		return 0;
	cred_put(cred);
	if (fs)
		path_fsctx_put(fs);
	if (fds)
		fd_table_put(fds, NULL);
	return err;
}

void hand_drop(struct task *t)
{
	process_kill(t->process, 0);
	task_put(t);
}

long hand_make(struct task *t, const char *at, const struct inode_new *how)
{
	struct inode_change c = {
		.which = INODE_SET_UID | INODE_SET_GID,
		.uid = how->uid,
		.gid = how->gid,
	};
	struct path_last last;
	struct path dir, made;
	long err = path_parent(t, AT_FDCWD, at, 0, &dir, &last);

	if (err < 0)
		return err;
	err = node_create(t, &dir, &last, how->mode, 0, how->target, &made);
	path_put(&dir);
	if (err < 0)
		return err == -EEXIST ? 0 : err;
	if (how->uid != 0)
		err = node_change(t, &made, path_inode(&made), &c);
	path_put(&made);
	return err;
}

/* Transfers without a task wait for the disk. */
static long read_all(struct file *f, uint8_t *to, size_t room)
{
	size_t done = 0;
	int64_t at = 0;
	uint8_t more;
	long n = 1;

	if (!f->ops->read)
		return -EINVAL;
	while (n > 0 && done < room) {
		struct uio u;

		uio_init_kernel(&u, to + done, room - done);
		n = f->ops->read(f, &u, &at);
		done += n > 0 ? (size_t)n : 0;
	}
	if (n > 0) {
		struct uio u;

		uio_init_kernel(&u, &more, 1);
		n = f->ops->read(f, &u, &at);
		if (n > 0)
			return -EFBIG;
	}
	return n < 0 ? n : (long)done;
}

long hand_read(struct task *t, const struct path *p, void *to, size_t room)
{
	struct inode *i = path_inode(p);
	struct file *f;
	long n;

	if (!i)
		return -ENOENT;
	if (!inode_is(i, S_IFREG))
		return -EINVAL;
	n = file_open(t, p, O_RDONLY, &f);
	if (n < 0)
		return n;
	n = read_all(f, to, room);
	file_put(f);
	return n;
}

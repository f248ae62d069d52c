/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/anon.h"

#include "kernel/task/cred.h"

static const struct inode_ops no_ops = {0};
static const struct file_ops no_file_ops = {0};

int anon_open_inode(struct kernel *k, struct inode *i,
                    const struct anon_how *how, struct file **out)
{
	struct file *f;
	int err;

	/* Its own operations come last: release() may run only then. */
	f = file_create(k, &no_file_ops, NULL, how->flags);
	if (!f)
		return -ENOMEM;
	err = file_name(f, inode_get(i), how->label);
	if (err < 0) {
		file_put(f);
		return err;
	}
	f->ops = how->ops;
	f->private = how->private;
	*out = f;
	return 0;
}

struct inode *anon_inode(struct kernel *k, struct task *t,
                         const struct inode_ops *ops, uint32_t mode)
{
	struct inode *i = file_anonymous_inode(k, ops, mode);

	if (i && t && t->cred) {
		i->uid = t->cred->fsuid;
		i->gid = t->cred->fsgid;
	}
	return i;
}

int anon_open(struct kernel *k, struct task *t, const struct anon_how *how,
              struct file **out)
{
	const struct inode_ops *ops = how->inode_ops ? how->inode_ops : &no_ops;
	uint32_t mode = how->inode_mode ? how->inode_mode : 0600;
	struct inode *i = anon_inode(k, t, ops, mode);
	int err;

	if (!i)
		return -ENOMEM;
	err = anon_open_inode(k, i, how, out);
	inode_put(i);
	return err;
}

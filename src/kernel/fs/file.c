/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/file.h"

#include <linux/fcntl.h>
#include <linux/inotify.h>
#include <poll.h>

#include "kernel/core/limits.h"
#include "kernel/fs/inotify.h"
#include "kernel/fs/loan.h"
#include "kernel/fs/lock.h"
#include "kernel/fs/sigio.h"
#include "kernel/task/cred.h"

struct file *file_create(struct kernel *k, const struct file_ops *ops,
                         void *private, uint32_t flags)
{
	struct file *f = limits_alloc(k, sizeof(*f));

	if (!f)
		return NULL;
	f->ops = ops;
	f->kernel = k;
	f->refs = 1;
	f->flags = flags;
	f->private = private;
	f->label = "anon_inode:";
	list_init(&f->epolls);
	if ((flags & O_ACCMODE) != O_WRONLY)
		f->mode |= FILE_READ;
	if ((flags & O_ACCMODE) != O_RDONLY)
		f->mode |= FILE_WRITE;
	return f;
}

struct inode *file_anonymous_inode(struct kernel *k,
                                   const struct inode_ops *ops, uint32_t mode)
{
	struct fs_world *w = mount_world(k);

	return w ? inode_create(w->anonymous, ops, mode) : NULL;
}

int file_name(struct file *f, struct inode *i, const char *label)
{
	struct mount *m = f->kernel->fs->nowhere;
	struct dentry *d = dentry_nameless(i, label);

	if (!d) {
		inode_put(i);
		return -ENOMEM;
	}
	f->path = (struct path){mount_get(m), d};
	f->inode = i;
	f->label = label;
	return 0;
}

struct file *file_get(struct file *f)
{
	f->refs++;
	return f;
}

/* What those who watch hear, and what the inode counted. */
static void leave_inode(struct file *f)
{
	lock_file_closed(f);
	if (!(f->mode & FILE_PATH)) {
		if (f->leased_write)
			inotify_file(f, IN_MODIFY);
		inotify_file(f, f->mode & FILE_WRITE ? IN_CLOSE_WRITE
		                                     : IN_CLOSE_NOWRITE);
	}
	if (f->counts_writer)
		f->inode->writers--;
}

void file_put(struct file *f)
{
	if (!f || f->refs > 1) {
		if (f)
			f->refs--;
		return;
	}
	loan_take(f);
	/* Still referred to while it is taken apart, by us. */
	if (!list_empty(&f->epolls))
		epoll_file_gone(f);
	if (f->sigio)
		sigio_file_gone(f);
	if (f->inode)
		leave_inode(f);
	if (f->ops->release)
		f->ops->release(f);
	path_put(&f->path);
	inode_put(f->inode);
	cred_put(f->cred);
	limits_free(f->kernel, f, sizeof(*f));
}

long file_wait(struct file *f, struct task *t, uint32_t events)
{
	struct poller p = poller_task(t);

	(void)events;
	if (file_nonblock(f) || !f->ops->poll)
		return -EAGAIN;
	(void)f->ops->poll(f, &p);
	return task_sleep(t);
}

int64_t file_seek(struct file *f, int64_t size, int64_t offset, int whence)
{
	int64_t base = whence == SEEK_CUR   ? f->pos
	               : whence == SEEK_END ? size
	                                    : 0;

	if (whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END)
		return -EINVAL;
	if (__builtin_add_overflow(base, offset, &offset) || offset < 0)
		return -EINVAL;
	f->pos = offset;
	return offset;
}

uint32_t file_poll(struct file *f, struct poller *p)
{
	if (!f->ops->poll)
		return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
	return f->ops->poll(f, p);
}

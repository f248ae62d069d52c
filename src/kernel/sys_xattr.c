/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xattr(7).  The rules of the namespaces are here; storing is the file
 * systems'.
 */
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/xattr.h>
#include <sys/stat.h>

#include "kernel/fs/filecap.h"
#include "kernel/fs/inotify.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/posixacl.h"
#include "kernel/fs/target.h"
#include "kernel/syscall.h"
#include "kernel/task/cred.h"

#include <linux/inotify.h>

/* A name as the guest gave it. */
struct attr {
	char name[XATTR_NAME_MAX + 1];
	struct span span;
};

static long read_name(struct task *t, uaddr_t from, struct attr *out)
{
	long n = user_string(t, from, out->name, sizeof(out->name));

	if (n == 0 || n == -ENAMETOOLONG)
		return -ERANGE;
	if (n < 0)
		return n;
	out->span = span_str(out->name);
	return 0;
}

static bool starts(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

/* May the task read (or write) an attribute of that name? */
static long may(struct task *t, const struct target *g, const char *name,
                bool write)
{
	const struct inode *i = g->inode;
	bool plain = inode_is(i, S_IFREG) || inode_is(i, S_IFDIR);

	if (write && mount_is_readonly(&g->path))
		return -EROFS;
	if (starts(name, XATTR_TRUSTED_PREFIX)) {
		if (cred_capable(t->cred, CRED_CAP_SYS_ADMIN))
			return 0;
		return write ? -EPERM : -ENODATA;
	}
	if (starts(name, XATTR_SECURITY_PREFIX)) {
		int cap = strcmp(name, FILECAP_NAME) == 0 ? CRED_CAP_SETFCAP
		                                          : CRED_CAP_SYS_ADMIN;

		return write && !cred_capable(t->cred, cap) ? -EPERM : 0;
	}
	if (posixacl_name(name)) {
		if (inode_is(i, S_IFLNK))
			return -EOPNOTSUPP;
		return write && !inode_owner_or_capable(i, t) ? -EPERM : 0;
	}
	if (!starts(name, XATTR_USER_PREFIX) ||
	    name[sizeof(XATTR_USER_PREFIX) - 1] == 0)
		return -EOPNOTSUPP;
	if (!plain)
		return write ? -EPERM : -ENODATA;
	if (write && inode_is(i, S_IFDIR) && (i->mode & S_ISVTX) &&
	    !inode_owner_or_capable(i, t))
		return -EPERM;
	return inode_permission(g->inode, t, write ? W_OK : R_OK);
}

static long set(struct task *t, struct target *g, const struct attr *a,
                struct span value, int flags)
{
	struct inode *i = g->inode;
	long err = may(t, g, a->name, true);

	if (err < 0)
		return err;
	if (!i->ops->setxattr)
		return -EOPNOTSUPP;
	if (strcmp(a->name, FILECAP_NAME) == 0 && value.size > 0 &&
	    !filecap_valid(value))
		return -EINVAL;
	err = posixacl_name(a->name)
	              ? posixacl_set(i, t, a->span, value)
	              : i->ops->setxattr(i, t, a->span, value, flags);
	if (err == 0)
		inotify_dentry(g->path.dentry, IN_ATTRIB);
	return err;
}

/* The arguments all forms of setxattr(2) share. */
struct set_args {
	uaddr_t name, value;
	uint64_t size;
	int flags;
};

static long set_target(struct task *t, struct target *g,
                       const struct set_args *s)
{
	autofree uint8_t *value = NULL;
	struct attr a;
	long err;

	err = read_name(t, s->name, &a);
	if (err == 0 && (s->flags & ~(XATTR_CREATE | XATTR_REPLACE)))
		err = -EINVAL;
	if (err == 0 && s->size > XATTR_SIZE_MAX)
		err = -E2BIG;
	if (err == 0) {
		value = malloc(s->size + 1);
		err = value ? 0 : -ENOMEM;
	}
	if (err == 0 && s->size > 0)
		err = user_read(t, s->value, value, s->size);
	if (err == 0)
		err = set(t, g, &a, (struct span){value, s->size}, s->flags);
	target_put(g);
	return err;
}

/* Hands `n` bytes over, if the caller wants them and not just their number. */
static long deliver(struct task *t, uaddr_t to, const void *from, long n,
                    uint64_t size)
{
	if (n <= 0 || size == 0)
		return n;
	if ((uint64_t)n > size)
		return -ERANGE;
	return user_write(t, to, from, (size_t)n) < 0 ? -EFAULT : n;
}

static long get_target(struct task *t, struct target *g, uaddr_t name,
                       uaddr_t to, uint64_t size)
{
	size_t room = MIN(size, XATTR_SIZE_MAX);
	autofree uint8_t *value = malloc(room + 1);
	struct inode *i = g->inode;
	struct attr a;
	long n;

	n = value ? read_name(t, name, &a) : -ENOMEM;
	if (n == 0)
		n = may(t, g, a.name, false);
	if (n == 0)
		n = i->ops->getxattr
		            ? i->ops->getxattr(i, t, a.span, value, room)
		            : -EOPNOTSUPP;
	target_put(g);
	return deliver(t, to, value, n, size);
}

/* Takes trusted.* out of a list for those who may not see it. */
static long visible(struct task *t, char *list, long n)
{
	long kept = 0;

	if (cred_capable(t->cred, CRED_CAP_SYS_ADMIN))
		return n;
	for (long at = 0; at < n;) {
		long size = (long)strlen(list + at) + 1;

		if (!starts(list + at, XATTR_TRUSTED_PREFIX)) {
			memmove(list + kept, list + at, (size_t)size);
			kept += size;
		}
		at += size;
	}
	return kept;
}

static long list_target(struct task *t, struct target *g, uaddr_t to,
                        uint64_t size)
{
	autofree char *list = calloc(1, XATTR_LIST_MAX + 1);
	struct inode *i = g->inode;
	long n = list ? 0 : -ENOMEM;

	if (n == 0 && i->ops->listxattr)
		n = i->ops->listxattr(i, t, list, XATTR_LIST_MAX);
	target_put(g);
	if (n > 0)
		n = visible(t, list, n);
	return deliver(t, to, list, n, size);
}

static long remove_target(struct task *t, struct target *g, uaddr_t name)
{
	struct inode *i = g->inode;
	struct attr a;
	long err = read_name(t, name, &a);

	if (err == 0)
		err = may(t, g, a.name, true);
	if (err == 0)
		err = i->ops->removexattr ? i->ops->removexattr(i, t, a.span)
		                          : -EOPNOTSUPP;
	if (err == -ENODATA && posixacl_name(a.name))
		err = 0;
	if (err == 0)
		inotify_dentry(g->path.dentry, IN_ATTRIB);
	target_put(g);
	return err;
}

static long by_path(struct task *t, uaddr_t path, struct target *g)
{
	return target_at(t, AT_FDCWD, path, 0, g);
}

static long by_link(struct task *t, uaddr_t path, struct target *g)
{
	return target_at(t, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, g);
}

static long by_fd(struct task *t, int32_t fd, struct target *g)
{
	return target_fd(t, fd, false, g);
}

#define SET_ARGS(a) \
	(&(struct set_args){(a)->name, (a)->value, (a)->size, (a)->flags})

long sys_setxattr(struct task *t, const struct args_setxattr *a)
{
	struct target g;
	long err = by_path(t, a->path, &g);

	return err < 0 ? err : set_target(t, &g, SET_ARGS(a));
}

long sys_lsetxattr(struct task *t, const struct args_lsetxattr *a)
{
	struct target g;
	long err = by_link(t, a->path, &g);

	return err < 0 ? err : set_target(t, &g, SET_ARGS(a));
}

long sys_fsetxattr(struct task *t, const struct args_fsetxattr *a)
{
	struct target g;
	long err = by_fd(t, a->fd, &g);

	return err < 0 ? err : set_target(t, &g, SET_ARGS(a));
}

long sys_getxattr(struct task *t, const struct args_getxattr *a)
{
	struct target g;
	long err = by_path(t, a->path, &g);

	return err < 0 ? err : get_target(t, &g, a->name, a->value, a->size);
}

long sys_lgetxattr(struct task *t, const struct args_lgetxattr *a)
{
	struct target g;
	long err = by_link(t, a->path, &g);

	return err < 0 ? err : get_target(t, &g, a->name, a->value, a->size);
}

long sys_fgetxattr(struct task *t, const struct args_fgetxattr *a)
{
	struct target g;
	long err = by_fd(t, a->fd, &g);

	return err < 0 ? err : get_target(t, &g, a->name, a->value, a->size);
}

long sys_listxattr(struct task *t, const struct args_listxattr *a)
{
	struct target g;
	long err = by_path(t, a->path, &g);

	return err < 0 ? err : list_target(t, &g, a->list, a->size);
}

long sys_llistxattr(struct task *t, const struct args_llistxattr *a)
{
	struct target g;
	long err = by_link(t, a->path, &g);

	return err < 0 ? err : list_target(t, &g, a->list, a->size);
}

long sys_flistxattr(struct task *t, const struct args_flistxattr *a)
{
	struct target g;
	long err = by_fd(t, a->fd, &g);

	return err < 0 ? err : list_target(t, &g, a->list, a->size);
}

long sys_removexattr(struct task *t, const struct args_removexattr *a)
{
	struct target g;
	long err = by_path(t, a->path, &g);

	return err < 0 ? err : remove_target(t, &g, a->name);
}

long sys_lremovexattr(struct task *t, const struct args_lremovexattr *a)
{
	struct target g;
	long err = by_link(t, a->path, &g);

	return err < 0 ? err : remove_target(t, &g, a->name);
}

long sys_fremovexattr(struct task *t, const struct args_fremovexattr *a)
{
	struct target g;
	long err = by_fd(t, a->fd, &g);

	return err < 0 ? err : remove_target(t, &g, a->name);
}

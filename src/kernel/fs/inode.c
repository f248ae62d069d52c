/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/inode.h"

#include <linux/xattr.h>
#include <sys/stat.h>
#include <time.h>

#include "kernel/core/limits.h"
#include "kernel/fs/filecap.h"
#include "kernel/fs/inotify.h"
#include "kernel/fs/posixacl.h"
#include "kernel/task/cred.h"

struct inode *inode_create(struct superblock *sb, const struct inode_ops *ops,
                           uint32_t mode)
{
	struct inode *i = limits_alloc(sb->kernel, sizeof(*i));

	if (!i)
		return NULL;
	i->ops = ops;
	i->sb = sb;
	sb->inode_count++;
	i->refs = 1;
	i->mode = mode;
	i->ino = sb->next_ino++;
	i->nlink = 1;
	i->atime = inode_now();
	i->mtime = i->atime;
	i->ctime = i->atime;
	i->btime = i->atime;
	list_init(&i->locks);
	waitq_init(&i->lock_wait);
	list_init(&i->marks);
	return i;
}

struct inode *inode_get(struct inode *i)
{
	i->refs++;
	return i;
}

void inode_put(struct inode *i)
{
	struct superblock *sb;

	if (!i || --i->refs > 0)
		return;
	sb = i->sb;
	waitq_fini(&i->lock_wait);
	if (i->ops->destroy)
		i->ops->destroy(i);
	limits_free(sb->kernel, i, sizeof(*i));
	inode_superblock_forget(sb);
}

long inode_refresh(struct inode *i, struct task *t)
{
	return i->ops->refresh ? i->ops->refresh(i, t) : 0;
}

long inode_change(struct inode *i, struct task *t, const struct inode_change *c)
{
	return i->ops->change ? i->ops->change(i, t, c) : -EPERM;
}

void inode_note_attr(struct inode *i, struct span name, bool there)
{
	static const struct {
		const char *name;
		uint8_t bit;
	} known[] = {
		{XATTR_NAME_POSIX_ACL_ACCESS, INODE_MAY_ACL},
		{XATTR_NAME_POSIX_ACL_DEFAULT, INODE_MAY_DEFAULT},
		{FILECAP_NAME, INODE_MAY_CAPS},
	};

	for (size_t n = 0; n < ARRAY_LEN(known); n++) {
		if (!span_is(name, known[n].name))
			continue;
		i->may_have &= (uint8_t)~known[n].bit;
		i->may_have |= there ? known[n].bit : 0;
	}
}

long inode_permission_bits(const struct inode *i, const struct cred *c,
                           int mask)
{
	uint32_t bits = i->mode;

	if (c->fsuid == i->uid)
		bits >>= 6;
	else if (cred_in_group(c, i->gid))
		bits >>= 3;
	if (((int)bits & mask & 7) == mask)
		return 0;
	return inode_permission_override(i, c, mask);
}

long inode_permission_override(const struct inode *i, const struct cred *c,
                               int mask)
{
	/* Running a file needs one x bit, whoever asks. */
	if ((mask & X_OK) && !inode_is(i, S_IFDIR) && !(i->mode & 0111))
		return -EACCES;
	if (cred_capable(c, CRED_CAP_DAC_OVERRIDE))
		return 0;
	if (inode_is(i, S_IFDIR) ? !(mask & W_OK) : mask == R_OK)
		if (cred_capable(c, CRED_CAP_DAC_READ_SEARCH))
			return 0;
	return -EACCES;
}

long inode_permission(struct inode *i, struct task *t, int mask)
{
	if (i->ops->permission)
		return i->ops->permission(i, t, mask);
	if (i->may_have & INODE_MAY_ACL)
		return posixacl_permission(i, t, mask);
	return inode_permission_bits(i, t->cred, mask);
}

bool inode_owner_or_capable(const struct inode *i, const struct task *t)
{
	return t->cred->fsuid == i->uid ||
	       cred_capable(t->cred, CRED_CAP_FOWNER);
}

abi_timespec inode_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (abi_timespec){ts.tv_sec, ts.tv_nsec};
}

void inode_stat(const struct inode *i, abi_stat *out)
{
	*out = (abi_stat){
		.dev = i->sb->dev,
		.ino = i->ino,
		.nlink = i->nlink,
		.mode = i->mode,
		.uid = i->uid,
		.gid = i->gid,
		.rdev = i->rdev,
		.size = (int64_t)i->size,
		.blksize = 4096,
		.blocks = (int64_t)i->blocks,
		.atime = i->atime,
		.mtime = i->mtime,
		.ctime = i->ctime,
	};
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "kernel/fs/mount.h"
#include "kernel/fs/world.h"

long path_permission(struct task *t, const struct path *p, int mask)
{
	struct inode *i = path_inode(p);

	if ((mask & W_OK) && mount_is_readonly(p) &&
	    (inode_is(i, S_IFREG) || inode_is(i, S_IFDIR) ||
	     inode_is(i, S_IFLNK)))
		return -EROFS;
	if ((mask & X_OK) && inode_is(i, S_IFREG) &&
	    (p->mount->flags & MOUNT_NOEXEC))
		return -EACCES;
	return inode_permission(i, t, mask);
}

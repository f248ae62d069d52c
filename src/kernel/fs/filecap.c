/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/filecap.h"

#include <linux/capability.h>

#include "kernel/task/cred.h"

#define REVISION VFS_CAP_REVISION_MASK

/* How large an attribute of that revision is, or 0. */
static size_t size_of(uint32_t revision)
{
	switch (revision) {
	case VFS_CAP_REVISION_1:
		return XATTR_CAPS_SZ_1;
	case VFS_CAP_REVISION_2:
		return XATTR_CAPS_SZ_2;
	case VFS_CAP_REVISION_3:
		return XATTR_CAPS_SZ_3;
	default:
		return 0;
	}
}

static long parse(struct span value, struct filecap *out)
{
	struct reader r = {.rest = value};
	uint32_t magic = rd_le32(&r);
	uint32_t revision = magic & REVISION;
	struct filecap c = {.effective = magic & VFS_CAP_FLAGS_EFFECTIVE};
	unsigned words = revision == VFS_CAP_REVISION_1 ? 1 : 2;

	if (r.bad || value.size != size_of(revision))
		return -EINVAL;
	for (unsigned n = 0; n < words; n++) {
		c.permitted |= (uint64_t)rd_le32(&r) << 32 * n;
		c.inheritable |= (uint64_t)rd_le32(&r) << 32 * n;
	}
	/* For the root of another user namespace: there are none here. */
	if (revision == VFS_CAP_REVISION_3 && rd_le32(&r) != 0)
		return -ENODATA;
	c.permitted &= CRED_CAPS_ALL;
	c.inheritable &= CRED_CAPS_ALL;
	*out = c;
	return 0;
}

long filecap_read(struct inode *i, struct task *t, struct filecap *out)
{
	uint8_t value[XATTR_CAPS_SZ_3];
	long n;

	if (!(i->may_have & INODE_MAY_CAPS))
		return -ENODATA;
	n = i->ops->getxattr(i, t, span_str(FILECAP_NAME), value,
	                     sizeof(value));
	if (n < 0)
		return n == -ERANGE ? -EINVAL : n;
	return parse((struct span){value, (size_t)n}, out);
}

bool filecap_valid(struct span value)
{
	struct reader r = {.rest = value};
	uint32_t magic = rd_le32(&r);
	uint32_t revision = magic & REVISION;

	return revision != VFS_CAP_REVISION_1 &&
	       value.size == size_of(revision) &&
	       !(magic & ~(uint32_t)(REVISION | VFS_CAP_FLAGS_EFFECTIVE));
}

long filecap_strip(struct inode *i, struct task *t)
{
	long err;

	if (!(i->may_have & INODE_MAY_CAPS))
		return 0;
	err = i->ops->removexattr(i, t, span_str(FILECAP_NAME));
	return err == -ENODATA || err == -EOPNOTSUPP ? 0 : err;
}

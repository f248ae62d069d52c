/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/xattrs.h"

#include <linux/xattr.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"

struct xattr {
	struct list link;
	size_t name_size;
	size_t value_size;
	uint8_t bytes[]; /* name, then value */
};

bool xattrs_name_ok(const struct inode *i, struct span name)
{
	static const char *const prefix[] = {
		XATTR_TRUSTED_PREFIX,
		XATTR_SECURITY_PREFIX,
		XATTR_SYSTEM_PREFIX "posix_acl_",
		XATTR_USER_PREFIX,
	};

	for (size_t p = 0; p < ARRAY_LEN(prefix); p++) {
		struct span want = span_str(prefix[p]);

		if (name.size <= want.size ||
		    memcmp(name.at, want.at, want.size) != 0)
			continue;
		return p + 1 < ARRAY_LEN(prefix) || inode_is(i, S_IFREG) ||
		       inode_is(i, S_IFDIR);
	}
	return false;
}

static size_t size_of(const struct xattr *a)
{
	return sizeof(*a) + a->name_size + a->value_size;
}

void xattrs_init(struct xattrs *x, struct kernel *k)
{
	x->kernel = k;
	x->total = 0;
	list_init(&x->all);
}

static void drop(struct xattrs *x, struct xattr *a)
{
	list_del(&a->link);
	x->total -= a->name_size + a->value_size;
	limits_free(x->kernel, a, size_of(a));
}

void xattrs_fini(struct xattrs *x)
{
	while (!list_empty(&x->all))
		drop(x, list_first(&x->all, struct xattr, link));
}

static struct xattr *find(const struct xattrs *x, struct span name)
{
	list_for_each (at, &x->all) {
		struct xattr *a = list_entry(at, struct xattr, link);

		if (span_eq((struct span){a->bytes, a->name_size}, name))
			return a;
	}
	return NULL;
}

long xattrs_get(const struct xattrs *x, struct span name, void *to, size_t room)
{
	struct xattr *a = find(x, name);

	if (!a)
		return -ENODATA;
	if (room == 0)
		return (long)a->value_size;
	if (a->value_size > room)
		return -ERANGE;
	memcpy(to, a->bytes + a->name_size, a->value_size);
	return (long)a->value_size;
}

long xattrs_set(struct xattrs *x, struct span name, struct span value,
                int flags)
{
	struct xattr *old = find(x, name);
	size_t freed = old ? old->name_size + old->value_size : 0;
	struct xattr *a;

	if (name.size == 0 || name.size > LIMIT_NAME)
		return -ERANGE;
	if (value.size > XATTRS_VALUE_MAX)
		return -E2BIG;
	if (old && (flags & XATTR_CREATE))
		return -EEXIST;
	if (!old && (flags & XATTR_REPLACE))
		return -ENODATA;
	if (x->total - freed + name.size + value.size > XATTRS_TOTAL_MAX)
		return -ENOSPC;
	a = limits_alloc(x->kernel, sizeof(*a) + name.size + value.size);
	if (!a)
		return -ENOSPC;

	/* Nothing below can fail. */
	a->name_size = name.size;
	a->value_size = value.size;
	memcpy(a->bytes, name.at, name.size);
	if (value.size)
		memcpy(a->bytes + name.size, value.at, value.size);
	if (old)
		drop(x, old);
	list_add_tail(&x->all, &a->link);
	x->total += name.size + value.size;
	return 0;
}

long xattrs_list(const struct xattrs *x, char *to, size_t room)
{
	size_t used = 0;

	list_for_each (at, &x->all) {
		struct xattr *a = list_entry(at, struct xattr, link);

		if (room != 0) {
			if (a->name_size + 1 > room - used)
				return -ERANGE;
			memcpy(to + used, a->bytes, a->name_size);
			to[used + a->name_size] = '\0';
		}
		used += a->name_size + 1;
	}
	return (long)used;
}

long xattrs_remove(struct xattrs *x, struct span name)
{
	struct xattr *a = find(x, name);

	if (!a)
		return -ENODATA;
	drop(x, a);
	return 0;
}

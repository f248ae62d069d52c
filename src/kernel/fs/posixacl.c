/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/posixacl.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/xattr.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "kernel/fs/path.h"
#include "kernel/task/cred.h"

/* A list as it is stored: a word for the version, and entries of 8 bytes. */
#define HEAD_SIZE  4u
#define ENTRY_SIZE 8u

#define RWX 7u

struct entry {
	uint16_t tag, perm;
	uint32_t id; /* of a USER or GROUP */
};

struct posixacl {
	size_t count;
	struct entry entry[];
};

bool posixacl_name(const char *name)
{
	return strcmp(name, XATTR_NAME_POSIX_ACL_ACCESS) == 0 ||
	       strcmp(name, XATTR_NAME_POSIX_ACL_DEFAULT) == 0;
}

/* ---- what is stored ---- */

/* Does an entry come where it may, and say what it may? */
static bool follows(const struct entry *e, uint16_t before)
{
	if (e->perm & ~RWX)
		return false;
	switch (e->tag) {
	case ACL_USER_OBJ:
		return before == 0;
	case ACL_USER:
		return (before == ACL_USER_OBJ || before == ACL_USER) &&
		       e->id != UINT32_MAX;
	case ACL_GROUP_OBJ:
		return before == ACL_USER_OBJ || before == ACL_USER;
	case ACL_GROUP:
		return (before == ACL_GROUP_OBJ || before == ACL_GROUP) &&
		       e->id != UINT32_MAX;
	case ACL_MASK:
		return before == ACL_GROUP_OBJ || before == ACL_GROUP;
	case ACL_OTHER:
		return before == ACL_GROUP_OBJ || before == ACL_GROUP ||
		       before == ACL_MASK;
	default:
		return false;
	}
}

/* All three classes are there, in order, and a mask if it is needed. */
static bool valid(const struct posixacl *a)
{
	bool named = false, masked = false;
	uint16_t before = 0;

	for (size_t n = 0; n < a->count; n++) {
		const struct entry *e = &a->entry[n];

		if (!follows(e, before))
			return false;
		named |= e->tag == ACL_USER || e->tag == ACL_GROUP;
		masked |= e->tag == ACL_MASK;
		before = e->tag;
	}
	return before == ACL_OTHER && (masked || !named);
}

/* 0 and a list to be freed; NULL for one without entries. */
static long parse(struct span value, struct posixacl **out)
{
	struct reader r = {.rest = value};
	uint32_t version = rd_le32(&r);
	size_t count = r.rest.size / ENTRY_SIZE;
	struct posixacl *a;

	if (r.bad)
		return -EINVAL;
	if (version != POSIX_ACL_XATTR_VERSION)
		return -EOPNOTSUPP;
	if (r.rest.size % ENTRY_SIZE != 0)
		return -EINVAL;
	*out = NULL;
	if (count == 0)
		return 0;
	a = malloc(sizeof(*a) + count * sizeof(a->entry[0]));
	if (!a)
		return -ENOMEM;
	a->count = count;
	for (size_t n = 0; n < count; n++) {
		a->entry[n].tag = rd_le16(&r);
		a->entry[n].perm = rd_le16(&r);
		a->entry[n].id = rd_le32(&r);
	}
	if (!valid(a)) {
		free(a);
		return -EINVAL;
	}
	*out = a;
	return 0;
}

static uint8_t *put(uint8_t *to, uint32_t v, size_t size)
{
	for (size_t n = 0; n < size; n++)
		to[n] = (uint8_t)(v >> 8 * n);
	return to + size;
}

static long store(struct inode *i, struct task *t, const char *name,
                  const struct posixacl *a)
{
	size_t size = HEAD_SIZE + a->count * ENTRY_SIZE;
	autofree uint8_t *value = malloc(size);
	uint8_t *to;

	if (!value)
		return -ENOMEM;
	to = put(value, POSIX_ACL_XATTR_VERSION, HEAD_SIZE);
	for (size_t n = 0; n < a->count; n++) {
		to = put(to, a->entry[n].tag, 2);
		to = put(to, a->entry[n].perm, 2);
		to = put(to, a->entry[n].id, 4);
	}
	return i->ops->setxattr(i, t, span_str(name),
	                        (struct span){value, size}, 0);
}

static long drop(struct inode *i, struct task *t, const char *name)
{
	long err = i->ops->removexattr(i, t, span_str(name));

	return err == -ENODATA ? 0 : err;
}

/* 0 and a list to be freed, or NULL if there is none. */
static long load(struct inode *i, struct task *t, const char *name,
                 struct posixacl **out)
{
	autofree uint8_t *value = NULL;
	long size = i->ops->getxattr
	                    ? i->ops->getxattr(i, t, span_str(name), NULL, 0)
	                    : -ENODATA;
	long err;

	*out = NULL;
	if (size == -ENODATA || size == -EOPNOTSUPP)
		return 0;
	if (size < 0)
		return size;
	value = malloc((size_t)size + 1);
	if (!value)
		return -ENOMEM;
	size = i->ops->getxattr(i, t, span_str(name), value, (size_t)size + 1);
	if (size < 0)
		return size;
	err = parse((struct span){value, (size_t)size}, out);
	/* Nothing is known of what such a file allows. */
	return err == -EINVAL || err == -EOPNOTSUPP ? -EIO : err;
}

/* ---- what it says ---- */

/* Is the entry about somebody in the class of the group, and that task? */
static bool names(const struct entry *e, const struct inode *i,
                  const struct cred *c)
{
	switch (e->tag) {
	case ACL_USER:
		return e->id == c->fsuid;
	case ACL_GROUP_OBJ:
		return cred_in_group(c, i->gid);
	case ACL_GROUP:
		return cred_in_group(c, e->id);
	default:
		return false;
	}
}

static uint32_t perm_of(const struct posixacl *a, uint16_t tag,
                        uint32_t without)
{
	for (size_t n = 0; n < a->count; n++)
		if (a->entry[n].tag == tag)
			return a->entry[n].perm;
	return without;
}

/* For a task that is not the owner. */
static bool allows(const struct posixacl *a, const struct inode *i,
                   const struct cred *c, uint32_t want)
{
	uint32_t mask = perm_of(a, ACL_MASK, RWX);
	bool named = false;

	for (size_t n = 0; n < a->count; n++) {
		const struct entry *e = &a->entry[n];

		if (!names(e, i, c))
			continue;
		named = true;
		/* Of several groups, one that allows all of it will do. */
		if (e->tag == ACL_USER || (e->perm & want) == want)
			return (e->perm & mask & want) == want;
	}
	return !named && (perm_of(a, ACL_OTHER, 0) & want) == want;
}

long posixacl_permission(struct inode *i, struct task *t, int mask)
{
	const struct cred *c = t->cred;
	autofree struct posixacl *a = NULL;
	long err;

	if (c->fsuid == i->uid || !(i->mode & S_IRWXG))
		return inode_permission_bits(i, c, mask);
	err = load(i, t, XATTR_NAME_POSIX_ACL_ACCESS, &a);
	if (err < 0)
		return err;
	if (!a)
		return inode_permission_bits(i, c, mask);
	if (allows(a, i, c, (uint32_t)mask & RWX))
		return 0;
	return inode_permission_override(i, c, mask);
}

/* ---- lists and modes ---- */

static struct entry *find(struct posixacl *a, uint16_t tag)
{
	for (size_t n = 0; n < a->count; n++)
		if (a->entry[n].tag == tag)
			return &a->entry[n];
	return NULL;
}

/* The entry that the three bits of a class stand for: of the group, its. */
static struct entry *of_class(struct posixacl *a, unsigned shift)
{
	struct entry *mask;

	if (shift != 3)
		return find(a, shift ? ACL_USER_OBJ : ACL_OTHER);
	mask = find(a, ACL_MASK);
	return mask ? mask : find(a, ACL_GROUP_OBJ);
}

/* Does a mode say as much? */
static bool is_plain(const struct posixacl *a)
{
	return a->count == 3;
}

static uint32_t mode_of(struct posixacl *a)
{
	uint32_t mode = 0;

	for (unsigned shift = 0; shift <= 6; shift += 3)
		mode |= (uint32_t)of_class(a, shift)->perm << shift;
	return mode;
}

/* The mode that goes with a new list, as chmod(2) would have it. */
static long change_mode(struct inode *i, struct task *t, uint32_t bits)
{
	struct inode_change c = {
		.which = INODE_SET_MODE,
		.mode = (i->mode & ~0777u) | bits,
	};

	if (!cred_in_group(t->cred, i->gid) &&
	    !cred_capable(t->cred, CRED_CAP_FSETID))
		c.mode &= ~(uint32_t)S_ISGID;
	return c.mode == i->mode ? 0 : inode_change(i, t, &c);
}

static long set_access(struct inode *i, struct task *t, struct posixacl *a)
{
	long err = a && !is_plain(a)
	                   ? store(i, t, XATTR_NAME_POSIX_ACL_ACCESS, a)
	                   : drop(i, t, XATTR_NAME_POSIX_ACL_ACCESS);

	return err == 0 && a ? change_mode(i, t, mode_of(a)) : err;
}

static long set_default(struct inode *i, struct task *t,
                        const struct posixacl *a)
{
	if (!inode_is(i, S_IFDIR))
		return a ? -EACCES : 0;
	return a ? store(i, t, XATTR_NAME_POSIX_ACL_DEFAULT, a)
	         : drop(i, t, XATTR_NAME_POSIX_ACL_DEFAULT);
}

long posixacl_set(struct inode *i, struct task *t, struct span name,
                  struct span value)
{
	autofree struct posixacl *a = NULL;
	long err = 0;

	if (!i->ops->setxattr || inode_is(i, S_IFLNK))
		return -EOPNOTSUPP;
	if (value.size > 0)
		err = parse(value, &a);
	if (err < 0)
		return err;
	return span_is(name, XATTR_NAME_POSIX_ACL_ACCESS)
	               ? set_access(i, t, a)
	               : set_default(i, t, a);
}

long posixacl_chmod(struct inode *i, struct task *t)
{
	autofree struct posixacl *a = NULL;
	long err = load(i, t, XATTR_NAME_POSIX_ACL_ACCESS, &a);

	if (err < 0 || !a)
		return err;
	for (unsigned shift = 0; shift <= 6; shift += 3)
		of_class(a, shift)->perm = i->mode >> shift & RWX;
	return store(i, t, XATTR_NAME_POSIX_ACL_ACCESS, a);
}

/* ---- what new objects get ---- */

static struct posixacl *copy_of(const struct posixacl *a)
{
	size_t size = sizeof(*a) + a->count * sizeof(a->entry[0]);
	struct posixacl *copy = malloc(size);

	if (copy)
		memcpy(copy, a, size);
	return copy;
}

/* List and mode allow no more than both did. */
static void intersect(struct posixacl *a, uint32_t *mode)
{
	for (unsigned shift = 0; shift <= 6; shift += 3) {
		struct entry *e = of_class(a, shift);

		e->perm = (uint16_t)(e->perm & *mode >> shift);
		*mode &= (uint32_t)e->perm << shift | ~(RWX << shift);
	}
}

long posixacl_inherit(struct inode *dir, struct task *t, uint32_t *mode,
                      struct posixacl_heritage *out)
{
	struct posixacl *a = NULL;
	long err;

	*out = (struct posixacl_heritage){0};
	if (S_ISLNK(*mode))
		return 0;
	if (dir->may_have & INODE_MAY_DEFAULT) {
		err = load(dir, t, XATTR_NAME_POSIX_ACL_DEFAULT, &a);
		if (err < 0)
			return err;
	}
	if (!a) {
		*mode &= ~t->fs->umask;
		return 0;
	}
	if (S_ISDIR(*mode)) {
		out->fallback = copy_of(a);
		if (!out->fallback) {
			free(a);
			return -ENOMEM;
		}
	}
	intersect(a, mode);
	if (is_plain(a))
		free(a);
	else
		out->access = a;
	return 0;
}

long posixacl_bequeath(struct inode *made, struct task *t,
                       struct posixacl_heritage *h)
{
	long err = 0;

	/* A file system without attributes has no directory with lists. */
	if (h->access)
		err = store(made, t, XATTR_NAME_POSIX_ACL_ACCESS, h->access);
	if (err == 0 && h->fallback)
		err = store(made, t, XATTR_NAME_POSIX_ACL_DEFAULT, h->fallback);
	posixacl_disown(h);
	return err;
}

void posixacl_disown(struct posixacl_heritage *h)
{
	free(h->access);
	free(h->fallback);
	*h = (struct posixacl_heritage){0};
}

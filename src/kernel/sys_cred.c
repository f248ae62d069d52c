/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User and group ids, groups, capabilities: credentials(7), capabilities(7).
 */
#include <linux/capability.h>
#include <linux/securebits.h>

#include "kernel/core/limits.h"
#include "kernel/syscall.h"
#include "kernel/task/cred.h"
#include "kernel/task/process.h"

#define KEEP (~0u) /* "leave this one as it is" */

/* What fsuid 0 may do with files: CAP_FS_MASK of capabilities(7). */
#define FILE_CAPS                                                           \
	(1ull << CAP_CHOWN | 1ull << CAP_MKNOD | 1ull << CAP_DAC_OVERRIDE | \
	 1ull << CAP_DAC_READ_SEARCH | 1ull << CAP_FOWNER |                 \
	 1ull << CAP_FSETID | 1ull << CAP_LINUX_IMMUTABLE |                 \
	 1ull << CAP_MAC_OVERRIDE)

static bool any_root(const struct cred *c)
{
	return c->uid == 0 || c->euid == 0 || c->suid == 0;
}

/* "Effect of user ID changes on capabilities". */
static void fix_caps(struct cred *c, const struct cred *old)
{
	if (c->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (any_root(old) && !any_root(c)) {
		if (!(c->securebits & SECBIT_KEEP_CAPS)) {
			c->cap_permitted = 0;
			c->cap_effective = 0;
		}
		c->cap_ambient = 0;
	}
	if (old->euid == 0 && c->euid != 0)
		c->cap_effective = 0;
	if (old->euid != 0 && c->euid == 0)
		c->cap_effective = c->cap_permitted;
}

static void fix_file_caps(struct cred *c, const struct cred *old)
{
	if (c->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (old->fsuid == 0 && c->fsuid != 0)
		c->cap_effective &= ~FILE_CAPS;
	if (old->fsuid != 0 && c->fsuid == 0)
		c->cap_effective |= c->cap_permitted & FILE_CAPS;
}

/* Takes over `c`.  Who changes ids is not to be looked into any more. */
static long adopt(struct task *t, struct cred *c)
{
	const struct cred *old = t->cred;

	if (c->euid != old->euid || c->egid != old->egid ||
	    c->fsuid != old->fsuid || c->fsgid != old->fsgid ||
	    (c->cap_permitted & ~old->cap_permitted)) {
		t->process->dumpable = false;
		t->pdeath_signal = 0;
	}
	cred_replace(t, c);
	return 0;
}

static bool may(const struct task *t, int cap)
{
	return cred_capable(t->cred, cap);
}

/*
 * User and group ids change by the same rules.  The calls below are about
 * either; only capabilities care which, and they follow user ids alone.
 */
enum kind { USERS, GROUPS };

/* The ids of one kind: real, effective, saved, and of the file system. */
struct ids {
	uint32_t r, e, s, fs;
};

static struct ids ids_of(const struct cred *c, enum kind kind)
{
	if (kind == USERS)
		return (struct ids){c->uid, c->euid, c->suid, c->fsuid};
	return (struct ids){c->gid, c->egid, c->sgid, c->fsgid};
}

static bool privileged(const struct task *t, enum kind kind)
{
	return may(t, kind == USERS ? CRED_CAP_SETUID : CRED_CAP_SETGID);
}

typedef void fix_fn(struct cred *c, const struct cred *old);

static long change(struct task *t, enum kind kind, struct ids to, fix_fn *fix)
{
	const struct cred *old = t->cred;
	struct cred *c = cred_copy(old);

	if (!c)
		return -ENOMEM;
	if (kind == USERS) {
		c->uid = to.r;
		c->euid = to.e;
		c->suid = to.s;
		c->fsuid = to.fs;
		fix(c, old);
	} else {
		c->gid = to.r;
		c->egid = to.e;
		c->sgid = to.s;
		c->fsgid = to.fs;
	}
	return adopt(t, c);
}

/* Is `id` one of the three, or does it stay as it is? */
static bool one_of(uint32_t id, uint32_t a, uint32_t b, uint32_t c)
{
	return id == KEEP || id == a || id == b || id == c;
}

static void set(uint32_t *to, uint32_t id)
{
	if (id != KEEP)
		*to = id;
}

static long set_one(struct task *t, enum kind kind, uint32_t id)
{
	struct ids i = ids_of(t->cred, kind);

	if (id == KEEP)
		return -EINVAL;
	if (privileged(t, kind))
		i.r = i.s = id;
	else if (id != i.r && id != i.s)
		return -EPERM;
	i.e = i.fs = id;
	return change(t, kind, i, fix_caps);
}

static long set_two(struct task *t, enum kind kind, uint32_t r, uint32_t e)
{
	struct ids was = ids_of(t->cred, kind);
	struct ids i = was;

	if (!privileged(t, kind) && (!one_of(r, was.r, was.e, was.r) ||
	                             !one_of(e, was.r, was.e, was.s)))
		return -EPERM;
	set(&i.r, r);
	set(&i.e, e);
	if (r != KEEP || (e != KEEP && e != was.r))
		i.s = i.e;
	i.fs = i.e;
	return change(t, kind, i, fix_caps);
}

static long set_three(struct task *t, enum kind kind, const uint32_t to[3])
{
	struct ids i = ids_of(t->cred, kind);

	for (int n = 0; n < 3; n++)
		if (!privileged(t, kind) && !one_of(to[n], i.r, i.e, i.s))
			return -EPERM;
	set(&i.r, to[0]);
	set(&i.e, to[1]);
	set(&i.s, to[2]);
	i.fs = i.e;
	return change(t, kind, i, fix_caps);
}

/* Returns the old one whatever happens, as setfsuid(2) says. */
static long set_fs(struct task *t, enum kind kind, uint32_t id)
{
	struct ids i = ids_of(t->cred, kind);
	uint32_t was = i.fs;

	if (id == KEEP || id == was ||
	    (!privileged(t, kind) && !one_of(id, i.r, i.e, i.s)))
		return was;
	i.fs = id;
	(void)change(t, kind, i, fix_file_caps);
	return was;
}

long sys_setuid(struct task *t, const struct args_setuid *a)
{
	return set_one(t, USERS, a->uid);
}

long sys_setgid(struct task *t, const struct args_setgid *a)
{
	return set_one(t, GROUPS, a->gid);
}

long sys_setreuid(struct task *t, const struct args_setreuid *a)
{
	return set_two(t, USERS, a->ruid, a->euid);
}

long sys_setregid(struct task *t, const struct args_setregid *a)
{
	return set_two(t, GROUPS, a->rgid, a->egid);
}

long sys_setresuid(struct task *t, const struct args_setresuid *a)
{
	return set_three(t, USERS,
	                 (const uint32_t[3]){a->ruid, a->euid, a->suid});
}

long sys_setresgid(struct task *t, const struct args_setresgid *a)
{
	return set_three(t, GROUPS,
	                 (const uint32_t[3]){a->rgid, a->egid, a->sgid});
}

long sys_setfsuid(struct task *t, const struct args_setfsuid *a)
{
	return set_fs(t, USERS, a->uid);
}

long sys_setfsgid(struct task *t, const struct args_setfsgid *a)
{
	return set_fs(t, GROUPS, a->gid);
}

static long put3(struct task *t, const uaddr_t to[3], const uint32_t id[3])
{
	for (int i = 0; i < 3; i++)
		if (user_write(t, to[i], &id[i], sizeof(id[i])) < 0)
			return -EFAULT;
	return 0;
}

long sys_getresuid(struct task *t, const struct args_getresuid *a)
{
	const struct cred *c = t->cred;

	return put3(t, (const uaddr_t[3]){a->ruid, a->euid, a->suid},
	            (const uint32_t[3]){c->uid, c->euid, c->suid});
}

long sys_getresgid(struct task *t, const struct args_getresgid *a)
{
	const struct cred *c = t->cred;

	return put3(t, (const uaddr_t[3]){a->rgid, a->egid, a->sgid},
	            (const uint32_t[3]){c->gid, c->egid, c->sgid});
}

long sys_getgroups(struct task *t, const struct args_getgroups *a)
{
	const struct cred *c = t->cred;

	if (a->count < 0)
		return -EINVAL;
	if (a->count == 0)
		return c->group_count;
	if ((uint32_t)a->count < c->group_count)
		return -EINVAL;
	if (user_write(t, a->list, c->groups,
	               c->group_count * sizeof(*c->groups)) < 0)
		return -EFAULT;
	return c->group_count;
}

long sys_setgroups(struct task *t, const struct args_setgroups *a)
{
	uint32_t count = (uint32_t)a->count;
	size_t size = count * sizeof(uint32_t);
	autofree uint32_t *list = NULL;
	struct cred *c;

	if (!may(t, CRED_CAP_SETGID))
		return -EPERM;
	if (count > LIMIT_GROUPS)
		return -EINVAL;
	list = malloc(MAX(size, 1));
	if (!list)
		return -ENOMEM;
	if (user_read(t, a->list, list, size) < 0)
		return -EFAULT;
	c = cred_copy(t->cred);
	if (!c)
		return -ENOMEM;
	if (cred_set_groups(c, list, count) < 0) {
		cred_put(c);
		return -ENOMEM;
	}
	return adopt(t, c);
}

/* Capabilities. */

/* Sets have one word in the first version of the interface, else two. */
static int words(uint32_t version)
{
	switch (version) {
	case _LINUX_CAPABILITY_VERSION_1:
		return 1;
	case _LINUX_CAPABILITY_VERSION_2:
	case _LINUX_CAPABILITY_VERSION_3:
		return 2;
	default:
		return 0;
	}
}

static long read_head(struct task *t, uaddr_t at,
                      struct __user_cap_header_struct *h)
{
	if (user_read(t, at, h, sizeof(*h)) < 0)
		return -EFAULT;
	if (words(h->version) > 0)
		return words(h->version);
	h->version = _LINUX_CAPABILITY_VERSION_3;
	if (user_write(t, at, &h->version, sizeof(h->version)) < 0)
		return -EFAULT;
	return -EINVAL;
}

long sys_capget(struct task *t, const struct args_capget *a)
{
	struct __user_cap_header_struct h;
	struct __user_cap_data_struct d[2];
	long count = read_head(t, a->head, &h);
	const struct cred *c = t->cred;

	if (count == -EINVAL && a->data.raw == 0)
		return 0; /* a probe for the version */
	if (count < 0)
		return count;
	if (h.pid < 0)
		return -EINVAL;
	if (h.pid != 0 && h.pid != t->tid) {
		const struct task *other = task_find(t->kernel, h.pid);
		const struct process *p = process_find(t->kernel, h.pid);

		if (!other && !p)
			return -ESRCH;
		c = other ? other->cred : process_cred(p);
	}
	if (a->data.raw == 0)
		return 0;
	for (int i = 0; i < 2; i++) {
		d[i].effective = (uint32_t)(c->cap_effective >> 32 * i);
		d[i].permitted = (uint32_t)(c->cap_permitted >> 32 * i);
		d[i].inheritable = (uint32_t)(c->cap_inheritable >> 32 * i);
	}
	return user_write(t, a->data, d, (size_t)count * sizeof(d[0]));
}

static bool caps_allowed(const struct cred *c, const struct cred *old)
{
	uint64_t bound = old->cap_inheritable | old->cap_permitted;

	if (!cred_capable(old, CRED_CAP_SETPCAP) &&
	    (c->cap_inheritable & ~bound))
		return false;
	if (c->cap_inheritable & ~(old->cap_inheritable | old->cap_bounding))
		return false;
	return !(c->cap_permitted & ~old->cap_permitted) &&
	       !(c->cap_effective & ~c->cap_permitted);
}

long sys_capset(struct task *t, const struct args_capset *a)
{
	struct __user_cap_header_struct h;
	struct __user_cap_data_struct d[2] = {0};
	long count = read_head(t, a->head, &h);
	struct cred *c;

	if (count < 0)
		return count;
	if (h.pid != 0 && h.pid != t->tid)
		return -EPERM;
	if (user_read(t, a->data, d, (size_t)count * sizeof(d[0])) < 0)
		return -EFAULT;
	c = cred_copy(t->cred);
	if (!c)
		return -ENOMEM;
	c->cap_effective = d[0].effective | (uint64_t)d[1].effective << 32;
	c->cap_permitted = d[0].permitted | (uint64_t)d[1].permitted << 32;
	c->cap_inheritable = d[0].inheritable | (uint64_t)d[1].inheritable
	                                                << 32;
	c->cap_effective &= CRED_CAPS_ALL;
	c->cap_permitted &= CRED_CAPS_ALL;
	c->cap_inheritable &= CRED_CAPS_ALL;
	c->cap_ambient &= c->cap_permitted & c->cap_inheritable;
	if (!caps_allowed(c, t->cred)) {
		cred_put(c);
		return -EPERM;
	}
	return adopt(t, c);
}

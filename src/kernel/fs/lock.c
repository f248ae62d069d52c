/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All locks of an inode are in one list.  Those of one owner never overlap,
 * and neighbours of the same type are merged.
 */
#include "kernel/fs/lock.h"

#include <linux/fcntl.h>

#include "kernel/core/limits.h"
#include "kernel/fs/loan.h"
#include "kernel/fs/mount.h"
#include "kernel/task/process.h"

#define DEADLOCK_STEPS 16
#define END            ((uint64_t)INT64_MAX)

enum kind { POSIX, OFD, FLOCK };

struct range {
	uint64_t first, last; /* inclusive */
};

struct lock {
	struct list link; /* in inode.locks */
	enum kind kind;
	bool exclusive;
	struct range range;
	const void *owner; /* a descriptor table (POSIX) or a file */
	int32_t pid;
};

/* What one task waits for; t->job while it does. */
struct lock_wait {
	struct list link; /* in fs_world.lock_waits */
	struct kernel *kernel;
	struct inode *inode; /* owns a reference */
	struct lock want;
};

static bool overlap(struct range a, struct range b)
{
	return a.first <= b.last && b.first <= a.last;
}

/* The first lock that keeps `want` from being granted, or NULL. */
static struct lock *conflict(const struct inode *i, const struct lock *want)
{
	list_for_each (at, &i->locks) {
		struct lock *l = list_entry(at, struct lock, link);

		if ((l->kind == FLOCK) != (want->kind == FLOCK))
			continue;
		if (l->owner == want->owner)
			continue;
		if ((l->exclusive || want->exclusive) &&
		    overlap(l->range, want->range))
			return l;
	}
	return NULL;
}

static void destroy(struct kernel *k, struct lock *l)
{
	if (!l)
		return;
	list_del(&l->link);
	limits_free(k, l, sizeof(*l));
}

static struct lock *create(struct kernel *k, const struct lock *like)
{
	struct lock *l = limits_alloc(k, sizeof(*l));

	if (!l)
		return NULL;
	*l = *like;
	list_init(&l->link);
	return l;
}

/*
 * Cuts `range` out of the owner's lock `l`; what lies behind it goes into
 * *spare, which is taken.
 */
static void cut(struct kernel *k, struct inode *i, struct lock *l,
                struct range range, struct lock **spare)
{
	struct range was = l->range;

	if (was.first >= range.first && was.last <= range.last) {
		destroy(k, l);
		return;
	}
	if (was.first < range.first)
		l->range.last = range.first - 1;
	else
		l->range.first = range.last + 1;
	if (was.first >= range.first || was.last <= range.last)
		return;
	(*spare)->exclusive = l->exclusive;
	(*spare)->range = (struct range){range.last + 1, was.last};
	list_add_tail(&i->locks, &(*spare)->link);
	*spare = NULL;
}

/* Do the two ranges touch without overlapping? */
static bool touch(struct range a, struct range b)
{
	return (a.last < END && a.last + 1 == b.first) ||
	       (b.last < END && b.last + 1 == a.first);
}

/* Replaces what the owner has in the range by `want`; or by nothing. */
static long replace(struct kernel *k, struct inode *i, const struct lock *want,
                    bool unlock)
{
	struct lock *spare = create(k, want);
	struct lock *fresh = unlock ? NULL : create(k, want);

	if (!spare || (!unlock && !fresh)) {
		destroy(k, spare);
		destroy(k, fresh);
		return -ENOLCK;
	}
	/* Nothing below can fail. */
	list_for_each_safe (at, &i->locks) {
		struct lock *l = list_entry(at, struct lock, link);
		bool same = !unlock && l->exclusive == want->exclusive;

		if (l->owner != want->owner || l->kind != want->kind)
			continue;
		if (same && (overlap(l->range, fresh->range) ||
		             touch(l->range, fresh->range))) {
			fresh->range.first = MIN(fresh->range.first,
			                         l->range.first);
			fresh->range.last = MAX(fresh->range.last,
			                        l->range.last);
			destroy(k, l);
		} else if (overlap(l->range, want->range)) {
			cut(k, i, l, want->range, &spare);
		}
	}
	if (fresh)
		list_add_tail(&i->locks, &fresh->link);
	destroy(k, spare);
	waitq_wake(&i->lock_wait, WAITQ_ANY);
	return 0;
}

static void wait_drop(struct task *t)
{
	struct lock_wait *w = t->job;

	t->job = NULL;
	if (!w)
		return;
	list_del(&w->link);
	inode_put(w->inode);
	limits_free(w->kernel, w, sizeof(*w));
}

/* What does this owner wait for, if for anything? */
static struct lock_wait *wait_of(struct kernel *k, const void *owner)
{
	list_for_each (at, &k->fs->lock_waits) {
		struct lock_wait *w = list_entry(at, struct lock_wait, link);

		if (w->want.owner == owner)
			return w;
	}
	return NULL;
}

/* Would waiting for `l` close a circle of those who wait? */
static bool deadlock(struct kernel *k, const struct lock *want,
                     const struct lock *l)
{
	for (int i = 0; l && l->kind == POSIX && i < DEADLOCK_STEPS; i++) {
		struct lock_wait *w;

		if (l->owner == want->owner)
			return true;
		w = wait_of(k, l->owner);
		l = w ? conflict(w->inode, &w->want) : NULL;
	}
	return false;
}

static long sleep_for(struct task *t, struct inode *i, const struct lock *want)
{
	struct lock_wait *w = t->job;
	long err;

	if (!w) {
		w = limits_alloc(t->kernel, sizeof(*w));
		if (!w)
			return -ENOLCK;
		w->kernel = t->kernel;
		w->inode = inode_get(i);
		w->want = *want;
		list_init(&w->link);
		if (want->kind == POSIX)
			list_add_tail(&t->kernel->fs->lock_waits, &w->link);
		t->job = w;
		t->job_drop = wait_drop;
	}
	task_watch(t, &i->lock_wait);
	err = task_sleep(t);
	if (err != -EWAIT)
		wait_drop(t);
	return err;
}

/* Takes a lock, waits for it, or -EAGAIN. */
static long set(struct task *t, struct inode *i, const struct lock *want,
                bool wait)
{
	struct lock *l = conflict(i, want);
	long err;

	if (l && wait) {
		if (want->kind == POSIX && deadlock(t->kernel, want, l))
			return -EDEADLK;
		return sleep_for(t, i, want);
	}
	err = l ? -EAGAIN : replace(t->kernel, i, want, false);
	if (t->job_drop == wait_drop)
		wait_drop(t);
	return err;
}

/* struct flock's idea of a range. */
static long to_range(struct file *f, struct task *t, const struct flock *fl,
                     struct range *out)
{
	int64_t base = 0, first, last = INT64_MAX;
	long err;

	switch (fl->l_whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		loan_take(f);
		base = f->pos;
		break;
	case SEEK_END:
		err = inode_refresh(f->inode, t);
		if (err < 0)
			return err;
		base = (int64_t)f->inode->size;
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(base, fl->l_start, &first))
		return -EOVERFLOW;
	if (first < 0)
		return -EINVAL;
	if (fl->l_len > 0) {
		if (__builtin_add_overflow(first, fl->l_len - 1, &last))
			return -EOVERFLOW;
	} else if (fl->l_len < 0) {
		last = first - 1;
		if (__builtin_add_overflow(first, fl->l_len, &first) ||
		    first < 0)
			return -EINVAL;
	}
	*out = (struct range){(uint64_t)first, (uint64_t)last};
	return 0;
}

/* F_GETLK: what is in the way, or F_UNLCK. */
static long get(struct task *t, struct file *f, const struct lock *want,
                struct flock *fl, uaddr_t arg)
{
	struct lock *l = conflict(f->inode, want);

	if (!l) {
		fl->l_type = F_UNLCK;
	} else {
		fl->l_type = l->exclusive ? F_WRLCK : F_RDLCK;
		fl->l_whence = SEEK_SET;
		fl->l_start = (int64_t)l->range.first;
		fl->l_len = l->range.last == END
		                    ? 0
		                    : (int64_t)(l->range.last - l->range.first +
		                                1);
		fl->l_pid = l->kind == POSIX ? l->pid : -1;
	}
	return user_write(t, arg, fl, sizeof(*fl));
}

long lock_fcntl(struct task *t, struct file *f, int cmd, uaddr_t arg)
{
	bool ofd = cmd == F_OFD_GETLK || cmd == F_OFD_SETLK ||
	           cmd == F_OFD_SETLKW;
	bool wait = cmd == F_SETLKW || cmd == F_OFD_SETLKW;
	struct lock want = {.kind = ofd ? OFD : POSIX};
	struct flock fl;
	long err;

	if (!f->inode)
		return -EBADF;
	err = user_read(t, arg, &fl, sizeof(fl));
	if (err < 0)
		return err;
	if (ofd && fl.l_pid != 0)
		return -EINVAL;
	err = to_range(f, t, &fl, &want.range);
	if (err < 0)
		return err;
	want.owner = ofd ? (const void *)f : (const void *)t->fds;
	want.exclusive = fl.l_type == F_WRLCK;
	want.pid = t->process->pid;
	if (fl.l_type != F_RDLCK && fl.l_type != F_WRLCK &&
	    fl.l_type != F_UNLCK)
		return -EINVAL;
	if (cmd == F_GETLK || cmd == F_OFD_GETLK)
		return fl.l_type == F_UNLCK && !ofd
		               ? -EINVAL
		               : get(t, f, &want, &fl, arg);
	if (fl.l_type == F_UNLCK)
		return replace(t->kernel, f->inode, &want, true);
	if (!(f->mode & (want.exclusive ? FILE_WRITE : FILE_READ)))
		return -EBADF;
	return set(t, f->inode, &want, wait);
}

/* Lets go of all locks of one owner and kind. */
static void drop(struct kernel *k, struct inode *i, const void *owner,
                 enum kind kind)
{
	bool dropped = false;

	list_for_each_safe (at, &i->locks) {
		struct lock *l = list_entry(at, struct lock, link);

		if (l->owner != owner || l->kind != kind)
			continue;
		destroy(k, l);
		dropped = true;
	}
	if (dropped)
		waitq_wake(&i->lock_wait, WAITQ_ANY);
}

#define LOCK_SH 1
#define LOCK_EX 2
#define LOCK_NB 4
#define LOCK_UN 8

long lock_flock(struct task *t, struct file *f, int op)
{
	struct lock want = {.kind = FLOCK, .owner = f, .range = {0, END}};
	int how = op & ~LOCK_NB;

	if (how != LOCK_SH && how != LOCK_EX && how != LOCK_UN)
		return -EINVAL;
	if (!f->inode)
		return -EBADF;
	if (how == LOCK_UN) {
		drop(t->kernel, f->inode, f, FLOCK);
		return 0;
	}
	if (!(f->mode & (FILE_READ | FILE_WRITE)))
		return -EBADF;
	want.exclusive = how == LOCK_EX;
	want.pid = t->process->pid;
	/* A change of kind lets others in between, as flock(2) warns. */
	if (conflict(f->inode, &want))
		drop(t->kernel, f->inode, f, FLOCK);
	return set(t, f->inode, &want, !(op & LOCK_NB));
}

void lock_table_closed(struct file *f, const struct fdtable *ft)
{
	if (f->inode && !list_empty(&f->inode->locks))
		drop(f->kernel, f->inode, ft, POSIX);
}

void lock_file_closed(struct file *f)
{
	if (list_empty(&f->inode->locks))
		return;
	drop(f->kernel, f->inode, f, OFD);
	drop(f->kernel, f->inode, f, FLOCK);
}

bool lock_info(const struct inode *i, size_t index, struct lock_info *out)
{
	static const char *const kinds[] = {
		[POSIX] = "POSIX",
		[OFD] = "OFDLCK",
		[FLOCK] = "FLOCK",
	};

	list_for_each (at, &i->locks) {
		const struct lock *l = list_entry(at, struct lock, link);

		if (index-- > 0)
			continue;
		*out = (struct lock_info){
			.kind = kinds[l->kind],
			.exclusive = l->exclusive,
			.pid = l->kind == OFD ? -1 : l->pid,
			.first = l->range.first,
			.last = l->range.last,
		};
		return true;
	}
	return false;
}

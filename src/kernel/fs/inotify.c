/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An instance has marks, each on an inode that it keeps alive, and a queue of
 * events.  An event equal to the last one in the queue is not queued again.
 */
#include "kernel/fs/inotify.h"

#include <linux/inotify.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/anon.h"
#include "kernel/fs/loan.h"

#define QUEUE_MAX     16384u
#define INSTANCES_MAX 1024u
#define MARKS_MAX     524288u

/* Reported whether asked for or not. */
#define ALWAYS (IN_UNMOUNT | IN_IGNORED | IN_Q_OVERFLOW)

struct instance {
	struct kernel *kernel;
	struct list marks;  /* mark.in_instance */
	struct list events; /* event.link, oldest first */
	uint32_t event_count;
	uint64_t event_bytes; /* as read(2) would return them */
	int32_t last_wd;
	struct waitq wait;
};

struct mark {
	struct list in_inode;
	struct list in_instance;
	struct list in_world; /* in fs_world.marks */
	struct instance *instance;
	struct inode *inode; /* owns a reference */
	int32_t wd;
	uint32_t mask;
};

struct news {
	struct list link;
	int32_t wd;
	uint32_t mask;
	uint32_t cookie;
	uint32_t name_size; /* without NUL and padding */
	char name[];
};

/* The name's field in a record: padded to whole records. */
static uint32_t padded(uint32_t name_size)
{
	return name_size == 0
	               ? 0
	               : (uint32_t)round_up(name_size + 1u,
	                                    sizeof(struct inotify_event));
}

static size_t record_size(const struct news *e)
{
	return sizeof(struct inotify_event) + padded(e->name_size);
}

static bool repeats(const struct instance *n, const struct news *e)
{
	const struct news *last;

	if (list_empty(&n->events))
		return false;
	last = list_entry(n->events.prev, struct news, link);
	return last->wd == e->wd && last->mask == e->mask &&
	       last->cookie == e->cookie && last->name_size == e->name_size &&
	       memcmp(last->name, e->name, e->name_size) == 0;
}

static void news_free(struct kernel *k, struct news *e)
{
	limits_free(k, e, sizeof(*e) + e->name_size);
}

static void queue(struct instance *n, int32_t wd, uint32_t mask,
                  uint32_t cookie, struct span name)
{
	struct news *e;

	if (n->event_count > QUEUE_MAX)
		return;
	if (n->event_count == QUEUE_MAX) {
		wd = -1;
		mask = IN_Q_OVERFLOW;
		cookie = 0;
		name.size = 0;
	}
	e = limits_alloc(n->kernel, sizeof(*e) + name.size);
	if (!e)
		return;
	e->wd = wd;
	e->mask = mask;
	e->cookie = cookie;
	e->name_size = (uint32_t)name.size;
	if (name.size > 0)
		memcpy(e->name, name.at, name.size);
	if (repeats(n, e)) {
		news_free(n->kernel, e);
		return;
	}
	list_add_tail(&n->events, &e->link);
	n->event_count++;
	n->event_bytes += record_size(e);
	waitq_wake(&n->wait, POLLIN | POLLRDNORM);
}

static void destroy_mark(struct mark *m, bool tell)
{
	struct kernel *k = m->instance->kernel;
	struct inode *i = m->inode;

	if (tell)
		queue(m->instance, m->wd, IN_IGNORED, 0, (struct span){0});
	list_del(&m->in_inode);
	list_del(&m->in_instance);
	list_del(&m->in_world);
	k->fs->mark_count--;
	limits_free(k, m, sizeof(*m));
	inode_put(i);
}

/* Tells all who marked the inode and asked for this. */
static void tell(struct inode *i, uint32_t mask, uint32_t cookie,
                 struct span name, bool deleted)
{
	inode_get(i);
	list_for_each_safe (at, &i->marks) {
		struct mark *m = list_entry(at, struct mark, in_inode);

		if (!(mask & (m->mask | ALWAYS) & ~(uint32_t)IN_ISDIR))
			continue;
		if (deleted && (m->mask & IN_EXCL_UNLINK))
			continue;
		queue(m->instance, m->wd, mask, cookie, name);
		if (m->mask & IN_ONESHOT)
			destroy_mark(m, true);
	}
	inode_put(i);
}

void inotify_self_slow(struct inode *i, uint32_t mask)
{
	if (!list_empty(&i->marks))
		tell(i, mask, 0, (struct span){0}, false);
}

void inotify_dentry_slow(struct dentry *d, uint32_t mask)
{
	struct dentry *parent = d->parent;

	if (inode_is(d->inode, S_IFDIR))
		mask |= IN_ISDIR;
	if (parent && !list_empty(&parent->inode->marks))
		tell(parent->inode, mask, 0, dentry_name_span(d), d->deleted);
	inotify_self_slow(d->inode, mask);
}

static bool marked(const struct inode *i, uint32_t mask)
{
	list_for_each (at, &i->marks)
		if (list_entry(at, struct mark, in_inode)->mask & mask)
			return true;
	return false;
}

bool inotify_watches_slow(const struct dentry *d, uint32_t mask)
{
	return marked(d->inode, mask) ||
	       (d->parent && marked(d->parent->inode, mask));
}

/* What cells do by themselves we could not tell: they ask from now on. */
static void ask_cells(struct kernel *k, uint32_t mask)
{
	if (!(mask & (IN_ACCESS | IN_MODIFY)))
		return;
	cells_recall_leases(k);
	loan_take_all(k);
}

void inotify_entry_slow(struct inode *dir, uint32_t mask, uint32_t cookie,
                        struct span name, bool is_dir)
{
	if (!list_empty(&dir->marks))
		tell(dir, mask | (is_dir ? IN_ISDIR : 0), cookie, name, false);
}

uint32_t inotify_cookie(struct kernel *k)
{
	return ++k->fs->last_cookie;
}

void inotify_deleted(struct inode *i)
{
	if (list_empty(&i->marks))
		return;
	inode_get(i);
	tell(i, IN_DELETE_SELF, 0, (struct span){0}, false);
	list_for_each_safe (at, &i->marks)
		destroy_mark(list_entry(at, struct mark, in_inode), true);
	inode_put(i);
}

void inotify_unmounted(struct superblock *sb)
{
	list_for_each_safe (at, &sb->kernel->fs->marks) {
		struct mark *m = list_entry(at, struct mark, in_world);

		if (m->inode->sb != sb)
			continue;
		queue(m->instance, m->wd, IN_UNMOUNT, 0, (struct span){0});
		destroy_mark(m, true);
	}
}

/* As many whole records as fit. */
static long read_events(struct file *f, struct uio *u, int64_t *pos)
{
	struct instance *n = f->private;
	long done = 0;

	(void)pos;
	if (list_empty(&n->events))
		return -EAGAIN;
	while (!list_empty(&n->events)) {
		struct news *e = list_first(&n->events, struct news, link);
		/* struct inotify_event with room for its name */
		struct {
			int32_t wd;
			uint32_t mask, cookie, len;
			char name[272];
		} r = {0};
		size_t size = record_size(e);

		if (size > u->left)
			break;
		r.wd = e->wd;
		r.mask = e->mask;
		r.cookie = e->cookie;
		r.len = padded(e->name_size);
		memcpy(r.name, e->name, e->name_size);
		if (uio_put(u, &r, size) < 0)
			return done ? done : -EFAULT;
		done += (long)size;
		list_del(&e->link);
		n->event_count--;
		n->event_bytes -= size;
		news_free(n->kernel, e);
	}
	return done ? done : -EINVAL;
}

static uint32_t poll_events(struct file *f, struct poller *p)
{
	struct instance *n = f->private;

	poller_watch(p, &n->wait);
	return list_empty(&n->events) ? 0 : POLLIN | POLLRDNORM;
}

static long ioctl_events(struct file *f, struct task *t, uint32_t cmd,
                         uint64_t arg)
{
	struct instance *n = f->private;
	int32_t bytes = (int32_t)n->event_bytes;

	if (cmd != FIONREAD)
		return -ENOTTY;
	return user_write(t, (uaddr_t){arg}, &bytes, sizeof(bytes));
}

static void destroy(struct instance *n)
{
	list_for_each_safe (at, &n->marks)
		destroy_mark(list_entry(at, struct mark, in_instance), false);
	while (!list_empty(&n->events)) {
		struct news *e = list_first(&n->events, struct news, link);

		list_del(&e->link);
		news_free(n->kernel, e);
	}
	waitq_fini(&n->wait);
	n->kernel->fs->instance_count--;
	limits_free(n->kernel, n, sizeof(*n));
}

static void release(struct file *f)
{
	destroy(f->private);
}

static const struct file_ops ops = {
	.read = read_events,
	.poll = poll_events,
	.ioctl = ioctl_events,
	.release = release,
};

long inotify_open(struct task *t, uint32_t flags, struct file **out)
{
	struct kernel *k = t->kernel;
	struct instance *n;
	int err;

	if (k->fs->instance_count >= INSTANCES_MAX)
		return -EMFILE;
	n = limits_alloc(k, sizeof(*n));
	if (!n)
		return -ENOMEM;
	n->kernel = k;
	list_init(&n->marks);
	list_init(&n->events);
	waitq_init(&n->wait);
	k->fs->instance_count++;
	err = anon_open(k, t,
	                &(struct anon_how){
				.ops = &ops,
				.private = n,
				.flags = flags,
				.label = "anon_inode:inotify",
			},
	                out);
	if (err < 0)
		destroy(n);
	return err;
}

static struct mark *find(struct instance *n, const struct inode *i, int32_t wd)
{
	list_for_each (at, &n->marks) {
		struct mark *m = list_entry(at, struct mark, in_instance);

		if (i ? m->inode == i : m->wd == wd)
			return m;
	}
	return NULL;
}

static struct instance *instance_of(struct file *f)
{
	return f->ops == &ops ? f->private : NULL;
}

long inotify_add(struct file *f, struct inode *i, uint32_t mask)
{
	struct instance *n = instance_of(f);
	struct mark *m;
	uint32_t keep = mask & (IN_ALL_EVENTS | IN_ONESHOT | IN_EXCL_UNLINK);

	if (!n)
		return -EINVAL;
	m = find(n, i, 0);
	if (m) {
		if (mask & IN_MASK_CREATE)
			return -EEXIST;
		m->mask = mask & IN_MASK_ADD ? m->mask | keep : keep;
		ask_cells(n->kernel, keep);
		return m->wd;
	}
	if (n->kernel->fs->mark_count >= MARKS_MAX || n->last_wd == INT32_MAX)
		return -ENOSPC;
	m = limits_alloc(n->kernel, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->instance = n;
	m->inode = inode_get(i);
	m->wd = ++n->last_wd;
	m->mask = keep;
	list_add_tail(&i->marks, &m->in_inode);
	list_add_tail(&n->marks, &m->in_instance);
	list_add_tail(&n->kernel->fs->marks, &m->in_world);
	n->kernel->fs->mark_count++;
	ask_cells(n->kernel, keep);
	return m->wd;
}

long inotify_remove(struct file *f, int32_t wd)
{
	struct instance *n = instance_of(f);
	struct mark *m = n ? find(n, NULL, wd) : NULL;

	if (!m)
		return -EINVAL;
	destroy_mark(m, true);
	return 0;
}

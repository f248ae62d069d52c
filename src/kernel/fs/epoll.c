/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/epoll.h"

#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/poll.h>

#include "kernel/core/limits.h"
#include "kernel/fs/anon.h"
#include "kernel/fs/watcher.h"

#define FIRST_TABLE 16

/* What says how to watch; the rest says for what. */
#define HOW ((uint32_t)(EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE))
#define EXCLUSIVE_OK                                                         \
	((uint32_t)(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | \
	            EPOLLET | EPOLLEXCLUSIVE))
#define ALWAYS ((uint32_t)(EPOLLERR | EPOLLHUP))

struct item;

struct item {
	struct item *next;    /* in its bucket */
	struct list in_file;  /* file.epolls */
	struct list in_ready; /* epoll.ready, or nowhere */
	struct epoll *epoll;
	struct file *file; /* borrowed; see epoll_file_gone() */
	int32_t fd;
	uint32_t events; /* with ALWAYS; 0 after EPOLLONESHOT fired */
	uint64_t data;
	struct watcher watcher;
};

struct epoll {
	struct kernel *kernel;
	struct file *file; /* borrowed: it owns us */
	struct item **table;
	size_t room; /* buckets, a power of two */
	size_t count;
	struct list ready;
	struct waitq wait;
	bool waking; /* in the middle of it: sets above may lead back */

	/* For the check for circles: who asked, and what was found here. */
	uint64_t checks;
	const struct epoll *asker;
	uint64_t asked;
	unsigned answer;
};

static const struct file_ops ops;

bool epoll_is(const struct file *f)
{
	return f->ops == &ops;
}

size_t epoll_size(const struct file *set)
{
	const struct epoll *e = set->private;

	return e->count;
}

static struct item **bucket(const struct epoll *e, const struct file *f,
                            int32_t fd)
{
	uint64_t h = ((uintptr_t)f >> 4) * 0x9e3779b97f4a7c15u;

	h = (h ^ (uint32_t)fd) * 0x9e3779b97f4a7c15u;
	return &e->table[(h >> 32) & (e->room - 1)];
}

static struct item *find(const struct epoll *e, const struct file *f,
                         int32_t fd)
{
	for (struct item *i = *bucket(e, f, fd); i; i = i->next)
		if (i->file == f && i->fd == fd)
			return i;
	return NULL;
}

static int grow(struct epoll *e)
{
	size_t room = e->room ? 2 * e->room : FIRST_TABLE;
	struct epoll old = *e;

	if (e->count < e->room)
		return 0;
	e->table = limits_alloc(e->kernel, room * sizeof(struct item *));
	if (!e->table) {
		e->table = old.table;
		return e->table ? 0 : -ENOMEM;
	}
	e->room = room;
	for (size_t n = 0; n < old.room; n++) {
		for (struct item *i = old.table[n], *next; i; i = next) {
			struct item **b = bucket(e, i->file, i->fd);

			next = i->next;
			i->next = *b;
			*b = i;
		}
	}
	limits_free(e->kernel, old.table, old.room * sizeof(struct item *));
	return 0;
}

static void mark_ready(struct item *i)
{
	struct epoll *e = i->epoll;

	if (list_empty(&i->in_ready))
		list_add_tail(&e->ready, &i->in_ready);
	if (e->waking)
		return;
	e->waking = true;
	waitq_wake(&e->wait, POLLIN | POLLRDNORM);
	e->waking = false;
}

/* Does somebody wait who will see to it?  Else another set is told, too. */
static bool takes(const struct item *i, uint32_t events)
{
	return !list_empty(&i->epoll->wait.waiters) &&
	       (!(events & (POLLIN | POLLOUT)) ||
	        (events & i->events & (POLLIN | POLLOUT)));
}

static void news(struct watcher *w, struct waiter *place, uint32_t events)
{
	struct item *i = container_of(w, struct item, watcher);

	if (i->events == 0 || !(events == 0 || (events & i->events)))
		return;
	place->took = takes(i, events);
	mark_ready(i);
}

/* What holds of an item now, as `t` sees it. */
static uint32_t item_state(const struct item *i, struct task *t)
{
	struct poller p = poller_look(t);

	return i->events ? file_poll(i->file, &p) & i->events : 0;
}

static void remove_item(struct item *i)
{
	struct epoll *e = i->epoll;
	struct item **at = bucket(e, i->file, i->fd);

	watcher_stop(&i->watcher);
	while (*at != i)
		at = &(*at)->next;
	*at = i->next;
	e->count--;
	list_del(&i->in_file);
	list_del(&i->in_ready);
	limits_free(e->kernel, i, sizeof(*i));
}

void epoll_file_gone(struct file *f)
{
	while (!list_empty(&f->epolls))
		remove_item(list_first(&f->epolls, struct item, in_file));
}

/* A set that watches itself would be nested without end. */
#define CIRCLE 1000u

/*
 * How deep sets are nested below `e`; CIRCLE if `top` is among them.  Each
 * set answers a question once.  What exists is at most EPOLL_NESTS deep, and
 * so is the recursion.
 */
static unsigned depth_below(struct epoll *e, const struct epoll *top)
{
	unsigned deepest = 0;

	if (e == top)
		return CIRCLE;
	if (e->asker == top && e->asked == top->checks)
		return e->answer;
	for (size_t n = 0; n < e->room; n++) {
		for (struct item *i = e->table[n]; i; i = i->next) {
			unsigned d;

			if (!epoll_is(i->file))
				continue;
			d = 1 + depth_below(i->file->private, top);
			deepest = MAX(deepest, d);
		}
	}
	e->asker = top;
	e->asked = top->checks;
	e->answer = deepest;
	return deepest;
}

/* How many sets above each other watch `e`. */
static unsigned depth_above(struct epoll *e, const struct epoll *asker)
{
	unsigned deepest = 0;

	if (e->asker == asker && e->asked == asker->checks)
		return e->answer;
	list_for_each (at, &e->file->epolls) {
		struct item *i = list_entry(at, struct item, in_file);
		unsigned d = 1 + depth_above(i->epoll, asker);

		deepest = MAX(deepest, d);
	}
	e->asker = asker;
	e->asked = asker->checks;
	e->answer = deepest;
	return deepest;
}

static int check_nesting(struct epoll *e, struct epoll *target)
{
	unsigned below, above;

	e->checks++;
	below = depth_below(target, e);
	e->checks++;
	above = depth_above(e, e);
	return below + 1 + above > EPOLL_NESTS ? -ELOOP : 0;
}

/* Asks the file anew; news come to light at once. */
static void look_again(struct item *i, struct task *t)
{
	if (item_state(i, t))
		mark_ready(i);
}

static long check_add(struct epoll *e, struct file *target, int32_t fd,
                      const abi_epoll_event *event)
{
	int err;

	if (!target->ops->poll)
		return -EPERM;
	if (target == e->file)
		return -EINVAL;
	if (event->events & EPOLLEXCLUSIVE) {
		if ((event->events & ~EXCLUSIVE_OK) || epoll_is(target))
			return -EINVAL;
	}
	err = grow(e);
	if (err < 0)
		return err;
	if (find(e, target, fd))
		return -EEXIST;
	return epoll_is(target) ? check_nesting(e, target->private) : 0;
}

long epoll_add(struct task *t, struct file *set, struct file *target,
               int32_t fd, const abi_epoll_event *event)
{
	struct epoll *e = set->private;
	struct item *i;
	struct item **b;
	long err;

	err = check_add(e, target, fd, event);
	if (err < 0)
		return err;
	i = limits_alloc(e->kernel, sizeof(*i));
	if (!i)
		return -ENOMEM;
	i->epoll = e;
	i->file = target;
	i->fd = fd;
	i->events = event->events | ALWAYS;
	i->data = event->data;
	list_init(&i->in_ready);
	list_add_tail(&target->epolls, &i->in_file);
	b = bucket(e, target, fd);
	i->next = *b;
	*b = i;
	e->count++;
	i->watcher.news = news;
	i->watcher.exclusive = event->events & EPOLLEXCLUSIVE;
	err = watcher_start(&i->watcher, target, t);
	if (err < 0) {
		remove_item(i);
		return err;
	}
	look_again(i, t);
	return 0;
}

long epoll_change(struct task *t, struct file *set, struct file *target,
                  int32_t fd, const abi_epoll_event *event)
{
	struct epoll *e = set->private;
	struct item *i = e->room ? find(e, target, fd) : NULL;

	if (!target->ops->poll)
		return -EPERM;
	if (target == set || (event->events & EPOLLEXCLUSIVE))
		return -EINVAL;
	if (!i)
		return -ENOENT;
	if (i->events & EPOLLEXCLUSIVE)
		return -EINVAL;
	i->events = event->events | ALWAYS;
	i->data = event->data;
	look_again(i, t);
	return 0;
}

long epoll_remove(struct file *set, struct file *target, int32_t fd)
{
	struct epoll *e = set->private;
	struct item *i = e->room ? find(e, target, fd) : NULL;

	if (!target->ops->poll)
		return -EPERM;
	if (target == set)
		return -EINVAL;
	if (!i)
		return -ENOENT;
	remove_item(i);
	return 0;
}

long epoll_take(struct task *t, struct file *set, abi_epoll_event *out,
                size_t max)
{
	struct epoll *e = set->private;
	struct list again; /* level-triggered: for the next time */
	size_t n = 0;

	list_init(&again);
	while (n < max && !list_empty(&e->ready)) {
		struct item *i = list_first(&e->ready, struct item, in_ready);
		uint32_t events = item_state(i, t);

		list_del(&i->in_ready);
		if (events == 0)
			continue;
		out[n].events = events & ~HOW;
		out[n].data = i->data;
		n++;
		if (i->events & EPOLLONESHOT)
			i->events = 0;
		else if (!(i->events & EPOLLET))
			list_add_tail(&again, &i->in_ready);
	}
	while (!list_empty(&again)) {
		struct list *link = again.next;

		list_del(link);
		list_add_tail(&e->ready, link);
	}
	if (n == 0)
		task_watch(t, &e->wait);
	return (long)n;
}

static uint32_t poll(struct file *f, struct poller *p)
{
	struct epoll *e = f->private;

	poller_watch(p, &e->wait);
	while (!list_empty(&e->ready)) {
		struct item *i = list_first(&e->ready, struct item, in_ready);

		if (item_state(i, p ? p->task : NULL))
			return POLLIN | POLLRDNORM;
		list_del(&i->in_ready);
	}
	return 0;
}

static void release(struct file *f)
{
	struct epoll *e = f->private;

	for (size_t n = 0; n < e->room; n++)
		while (e->table[n])
			remove_item(e->table[n]);
	waitq_fini(&e->wait);
	limits_free(e->kernel, e->table, e->room * sizeof(struct item *));
	limits_free(e->kernel, e, sizeof(*e));
}

static const struct file_ops ops = {
	.poll = poll,
	.release = release,
};

int epoll_open(struct task *t, struct file **out)
{
	struct epoll *e = limits_alloc(t->kernel, sizeof(*e));
	struct anon_how how = {
		.ops = &ops,
		.private = e,
		.flags = O_RDWR,
		.label = "anon_inode:[eventpoll]",
	};
	int err;

	if (!e)
		return -ENOMEM;
	e->kernel = t->kernel;
	list_init(&e->ready);
	waitq_init(&e->wait);
	err = anon_open(t->kernel, t, &how, out);
	if (err < 0)
		limits_free(t->kernel, e, sizeof(*e));
	else
		e->file = *out;
	return err;
}

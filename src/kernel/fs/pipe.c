/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/pipe.h"

#include <asm/ioctls.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/anon.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/stream.h"

/* A stretch of the ring that was written as one. */
struct packet {
	struct list link;
	uint64_t start;
	uint64_t end;
};

/* A task that waits in open(2); it counts as a reader or writer already. */
struct opener {
	struct list link;
	struct task *task;   /* owns a reference */
	struct inode *inode; /* owns a reference */
	uint32_t mode;       /* FILE_READ or FILE_WRITE */
	uint64_t seen;       /* opens of the other side when it began */
};

struct pipe {
	struct kernel *kernel;
	struct inode *inode; /* borrowed: every file and opener has one */
	uint8_t *ring;
	size_t room;     /* bytes of the ring, a power of two or 0 */
	size_t capacity; /* it grows to this */
	uint64_t head;   /* the next byte to read */
	uint64_t tail;   /* where the next byte goes */
	struct list packets;
	uint32_t readers;
	uint32_t writers;
	uint64_t reader_opens; /* ever */
	uint64_t writer_opens;
	struct list openers;
	struct waitq read_wait;
	struct waitq write_wait;
	struct waitq open_wait;
};

static size_t used(const struct pipe *p)
{
	return (size_t)(p->tail - p->head);
}

static size_t free_space(const struct pipe *p)
{
	return p->capacity - MIN(p->capacity, used(p));
}

static struct pipe *create(struct kernel *k, struct inode *i)
{
	struct pipe *p = limits_alloc(k, sizeof(*p));

	if (!p)
		return NULL;
	p->kernel = k;
	p->inode = i;
	p->capacity = PIPE_SIZE_DEFAULT;
	list_init(&p->packets);
	list_init(&p->openers);
	waitq_init(&p->read_wait);
	waitq_init(&p->write_wait);
	waitq_init(&p->open_wait);
	i->fifo = p;
	return p;
}

static void drop_packet(struct pipe *p, struct packet *k)
{
	list_del(&k->link);
	limits_free(p->kernel, k, sizeof(*k));
}

/* Goes with its last user. */
static void put_unused(struct pipe *p)
{
	if (p->readers > 0 || p->writers > 0)
		return;
	while (!list_empty(&p->packets))
		drop_packet(p, list_first(&p->packets, struct packet, link));
	waitq_fini(&p->read_wait);
	waitq_fini(&p->write_wait);
	waitq_fini(&p->open_wait);
	p->inode->fifo = NULL;
	free(p->ring);
	limits_uncharge(p->kernel, p->room);
	limits_free(p->kernel, p, sizeof(*p));
}

/* A ring of `room` bytes, with what is in the old one. */
static int resize(struct pipe *p, size_t room)
{
	size_t size = used(p);
	uint8_t *ring;

	if (limits_charge(p->kernel, room) < 0)
		return -ENOMEM;
	ring = malloc(room);
	if (!ring) {
		limits_uncharge(p->kernel, room);
		return -ENOMEM;
	}
	for (size_t done = 0; done < size;) {
		size_t from = (size_t)(p->head + done) & (p->room - 1);
		size_t to = (size_t)(p->head + done) & (room - 1);
		size_t n = MIN(size - done, MIN(p->room - from, room - to));

		memcpy(ring + to, p->ring + from, n);
		done += n;
	}
	free(p->ring);
	limits_uncharge(p->kernel, p->room);
	p->ring = ring;
	p->room = room;
	return 0;
}

void *pipe_room(struct pipe *p, size_t *size)
{
	size_t want = MIN(*size, free_space(p));
	size_t room = p->room ? p->room : PIPE_SIZE_ATOMIC;
	size_t at;

	while (room < used(p) + want)
		room *= 2;
	if (room > p->room && resize(p, room) < 0) {
		/* What there is may do. */
		want = MIN(want, p->room - used(p));
		if (want == 0)
			return NULL;
	}
	at = (size_t)p->tail & (p->room - 1);
	*size = MIN(want, p->room - at);
	return p->ring + at;
}

void pipe_fill(struct pipe *p, size_t size)
{
	p->tail += size;
	if (size > 0)
		waitq_wake(&p->read_wait, POLLIN | POLLRDNORM);
}

const void *pipe_peek(struct pipe *p, size_t skip, size_t *size)
{
	uint64_t from = p->head + skip;
	uint64_t end = p->tail;
	size_t at;

	if (from >= end || p->room == 0) {
		*size = 0;
		return p->ring;
	}
	if (!list_empty(&p->packets)) {
		struct packet *k = list_first(&p->packets, struct packet, link);

		end = from < k->start ? k->start : MAX(from, k->end);
	}
	at = (size_t)from & (p->room - 1);
	*size = MIN((size_t)(end - from), p->room - at);
	return p->ring + at;
}

void pipe_consume(struct pipe *p, size_t size)
{
	bool full = free_space(p) < PIPE_SIZE_ATOMIC;

	p->head += size;
	while (!list_empty(&p->packets)) {
		struct packet *k = list_first(&p->packets, struct packet, link);

		if (k->end > p->head)
			break;
		drop_packet(p, k);
	}
	/* An empty ring starts anew: small messages stay in the cache. */
	if (p->head == p->tail)
		p->head = p->tail = 0;
	if (full && free_space(p) >= PIPE_SIZE_ATOMIC)
		waitq_wake(&p->write_wait, POLLOUT | POLLWRNORM);
}

size_t pipe_capacity(const struct pipe *p)
{
	return p->capacity;
}

long pipe_set_capacity(struct pipe *p, uint64_t size)
{
	size_t capacity = PIPE_SIZE_ATOMIC;

	if (size > INT32_MAX || size == 0)
		return -EINVAL;
	while (capacity < size)
		capacity *= 2;
	if (capacity > LIMIT_PIPE_SIZE)
		return -EPERM;
	if (used(p) > capacity)
		return -EBUSY;
	if (p->room > capacity && resize(p, capacity) < 0)
		return -ENOMEM;
	p->capacity = capacity;
	if (free_space(p) >= PIPE_SIZE_ATOMIC)
		waitq_wake(&p->write_wait, POLLOUT | POLLWRNORM);
	return (long)capacity;
}

static void forget_opener(struct pipe *p, struct opener *o)
{
	struct inode *i = o->inode;

	if (o->mode == FILE_READ) {
		p->readers--;
		waitq_wake(&p->write_wait, POLLERR);
	} else {
		p->writers--;
		waitq_wake(&p->read_wait, POLLHUP);
	}
	list_del(&o->link);
	task_put(o->task);
	limits_free(p->kernel, o, sizeof(*o));
	inode_put(i);
}

/* Those who died while they waited in open(2) count no more. */
static void settle(struct pipe *p)
{
	list_for_each_safe (at, &p->openers) {
		struct opener *o = list_entry(at, struct opener, link);

		if (o->task->state == TASK_DEAD)
			forget_opener(p, o);
	}
}

bool pipe_has_writers(struct pipe *p)
{
	settle(p);
	return p->writers > 0;
}

bool pipe_has_readers(struct pipe *p)
{
	settle(p);
	return p->readers > 0;
}

/* Of an -EFAULT in the middle, what came before counts. */
static long moved(const struct uio *u, size_t before, long err)
{
	return u->done > before ? (long)(u->done - before) : err;
}

/* How far one read goes: to the end of a packet, or to its start. */
static uint64_t read_limit(const struct pipe *p, bool *packet)
{
	const struct packet *k;

	*packet = false;
	if (list_empty(&p->packets))
		return p->tail;
	k = list_first(&p->packets, struct packet, link);
	if (k->start > p->head)
		return k->start;
	*packet = true;
	return k->end;
}

static long read_some(struct file *f, struct uio *u, int64_t *pos)
{
	struct pipe *p = f->private;
	size_t before = u->done;
	long err = 0;
	uint64_t limit;
	bool packet;

	(void)pos;
	if (u->left == 0)
		return 0;
	if (used(p) == 0)
		return pipe_has_writers(p) ? -EAGAIN : 0;
	limit = read_limit(p, &packet) - p->head;
	while (u->left > 0 && u->done - before < limit && err == 0) {
		size_t size;
		const void *from = pipe_peek(p, u->done - before, &size);

		err = uio_put(u, from, MIN(size, u->left));
	}
	/* What was not read of a packet is lost. */
	if (packet && err == 0)
		pipe_consume(p, limit);
	else
		pipe_consume(p, u->done - before);
	return moved(u, before, err);
}

static int add_packet(struct pipe *p, size_t size)
{
	struct packet *k = limits_alloc(p->kernel, sizeof(*k));

	if (!k)
		return -ENOMEM;
	k->start = p->tail;
	k->end = p->tail + size;
	list_add_tail(&p->packets, &k->link);
	return 0;
}

/* Puts `size` bytes, which fit, at the end. */
static long append(struct pipe *p, struct uio *u, size_t size)
{
	uint64_t tail = p->tail;
	size_t before = u->done;
	long err = 0;

	while (size > 0 && err == 0) {
		size_t n = size;
		void *to = pipe_room(p, &n);

		if (!to) {
			err = -ENOMEM;
			break;
		}
		err = uio_take(u, to, n);
		p->tail = tail + (u->done - before);
		size -= n;
	}
	return moved(u, before, err);
}

static long write_packets(struct pipe *p, struct uio *u)
{
	long total = 0, n = 0;

	while (u->left > 0 && n >= 0) {
		size_t size = MIN(u->left, (size_t)PIPE_SIZE_ATOMIC);
		uint64_t start = p->tail;

		if (free_space(p) < size) {
			n = -EAGAIN;
			break;
		}
		n = add_packet(p, size);
		if (n < 0)
			break;
		n = append(p, u, size);
		list_entry(p->packets.prev, struct packet, link)->end = p->tail;
		if (p->tail == start)
			drop_packet(p, list_entry(p->packets.prev,
			                          struct packet, link));
		if (n > 0)
			total += n;
	}
	return total > 0 ? total : n;
}

static long write_some(struct file *f, struct uio *u, int64_t *pos)
{
	struct pipe *p = f->private;
	size_t room = free_space(p);
	long n;

	(void)pos;
	if (u->left == 0)
		return 0;
	if (!pipe_has_readers(p))
		return -EPIPE;
	if (f->flags & O_DIRECT)
		n = write_packets(p, u);
	else if (room == 0 || (u->left <= PIPE_SIZE_ATOMIC && room < u->left))
		return -EAGAIN;
	else
		n = append(p, u, MIN(room, u->left));
	if (n > 0)
		waitq_wake(&p->read_wait, POLLIN | POLLRDNORM);
	return n;
}

static uint32_t poll(struct file *f, struct poller *poller)
{
	struct pipe *p = f->private;
	uint32_t events = 0;

	settle(p);
	if (f->mode & FILE_READ) {
		poller_watch(poller, &p->read_wait);
		if (used(p) > 0)
			events |= POLLIN | POLLRDNORM;
		/* No hang-up before the first writer came; see pos below. */
		if (p->writers == 0 && (uint64_t)f->pos != p->writer_opens)
			events |= POLLHUP;
	}
	if (f->mode & FILE_WRITE) {
		poller_watch(poller, &p->write_wait);
		if (free_space(p) >= PIPE_SIZE_ATOMIC)
			events |= POLLOUT | POLLWRNORM;
		if (p->readers == 0)
			events |= POLLERR;
	}
	return events;
}

static long ioctl(struct file *f, struct task *t, uint32_t cmd, uint64_t arg)
{
	const struct pipe *p = f->private;
	int32_t size = (int32_t)used(p);

	if (cmd != FIONREAD)
		return -ENOTTY;
	return user_write(t, (uaddr_t){arg}, &size, sizeof(size));
}

static long control(struct file *f, struct task *t, int cmd, uint64_t arg)
{
	struct pipe *p = f->private;

	(void)t;
	switch (cmd) {
	case F_GETPIPE_SZ:
		return (long)p->capacity;
	case F_SETPIPE_SZ:
		return pipe_set_capacity(p, (uint32_t)arg);
	default:
		return -EINVAL;
	}
}

static void release(struct file *f)
{
	struct pipe *p = f->private;

	if (f->mode & FILE_READ)
		p->readers--;
	if (f->mode & FILE_WRITE)
		p->writers--;
	settle(p);
	if (p->readers == 0)
		waitq_wake(&p->write_wait, POLLOUT | POLLERR);
	if (p->writers == 0)
		waitq_wake(&p->read_wait, POLLIN | POLLHUP);
	put_unused(p);
}

static const struct file_ops ops = {
	.read = read_some,
	.write = write_some,
	.poll = poll,
	.ioctl = ioctl,
	.fcntl = control,
	.release = release,
};

struct pipe *pipe_of(struct file *f)
{
	return f->ops == &ops ? f->private : NULL;
}

/*
 * A description's `pos` is the number of writers seen when it was opened
 * before the first of them came, so that poll() can tell.
 */
static void attach(struct pipe *p, struct file *f, uint64_t pos)
{
	f->ops = &ops;
	f->private = p;
	f->pos = (int64_t)pos;
	f->mode |= FILE_WHOLE;
	f->mode &= ~FILE_SEEKABLE;
}

int pipe_open(struct task *t, uint32_t flags, struct file *ends[2])
{
	static const struct inode_ops no_ops = {0};
	static const struct file_ops not_yet = {0};
	struct anon_how how = {.ops = &not_yet, .label = "pipe:"};
	struct kernel *k = t->kernel;
	struct inode *i = anon_inode(k, t, &no_ops, S_IFIFO | 0600);
	struct file *f[2] = {NULL, NULL};
	struct pipe *p;
	int err = -ENOMEM;

	if (!i)
		return -ENOMEM;
	how.flags = O_RDONLY | (flags & (O_NONBLOCK | O_DIRECT));
	err = anon_open_inode(k, i, &how, &f[0]);
	how.flags ^= O_RDONLY ^ O_WRONLY;
	if (err == 0)
		err = anon_open_inode(k, i, &how, &f[1]);
	p = err == 0 ? create(k, i) : NULL;
	inode_put(i);
	if (!p) {
		file_put(f[0]);
		file_put(f[1]);
		return -ENOMEM;
	}
	p->readers = p->writers = 1;
	p->reader_opens = p->writer_opens = 1;
	for (int n = 0; n < 2; n++) {
		attach(p, f[n], 0);
		ends[n] = f[n];
	}
	return 0;
}

static struct opener *find_opener(struct pipe *p, const struct task *t)
{
	list_for_each (at, &p->openers) {
		struct opener *o = list_entry(at, struct opener, link);

		if (o->task == t)
			return o;
	}
	return NULL;
}

static void count_in(struct pipe *p, uint32_t mode)
{
	if (mode & FILE_READ) {
		p->readers++;
		p->reader_opens++;
	}
	if (mode & FILE_WRITE) {
		p->writers++;
		p->writer_opens++;
	}
	waitq_wake(&p->open_wait, WAITQ_ANY);
}

static struct opener *add_opener(struct pipe *p, struct inode *i,
                                 struct task *t, uint32_t mode)
{
	struct opener *o = limits_alloc(p->kernel, sizeof(*o));

	if (!o)
		return NULL;
	o->task = task_get(t);
	o->inode = inode_get(i);
	o->mode = mode;
	o->seen = mode == FILE_READ ? p->writer_opens : p->reader_opens;
	list_add_tail(&p->openers, &o->link);
	count_in(p, mode);
	return o;
}

/*
 * Waits for the other side.  While it does the task counts through its
 * opener; 0 says that the caller counts now, by itself.
 */
static long meet(struct pipe *p, struct inode *i, struct task *t, uint32_t mode)
{
	struct opener *o = find_opener(p, t);
	uint64_t now;
	long err;

	if (o && t->first_run) {
		forget_opener(p, o); /* of a call that was given up */
		o = NULL;
	}
	if (!o)
		o = add_opener(p, i, t, mode);
	if (!o)
		return -ENOMEM;
	now = mode == FILE_READ ? p->writer_opens : p->reader_opens;
	if (now != o->seen) {
		forget_opener(p, o);
		return 0;
	}
	task_watch(t, &p->open_wait);
	err = task_sleep(t);
	if (err != -EWAIT)
		forget_opener(p, o);
	return err;
}

static long fifo_enter(struct pipe *p, struct inode *i, struct task *t,
                       struct file *f)
{
	uint32_t mode = f->mode & (FILE_READ | FILE_WRITE);
	bool met = mode == FILE_READ ? p->writers > 0 : p->readers > 0;
	bool waited = find_opener(p, t) != NULL;
	/* An end of pipe(2) opened again through /proc waits for nobody. */
	bool nameless = i->sb == t->kernel->fs->anonymous;
	uint64_t pos = 0;
	long err;

	if (mode == 0)
		return -EINVAL;
	if (mode == FILE_WRITE && file_nonblock(f) && !met && !nameless)
		return -ENXIO;
	if (mode == (FILE_READ | FILE_WRITE) || file_nonblock(f) || nameless) {
		if (mode == FILE_READ && p->writers == 0 && !nameless)
			pos = p->writer_opens;
		count_in(p, mode);
	} else if (met && !waited) {
		count_in(p, mode);
	} else {
		err = meet(p, i, t, mode);
		if (err < 0)
			return err;
		/* The opener was counted among the opens already. */
		if (mode == FILE_READ)
			p->readers++;
		else
			p->writers++;
	}
	attach(p, f, pos);
	return 0;
}

long pipe_fifo_open(struct inode *i, struct task *t, struct file *f)
{
	struct pipe *p;
	long err;

	if (stream_is(i))
		return i->ops->open(i, t, f);
	p = i->fifo ? i->fifo : create(t->kernel, i);
	if (!p)
		return -ENOMEM;
	settle(p);
	err = fifo_enter(p, i, t, f);
	if (err < 0)
		put_unused(p);
	return err;
}

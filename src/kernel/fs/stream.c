/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/stream.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "kernel/core/limits.h"
#include "kernel/core/work.h"
#include "kernel/fs/anon.h"

#define READY_READ  (POLLIN | POLLRDNORM)
#define READY_WRITE (POLLOUT | POLLWRNORM)

/* More does not fit into a host pipe at once. */
#define PIPE_CHUNK ((size_t)64 * 1024)

enum kind { PIPE, SOCKET, DEVICE, REGULAR };

struct stream {
	struct event event; /* event.fd is the host's descriptor */
	struct kernel *kernel;
	struct waitq wait;
	enum kind kind;
	bool watched; /* event is in the loop */
	bool always;  /* the host cannot wait for it: always ready */
	bool no_flag; /* it knows no RWF_NOWAIT: look before each transfer */
	void *kept;   /* see stream_keep() */
	void (*drop)(void *kept);
};

static struct stream *stream(struct file *f)
{
	return f->inode->private;
}

/*
 * The host says that something changed.  Registered for edges, so that what
 * is ready but not wanted costs nothing; given up when nobody waits.
 */
static void ready(struct event *e, uint32_t events)
{
	struct stream *s = container_of(e, struct stream, event);

	if (list_empty(&s->wait.waiters)) {
		loop_remove(&s->kernel->loop, e);
		s->watched = false;
		return;
	}
	waitq_wake(&s->wait, events);
}

static void watch(struct stream *s)
{
	const uint32_t all = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

	if (s->watched || s->always)
		return;
	if (loop_add(&s->kernel->loop, &s->event, all) < 0)
		s->always = true;
	else
		s->watched = true;
}

static bool is_ready(const struct stream *s, short events)
{
	struct pollfd p = {.fd = s->event.fd, .events = events};

	return poll(&p, 1, 0) != 0;
}

/* Asked each time: strangers may change it. */
static bool never_waits(const struct stream *s)
{
	int flags = fcntl(s->event.fd, F_GETFL);

	return flags >= 0 && (flags & O_NONBLOCK);
}

static long host_read(struct stream *s, void *to, size_t size, int64_t at)
{
	struct iovec v = {to, size};
	int fd = s->event.fd;
	ssize_t n;

	if (s->kind == SOCKET) {
		n = recv(fd, to, size, MSG_DONTWAIT);
		return n < 0 ? -errno : n;
	}
	if (s->kind == REGULAR) {
		n = at < 0 ? read(fd, to, size) : pread(fd, to, size, at);
		return n < 0 ? -errno : n;
	}
	if (!s->no_flag) {
		n = preadv2(fd, &v, 1, -1, RWF_NOWAIT);
		if (n >= 0 || errno != EOPNOTSUPP)
			return n < 0 ? -errno : n;
		s->no_flag = true;
	}
	if (!never_waits(s) && !is_ready(s, POLLIN))
		return -EAGAIN;
	n = read(fd, to, size);
	return n < 0 ? -errno : n;
}

static long host_write(struct stream *s, void *from, size_t size, int64_t at)
{
	struct iovec v = {from, size};
	int fd = s->event.fd;
	ssize_t n;

	if (s->kind == SOCKET) {
		n = send(fd, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		return n < 0 ? -errno : n;
	}
	if (s->kind == REGULAR) {
		n = at < 0 ? write(fd, from, size) : pwrite(fd, from, size, at);
		return n < 0 ? -errno : n;
	}
	if (!s->no_flag) {
		n = pwritev2(fd, &v, 1, -1, RWF_NOWAIT);
		if (n >= 0 || errno != EOPNOTSUPP)
			return n < 0 ? -errno : n;
		s->no_flag = true;
	}
	if (!never_waits(s)) {
		if (!is_ready(s, POLLOUT))
			return -EAGAIN;
		size = MIN(size, (size_t)PIPE_BUF);
	}
	n = write(fd, from, size);
	return n < 0 ? -errno : n;
}

/* The offset to give the host: -1 at its own position. */
static int64_t place(const struct file *f, const int64_t *pos)
{
	return pos == &f->pos ? -1 : *pos;
}

/* The size of the next transfer between host and guest. */
static size_t chunk(const struct stream *s, const struct uio *u)
{
	return s->kind == REGULAR ? u->left : MIN(u->left, PIPE_CHUNK);
}

static long read_some(struct file *f, struct uio *u, int64_t *pos)
{
	struct stream *s = stream(f);
	size_t before = u->done, size;
	long n = 0;

	while (u->left > 0) {
		void *room = uio_room(u, &size);

		n = host_read(s, room, size, place(f, pos));
		if (n <= 0)
			break;
		if (uio_room_done(u, (size_t)n) < 0) {
			n = -EFAULT;
			break;
		}
		*pos += n;
		if ((size_t)n < size)
			break;
	}
	return u->done > before ? (long)(u->done - before) : n;
}

static long write_some(struct file *f, struct uio *u, int64_t *pos)
{
	struct stream *s = stream(f);
	size_t before = u->done;
	long n = 0;

	while (u->left > 0) {
		/* Not more is fetched from the guest than may go out. */
		size_t rest = u->left - chunk(s, u), size;
		const void *data;

		u->left -= rest;
		data = uio_data(u, &size);
		u->left += rest;
		if (!data) {
			n = -EFAULT;
			break;
		}
		n = host_write(s, (void *)(uintptr_t)data, size, place(f, pos));
		if (n <= 0)
			break;
		uio_data_done(u, (size_t)n);
		*pos += n;
		if ((size_t)n < size)
			break;
	}
	return u->done > before ? (long)(u->done - before) : n;
}

static uint32_t poll_stream(struct file *f, struct poller *p)
{
	struct stream *s = stream(f);
	struct pollfd host = {
		.fd = s->event.fd,
		.events = READY_READ | READY_WRITE | POLLRDHUP | POLLPRI,
	};

	if (p && !s->always) {
		poller_watch(p, &s->wait);
		watch(s);
	}
	if (s->always || poll(&host, 1, 0) < 0)
		return READY_READ | READY_WRITE;
	return (uint32_t)(uint16_t)host.revents;
}

static int64_t seek(struct file *f, int64_t offset, int whence)
{
	struct stream *s = stream(f);
	int64_t to;

	if (s->kind == DEVICE && s->always)
		return 0; /* as /dev/null has it */
	if (s->kind != REGULAR)
		return -ESPIPE;
	to = lseek(s->event.fd, offset, whence);
	if (to < 0)
		return -errno;
	f->pos = to;
	return to;
}

static long ioctl_stream(struct file *f, struct task *t, uint32_t cmd,
                         uint64_t arg)
{
	struct stream *s = stream(f);
	int size = 0;

	if (cmd != FIONREAD || s->kind == REGULAR || s->kind == DEVICE)
		return -ENOTTY;
	if (ioctl(s->event.fd, FIONREAD, &size) < 0)
		return -errno;
	return user_write(t, (uaddr_t){arg}, &size, sizeof(size));
}

static long truncate_stream(struct file *f, struct task *t, uint64_t size)
{
	struct stream *s = stream(f);

	(void)t;
	if (s->kind != REGULAR || size > INT64_MAX)
		return -EINVAL;
	return ftruncate(s->event.fd, (off_t)size) < 0 ? -errno : 0;
}

/* fsync, on a helper thread with a descriptor of its own. */
struct sync_work {
	struct work work;
	struct task *task; /* NULL: nobody waits any more */
	struct kernel *kernel;
	int fd;
	bool data_only;
	bool done;
	int result;
};

static void sync_run(struct work *w)
{
	struct sync_work *sw = container_of(w, struct sync_work, work);

	sw->result = sw->data_only ? fdatasync(sw->fd) : fsync(sw->fd);
	if (sw->result < 0)
		sw->result = -errno;
}

static void sync_free(struct sync_work *sw)
{
	close(sw->fd);
	limits_free(sw->kernel, sw, sizeof(*sw));
}

static void sync_done(struct work *w)
{
	struct sync_work *sw = container_of(w, struct sync_work, work);

	if (!sw->task) {
		sync_free(sw);
		return;
	}
	sw->done = true;
	task_wake(sw->task);
}

static void sync_drop(struct task *t)
{
	struct sync_work *sw = t->job;

	t->job = NULL;
	if (sw->done)
		sync_free(sw);
	else
		sw->task = NULL;
}

static long sync_start(struct stream *s, struct task *t, bool data_only)
{
	struct sync_work *sw = limits_alloc(s->kernel, sizeof(*sw));
	long err;

	if (!sw)
		return -ENOMEM;
	*sw = (struct sync_work){
		.work = {.run = sync_run, .done = sync_done},
		.task = t,
		.kernel = s->kernel,
		.fd = fcntl(s->event.fd, F_DUPFD_CLOEXEC, 0),
		.data_only = data_only,
	};
	list_init(&sw->work.link);
	if (sw->fd < 0) {
		err = -errno;
		limits_free(s->kernel, sw, sizeof(*sw));
		return err;
	}
	err = work_submit(s->kernel->workers, &sw->work);
	if (err < 0) {
		sync_free(sw);
		return err;
	}
	t->job = sw;
	t->job_drop = sync_drop;
	return task_sleep_deep(t);
}

static long fsync_stream(struct file *f, struct task *t, bool data_only)
{
	struct stream *s = stream(f);
	struct sync_work *sw = t->job;

	if (s->kind != REGULAR)
		return -EINVAL;
	if (!sw)
		return sync_start(s, t, data_only);
	return sw->done ? sw->result : task_sleep_deep(t);
}

static const struct file_ops ops = {
	.read = read_some,
	.write = write_some,
	.poll = poll_stream,
	.ioctl = ioctl_stream,
	.seek = seek,
	.truncate = truncate_stream,
	.fsync = fsync_stream,
};

/* Of what is always ready: epoll(7) refuses such files. */
static const struct file_ops ready_ops = {
	.read = read_some,
	.write = write_some,
	.ioctl = ioctl_stream,
	.seek = seek,
	.truncate = truncate_stream,
	.fsync = fsync_stream,
};

static void attach(struct stream *s, struct file *f)
{
	f->ops = s->always ? &ready_ops : &ops;
	if (s->kind == REGULAR)
		f->mode |= FILE_SEEKABLE;
	else
		f->mode |= FILE_WHOLE;
}

/* Opened again, as /dev/stdin and the like: never with more rights. */
static long open_again(struct inode *i, struct task *t, struct file *f)
{
	struct stream *s = i->private;
	int mode = fcntl(s->event.fd, F_GETFL);

	(void)t;
	mode = mode < 0 ? O_RDONLY : mode & O_ACCMODE;
	if ((f->mode & FILE_READ) && mode == O_WRONLY)
		return -EACCES;
	if ((f->mode & FILE_WRITE) && mode == O_RDONLY)
		return -EACCES;
	attach(s, f);
	return 0;
}

static abi_timespec stamp(struct timespec t)
{
	return (abi_timespec){t.tv_sec, t.tv_nsec};
}

static long refresh(struct inode *i, struct task *t)
{
	const struct stream *s = i->private;
	struct stat st;

	(void)t;
	if (s->kind != REGULAR)
		return 0;
	if (fstat(s->event.fd, &st) < 0)
		return -errno;
	i->size = (uint64_t)st.st_size;
	i->blocks = (uint64_t)st.st_blocks;
	i->atime = stamp(st.st_atim);
	i->mtime = stamp(st.st_mtim);
	i->ctime = stamp(st.st_ctim);
	return 0;
}

static void destroy(struct inode *i)
{
	struct stream *s = i->private;

	if (s->kept)
		s->drop(s->kept);
	if (s->watched)
		loop_remove(&s->kernel->loop, &s->event);
	close(s->event.fd);
	waitq_fini(&s->wait);
	limits_free(s->kernel, s, sizeof(*s));
	i->private = NULL;
}

static const struct inode_ops inode_ops = {
	.open = open_again,
	.refresh = refresh,
	.destroy = destroy,
};

bool stream_is(const struct inode *i)
{
	return i->ops == &inode_ops;
}

bool stream_is_socket(const struct file *f)
{
	const struct stream *s = f->inode && stream_is(f->inode)
	                                 ? f->inode->private
	                                 : NULL;

	return s && s->kind == SOCKET;
}

long stream_peek(struct file *f, struct uio *u)
{
	size_t size;
	void *room;
	ssize_t n;

	if (u->left == 0)
		return 0;
	room = uio_room(u, &size);
	n = recv(stream(f)->event.fd, room, size, MSG_DONTWAIT | MSG_PEEK);
	if (n < 0)
		return -errno;
	return uio_room_done(u, (size_t)n) < 0 ? -EFAULT : n;
}

long stream_shutdown(struct file *f, int how)
{
	return shutdown(stream(f)->event.fd, how) < 0 ? -errno : 0;
}

void *stream_kept(const struct file *f)
{
	const struct stream *s = f->inode->private;

	return s->kept;
}

void stream_keep(struct file *f, void *what, void (*drop)(void *what))
{
	struct stream *s = stream(f);

	assert(!s->kept);
	s->kept = what;
	s->drop = drop;
}

/* What the inode shows, and how we treat the descriptor. */
static struct inode *make_inode(struct kernel *k, const struct stat *st,
                                struct stream *s)
{
	uint32_t type = st->st_mode & S_IFMT;
	struct inode *i;

	if (type == S_IFREG)
		s->kind = REGULAR;
	else if (type == S_IFSOCK)
		s->kind = SOCKET;
	else if (type == S_IFIFO)
		s->kind = PIPE;
	else
		s->kind = DEVICE;
	s->always = s->kind == REGULAR;
	if (s->kind == DEVICE)
		type = S_IFCHR;
	i = anon_inode(k, NULL, &inode_ops,
	               type | (s->kind == DEVICE ? 0666 : 0600));
	if (i && s->kind == DEVICE)
		i->rdev = st->st_rdev;
	return i;
}

static const char *label(const struct stream *s)
{
	switch (s->kind) {
	case PIPE:
		return "pipe:";
	case SOCKET:
		return "socket:";
	case DEVICE:
		return "/dev/null";
	case REGULAR:
		break;
	}
	return "stream:";
}

int stream_create(struct kernel *k, int fd, uint32_t uid, uint32_t gid,
                  struct file **out)
{
	static const struct file_ops not_yet = {0};
	autoclose int own = fd;
	struct anon_how how = {.ops = &not_yet};
	int flags = fcntl(fd, F_GETFL);
	struct stream *s;
	struct inode *i;
	struct stat st;
	int err;

	if (flags < 0 || fstat(fd, &st) < 0)
		return -errno;
	s = limits_alloc(k, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->event.fd = fd;
	s->event.ready = ready;
	s->kernel = k;
	waitq_init(&s->wait);
	i = make_inode(k, &st, s);
	if (!i) {
		limits_free(k, s, sizeof(*s));
		return -ENOMEM;
	}
	i->private = s; /* from here on destroy() closes and frees */
	own = -1;
	i->uid = uid;
	i->gid = gid;
	(void)refresh(i, NULL);
	if (s->kind == DEVICE)
		watch(s); /* to learn whether it can be waited for */
	how.flags = (uint32_t)flags & (O_ACCMODE | O_APPEND);
	how.label = label(s);
	err = anon_open_inode(k, i, &how, out);
	if (err == 0)
		attach(s, *out);
	inode_put(i);
	return err;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending and receiving messages.
 *
 * A blocking send on a stream goes on until all is sent; how much has gone is
 * in t->progress.  sendmmsg and recvmmsg note in t->scratch how many messages
 * are done.  A receive takes all it will return at once, in its last run; but what
 * MSG_WAITALL waits for lies with the host (net/hostsock.h), which holds only so much
 * of it, so that such a receive counts what it has taken in t->progress, too.
 */
#include <string.h>

#include "kernel/core/limits.h"
#include "kernel/fs/fd.h"
#include "kernel/net/scm.h"
#include "kernel/net/sockctl.h"
#include "kernel/net/socket.h"
#include "kernel/net/sockname.h"
#include "kernel/syscall.h"
#include "kernel/task/far.h"
#include "kernel/task/signal.h"

#define IOV_INLINE  8u
#define CONTROL_MAX 131072u /* net.core.optmem_max */
#define SIGPIPE     13
#define NSEC        1000000000u

/* scratch[]: messages done by sendmmsg and recvmmsg, and when they began. */
#define DONE  0
#define BEGAN 1

/* struct mmsghdr. */
struct multi {
	abi_msghdr head;
	uint32_t size;
	uint32_t pad;
};

static_assert(sizeof(struct multi) == 64, "struct mmsghdr");

/* A message's pieces in guest memory. */
struct pieces {
	struct uio uio;
	abi_iovec few[IOV_INLINE];
	abi_iovec *many; /* NULL, or charged for `count` */
	size_t count;
};

static long pieces_init(struct pieces *p, struct task *t, uaddr_t at,
                        uint64_t count)
{
	size_t size = (size_t)count * sizeof(abi_iovec);
	abi_iovec *iov = p->few;

	p->many = NULL;
	p->count = (size_t)count;
	if (count > LIMIT_IOV)
		return -EMSGSIZE;
	if (count > IOV_INLINE) {
		p->many = limits_alloc(t->kernel, size);
		if (!p->many)
			return -ENOMEM;
		iov = p->many;
	}
	return uio_init_iov(&p->uio, t, at, iov, (size_t)count);
}

static void pieces_fini(struct pieces *p, struct task *t)
{
	limits_free(t->kernel, p->many, p->count * sizeof(abi_iovec));
}

/* Leaves out what an earlier run of the call has sent or received. */
static void skip(struct uio *u, uint64_t size)
{
	size = MIN(size, u->left);
	u->left -= size;
	if (!u->iov) {
		u->skip += size;
		return;
	}
	while (u->count > 0 && size >= u->iov->size - u->skip) {
		size -= u->iov->size - u->skip;
		u->skip = 0;
		u->iov++;
		u->count--;
	}
	u->skip += size;
}

/* Sends it all, or waits.  Files that were not sent stay in m->files. */
static long send_message(struct file *f, struct socket *s, struct sockmsg *m)
{
	struct task *t = m->task;
	struct uio *u = m->uio;
	bool stream = s->type == SOCK_STREAM;
	long n;

	if (!s->ops->send)
		return -EOPNOTSUPP;
	u->nonblock = (m->flags & MSG_DONTWAIT) || file_nonblock(f);
	if (t->progress > 0)
		skip(u, t->progress);
	for (;;) {
		n = s->ops->send(s, m);
		if (n < 0)
			break;
		if (!stream)
			return n;
		t->progress += (uint64_t)n;
		if (u->left == 0 || n == 0)
			return (long)t->progress;
	}
	if (n == -EPIPE && stream && t->progress == 0 &&
	    !(m->flags & MSG_NOSIGNAL)) {
		abi_siginfo info = signal_info_user(SIGPIPE, t);

		(void)signal_send_task(t, &info, false);
	}
	if (n == -EAGAIN)
		n = socket_wait(s, t, s->opt.send_timeout_ns, u->nonblock);
	return n != -EWAIT && t->progress > 0 ? (long)t->progress : n;
}

long sys_sendto(struct task *t, const struct args_sendto *a)
{
	struct sockmsg m = {.task = t, .flags = a->flags};
	struct socket *s;
	struct file *f;
	struct uio u;
	long n;

	n = socket_from_fd(t, a->fd, &f, &s);
	if (n < 0)
		return n;
	if (a->addr.raw)
		n = sockname_read(t, a->addr, a->addr_size, &m.name);
	if (n == 0) {
		uio_init(&u, t, a->buf, MIN(a->size, UIO_MAX));
		m.uio = &u;
		n = send_message(f, s, &m);
	}
	file_put(f);
	return n;
}

/* Reads name and control messages of a send into *m. */
static long read_parts(struct task *t, struct socket *s, const abi_msghdr *h,
                       struct sockmsg *m)
{
	struct kernel *k = t->kernel;
	uint8_t few[256];
	uint8_t *control = few;
	long err;

	if ((int32_t)h->name_size < 0)
		return -EINVAL;
	if (h->name && h->name_size > 0) {
		err = sockname_read(
			t, (uaddr_t){h->name},
			MIN(h->name_size, (uint32_t)sizeof(m->name.bytes)),
			&m->name);
		if (err < 0)
			return err;
	}
	/* Attached to the first byte, which may have gone already. */
	if (!h->control || h->control_size == 0 || t->progress > 0)
		return 0;
	if (h->control_size > CONTROL_MAX)
		return -ENOBUFS;
	if (h->control_size > sizeof(few))
		control = limits_alloc(k, h->control_size);
	if (!control)
		return -ENOBUFS;
	err = user_read(t, (uaddr_t){h->control}, control, h->control_size);
	if (err == 0)
		err = sockctl_parse(t, s,
		                    (struct span){control, h->control_size}, m);
	if (control != few)
		limits_free(k, control, h->control_size);
	return err;
}

static long send_header(struct file *f, struct socket *s, struct task *t,
                        const abi_msghdr *h, int flags)
{
	struct sockmsg m = {.task = t, .flags = flags};
	struct pieces p;
	long n;

	n = pieces_init(&p, t, (uaddr_t){h->iov}, h->iov_count);
	if (n == 0)
		n = read_parts(t, s, h, &m);
	if (n == 0) {
		m.uio = &p.uio;
		n = send_message(f, s, &m);
	}
	scm_drop(m.files);
	pieces_fini(&p, t);
	return n;
}

long sys_sendmsg(struct task *t, const struct args_sendmsg *a)
{
	struct socket *s;
	struct file *f;
	abi_msghdr h;
	long n;

	n = socket_from_fd(t, a->fd, &f, &s);
	if (n < 0)
		return n;
	if (user_read(t, a->msg, &h, sizeof(h)) < 0)
		n = -EFAULT;
	else
		n = send_header(f, s, t, &h, a->flags);
	file_put(f);
	return n;
}

/* The `at`-th of the structures of sendmmsg and recvmmsg. */
static uaddr_t multi_at(uaddr_t msgs, uint64_t at)
{
	return uaddr_add(msgs, at * sizeof(struct multi));
}

static long write_size(struct task *t, uaddr_t multi, long n)
{
	uint32_t size = (uint32_t)n;

	return user_write(t, uaddr_add(multi, offsetof(struct multi, size)),
	                  &size, sizeof(size));
}

static long send_many(struct file *f, struct socket *s, struct task *t,
                      const struct args_sendmmsg *a)
{
	uint32_t count = MIN(a->count, LIMIT_IOV);

	while (t->scratch[DONE] < count) {
		uaddr_t at = multi_at(a->msgs, t->scratch[DONE]);
		abi_msghdr h;
		long n;

		if (user_read(t, at, &h, sizeof(h)) < 0)
			n = -EFAULT;
		else
			n = send_header(f, s, t, &h, a->flags);
		if (n >= 0)
			n = MIN(write_size(t, at, n), 0);
		if (n == -EWAIT || (n == -EFAULT && far_wants(t)))
			return n;
		if (n < 0)
			return t->scratch[DONE] ? (long)t->scratch[DONE] : n;
		t->scratch[DONE]++;
		t->progress = 0;
	}
	return (long)t->scratch[DONE];
}

long sys_sendmmsg(struct task *t, const struct args_sendmmsg *a)
{
	struct socket *s;
	struct file *f;
	long n;

	n = socket_from_fd(t, a->fd, &f, &s);
	if (n < 0)
		return n;
	n = send_many(f, s, t, a);
	file_put(f);
	return n;
}

/* Receives what there is, or waits. */
static long recv_message(struct file *f, struct socket *s, struct sockmsg *m)
{
	struct task *t = m->task;
	struct uio *u = m->uio;
	long n;

	if (!s->ops->recv)
		return -EOPNOTSUPP;
	/* Who has waited long enough takes less than all. */
	u->nonblock = (m->flags & MSG_DONTWAIT) || file_nonblock(f) ||
	              (t->timed_out && s->opt.recv_timeout_ns > 0);
	if (t->progress > 0)
		skip(u, t->progress);
	n = s->ops->recv(s, m);
	if (n == -EAGAIN)
		n = socket_wait(s, t, s->opt.recv_timeout_ns, u->nonblock);
	if (t->progress == 0)
		return n;
	if (n == -EWAIT)
		user_keep(t);
	return n == -EWAIT ? n : (long)t->progress;
}

long sys_recvfrom(struct task *t, const struct args_recvfrom *a)
{
	struct sockmsg m = {.task = t, .flags = a->flags};
	struct socket *s;
	struct file *f;
	struct uio u;
	long err;
	long n;

	n = socket_from_fd(t, a->fd, &f, &s);
	if (n < 0)
		return n;
	uio_init(&u, t, a->buf, MIN(a->size, UIO_MAX));
	m.uio = &u;
	n = recv_message(f, s, &m);
	scm_drop(m.files);
	if (n >= 0 && a->addr.raw) {
		err = sockname_write(t, a->addr, a->addr_size, &m.name);
		if (err < 0)
			n = err;
	}
	file_put(f);
	return n;
}

/* Name and control messages to the caller; the header's new fields in *h. */
static long write_parts(struct task *t, struct sockmsg *m, abi_msghdr *h)
{
	size_t room = MIN((size_t)h->name_size, (size_t)m->name.size);

	if (h->name) {
		if (room > 0 &&
		    user_write(t, (uaddr_t){h->name}, m->name.bytes, room) < 0)
			return -EFAULT;
		h->name_size = m->name.size;
	}
	if (m->control->size > 0 &&
	    user_write(t, (uaddr_t){h->control}, m->control->bytes,
	               m->control->size) < 0)
		return -EFAULT;
	h->control_size = m->control->size;
	h->flags = (uint32_t)(m->out_flags | (m->flags & MSG_CMSG_CLOEXEC));
	return 0;
}

/* One message received into what *h describes; its header goes to `at`. */
static long recv_header(struct file *f, struct socket *s, struct sockmsg *m,
                        uaddr_t at)
{
	struct task *t = m->task;
	struct sockctl_fds fds;
	struct pieces p;
	abi_msghdr h;
	long err;
	long n;

	if (user_read(t, at, &h, sizeof(h)) < 0)
		return -EFAULT;
	if (h.name && (int32_t)h.name_size < 0)
		return -EINVAL;
	n = pieces_init(&p, t, (uaddr_t){h.iov}, h.iov_count);
	if (n < 0)
		goto fini;
	m->uio = &p.uio;
	cmsg_out_init(m->control, h.control ? h.control_size : 0);
	n = recv_message(f, s, m);
	if (n < 0)
		goto fini;
	sockctl_build(t, s, m, &fds);
	err = write_parts(t, m, &h);
	if (err == 0)
		err = user_write(t, at, &h, sizeof(h));
	if (err == 0) {
		sockctl_install(t, m, &fds);
	} else {
		sockctl_release(t, m, &fds);
		n = err;
	}
fini:
	m->uio = NULL;
	pieces_fini(&p, t);
	return n;
}

static long recv_one(struct file *f, struct socket *s, struct task *t,
                     uaddr_t at, int flags)
{
	struct cmsgout control;
	struct sockmsg m = {.task = t, .flags = flags, .control = &control};

	return recv_header(f, s, &m, at);
}

long sys_recvmsg(struct task *t, const struct args_recvmsg *a)
{
	struct socket *s;
	struct file *f;
	long n;

	n = socket_from_fd(t, a->fd, &f, &s);
	if (n < 0)
		return n;
	n = recv_one(f, s, t, a->msg, a->flags);
	file_put(f);
	return n;
}

/* recvmmsg's time is looked at after each message only, as on Linux. */
static bool late(const struct task *t, uint64_t timeout_ns)
{
	return timeout_ns != UINT64_MAX &&
	       timer_now() - t->scratch[BEGAN] >= timeout_ns;
}

static long recv_many(struct file *f, struct socket *s, struct task *t,
                      const struct args_recvmmsg *a, uint64_t timeout_ns)
{
	uint32_t count = MIN(a->count, LIMIT_IOV);
	int flags = a->flags & ~MSG_WAITFORONE;

	while (t->scratch[DONE] < count) {
		uaddr_t at = multi_at(a->msgs, t->scratch[DONE]);
		long n;

		if ((a->flags & MSG_WAITFORONE) && t->scratch[DONE] > 0)
			flags |= MSG_DONTWAIT;
		n = recv_one(f, s, t, at, flags);
		if (n >= 0)
			n = MIN(write_size(t, at, n), 0);
		if (n == -EWAIT || (n == -EFAULT && far_wants(t)))
			return n;
		if (n < 0)
			return t->scratch[DONE] ? (long)t->scratch[DONE] : n;
		t->scratch[DONE]++;
		t->progress = 0;
		if (late(t, timeout_ns))
			break;
	}
	return (long)t->scratch[DONE];
}

long sys_recvmmsg(struct task *t, const struct args_recvmmsg *a)
{
	uint64_t timeout_ns = UINT64_MAX;
	abi_timespec ts;
	struct socket *s;
	struct file *f;
	long n;

	n = socket_from_fd(t, a->fd, &f, &s);
	if (n < 0)
		return n;
	if (a->timeout.raw) {
		n = user_read(t, a->timeout, &ts, sizeof(ts));
		if (n == 0 && (ts.sec < 0 || ts.nsec < 0 || ts.nsec >= NSEC))
			n = -EINVAL;
		if (n == 0 && ts.sec < INT32_MAX)
			timeout_ns = (uint64_t)ts.sec * NSEC +
			             (uint64_t)ts.nsec;
	}
	if (t->first_run)
		t->scratch[BEGAN] = timer_now();
	if (n == 0)
		n = recv_many(f, s, t, a, timeout_ns);
	file_put(f);
	return n;
}

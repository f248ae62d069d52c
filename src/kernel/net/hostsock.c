/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/hostsock.h"

#include <linux/poll.h>

#include "kernel/fs/inode.h"
#include "kernel/fs/poller.h"
#include "kernel/fs/stream.h"
#include "kernel/net/unix.h"

#define NOBODY 65534

/*
 * The file is the one by which the call that runs has come, and not looked at at
 * other times: these sockets are in no file, so never under way in a message.
 */
static struct file *file_of(const struct socket *s)
{
	return s->file;
}

/* Has the task wait at the stream.  True: there was news just now. */
static bool await(const struct socket *s, const struct sockmsg *m,
                  uint32_t events)
{
	struct poller p = poller_task(m->task);
	struct file *f = file_of(s);

	return !m->uio->nonblock && (f->ops->poll(f, &p) & events);
}

static long host_send(struct socket *s, struct sockmsg *m)
{
	struct file *f = file_of(s);
	long n;

	if ((m->flags & MSG_OOB) || m->files)
		return -EOPNOTSUPP;
	if (m->name.size > 0)
		return -EISCONN;
	do
		n = f->ops->write(f, m->uio, &f->pos);
	while (n == -EAGAIN && await(s, m, POLLOUT));
	return n;
}

/* Takes what there is; for MSG_WAITALL again, until the end or all is there. */
static long host_recv(struct socket *s, struct sockmsg *m)
{
	bool peek = m->flags & MSG_PEEK;
	bool all = (m->flags & MSG_WAITALL) && !peek;
	struct file *f = file_of(s);
	bool more;
	long n;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	do {
		n = peek ? stream_peek(f, m->uio)
		         : f->ops->read(f, m->uio, &f->pos);
		if (n > 0 && all)
			m->task->progress += (uint64_t)n;
		more = n > 0 && all && m->uio->left > 0;
	} while (more ||
	         (n == -EAGAIN && await(s, m, POLLIN | POLLHUP | POLLERR)));
	return n;
}

static uint32_t host_poll(struct socket *s, struct poller *p)
{
	struct file *f = file_of(s);

	return f->ops->poll(f, p);
}

static long host_shutdown(struct socket *s, int how)
{
	return stream_shutdown(file_of(s), how);
}

/* Its peer has no name, as most have none, but there is one. */
static long host_name(struct socket *s, bool peer, struct sockname *out)
{
	(void)peer;
	unix_name(unix_of(s), out);
	return 0;
}

static size_t nothing(struct socket *s)
{
	(void)s;
	return 0;
}

static void host_close(struct socket *s)
{
	(void)s;
}

static const struct socket_ops ops = {
	.name = host_name,
	.send = host_send,
	.recv = host_recv,
	.poll = host_poll,
	.shutdown = host_shutdown,
	.readable = nothing, /* FIONREAD is the stream's own */
	.unsent = nothing,
	.close = host_close,
	.destroy = unix_destroy,
};

static void drop(void *kept)
{
	socket_drop(kept);
}

long hostsock_of(struct file *f, struct socket **out)
{
	struct unix_sock *u;

	if (!stream_is_socket(f))
		return -ENOTSOCK;
	u = stream_kept(f);
	if (!u) {
		u = unix_create(f->inode->sb->kernel, SOCK_STREAM);
		if (!u)
			return -ENOMEM;
		u->s.ops = &ops;
		u->connected = true;
		u->s.peer_cred = (struct sockcred){0, NOBODY, NOBODY};
		u->s.has_peer_cred = true;
		u->s.ino = f->inode->ino;
		u->s.uid = f->inode->uid;
		stream_keep(f, u, drop);
	}
	u->s.file = f;
	*out = &u->s;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/socket.h"

#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/anon.h"
#include "kernel/fs/fd.h"
#include "kernel/fs/inode.h"
#include "kernel/net/hostsock.h"
#include "kernel/net/inet.h"
#include "kernel/net/netlink.h"
#include "kernel/net/netstack.h"
#include "kernel/net/sockioctl.h"
#include "kernel/net/unix.h"
#include "kernel/task/cred.h"
#include "kernel/task/process.h"

#define O_RDWR  02
#define RECVBUF 212992

static const struct socket_family *const families[] = {
	&unix_family,
	&inet_family,
	&inet_family6,
	&netlink_family,
};

long socket_family_find(int family, const struct socket_family **out)
{
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		if (families[i]->family == family) {
			*out = families[i];
			return 0;
		}
	}
	return family == AF_PACKET ? -EPERM : -EAFNOSUPPORT;
}

struct socket *socket_alloc(struct kernel *k, size_t size,
                            const struct socket_ops *ops)
{
	struct socket *s;

	if (!k->net && netstack_create(k) < 0)
		return NULL;
	s = limits_alloc(k, size);
	if (!s)
		return NULL;
	s->ops = ops;
	s->kernel = k;
	s->refs = 1;
	s->opt.recv_buf = RECVBUF;
	s->opt.send_buf = RECVBUF;
	s->opt.rcv_lowat = 1;
	s->opt.peek_off = -1;
	waitq_init(&s->wait);
	list_add_tail(&k->net->sockets, &s->in_stack);
	k->net->count++;
	return s;
}

void socket_free(struct socket *s, size_t size)
{
	waitq_fini(&s->wait);
	list_del(&s->in_stack);
	s->kernel->net->count--;
	limits_free(s->kernel, s, size);
}

struct socket *socket_get(struct socket *s)
{
	s->refs++;
	return s;
}

void socket_put(struct socket *s)
{
	if (!s || --s->refs > 0)
		return;
	s->ops->destroy(s);
}

void socket_drop(struct socket *s)
{
	s->closed = true;
	s->ops->close(s);
	socket_wake(s, WAITQ_ANY);
	socket_put(s);
}

struct sockcred socket_cred(const struct task *t)
{
	return (struct sockcred){
		.pid = t->process->pid,
		.uid = t->cred->euid,
		.gid = t->cred->egid,
	};
}

/*
 * A transfer by read or write.  The generic calls wait for us by poll(); a
 * timeout of ours ends that by making the transfer one that does not wait.
 */
static void set_timeout(struct uio *u, uint64_t timeout_ns)
{
	struct task *t = u->task;

	if (timeout_ns == 0 || !t || u->nonblock)
		return;
	if (t->timed_out)
		u->nonblock = true;
	else
		task_deadline(t, timer_now() + timeout_ns);
}

static long file_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct socket *s = f->private;
	struct sockmsg m = {.task = u->task, .uio = u};
	long n;

	(void)pos;
	if (!s->ops->recv)
		return -EOPNOTSUPP;
	if (u->left == 0)
		return 0;
	n = s->ops->recv(s, &m);
	scm_drop(m.files);
	if (n == -EAGAIN)
		set_timeout(u, s->opt.recv_timeout_ns);
	return n;
}

static long file_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct socket *s = f->private;
	struct sockmsg m = {.task = u->task, .uio = u};
	long n;

	(void)pos;
	if (!s->ops->send)
		return -EOPNOTSUPP;
	n = s->ops->send(s, &m);
	if (n == -EAGAIN)
		set_timeout(u, s->opt.send_timeout_ns);
	return n;
}

static uint32_t file_events(struct file *f, struct poller *p)
{
	struct socket *s = f->private;

	poller_watch(p, &s->wait);
	return s->ops->poll(s, p);
}

static long file_ioctl(struct file *f, struct task *t, uint32_t cmd,
                       uint64_t arg)
{
	return sockioctl_run(f->private, t, cmd, (uaddr_t){arg});
}

static void file_release(struct file *f)
{
	struct socket *s = f->private;

	s->file = NULL;
	socket_drop(s);
}

static const struct file_ops file_ops = {
	.read = file_read,
	.write = file_write,
	.poll = file_events,
	.ioctl = file_ioctl,
	.release = file_release,
};

long socket_open(struct task *t, struct socket *s, uint32_t flags,
                 struct file **out)
{
	struct anon_how how = {
		.ops = &file_ops,
		.private = s,
		.flags = O_RDWR | flags,
		.inode_mode = S_IFSOCK | 0777,
		.label = "socket:",
	};
	struct file *f;
	int err;

	err = anon_open(t->kernel, t, &how, &f);
	if (err < 0) {
		socket_drop(s);
		return err;
	}
	f->mode |= FILE_READ | FILE_WRITE;
	if (s->type == SOCK_STREAM)
		f->mode |= FILE_WHOLE;
	s->file = f;
	s->ino = f->inode->ino;
	s->uid = t->cred->euid;
	*out = f;
	return 0;
}

struct socket *socket_of(const struct file *f)
{
	return f->ops == &file_ops ? f->private : NULL;
}

long socket_from_fd(struct task *t, int32_t fd, struct file **f,
                    struct socket **s)
{
	struct file *got = fd_get(t, fd);
	long err;

	if (!got)
		return -EBADF;
	*s = socket_of(got);
	err = *s ? 0 : hostsock_of(got, s);
	if (err < 0) {
		file_put(got);
		return err;
	}
	*f = got;
	return 0;
}

long socket_wait(struct socket *s, struct task *t, uint64_t timeout_ns,
                 bool nonblock)
{
	long err;

	if (nonblock || (timeout_ns > 0 && t->timed_out))
		return -EAGAIN;
	if (timeout_ns > 0)
		task_deadline(t, timer_now() + timeout_ns);
	task_watch(t, &s->wait);
	err = task_sleep(t);
	/* A call with a timeout is not run again after a signal. */
	return err == -ERESTARTSYS && timeout_ns > 0 ? -EINTR : err;
}

void socket_wake(struct socket *s, uint32_t events)
{
	waitq_wake(&s->wait, events);
}

int socket_error(struct socket *s)
{
	int err = s->err;

	s->err = 0;
	return -err;
}

void socket_fail(struct socket *s, int err)
{
	s->err = err;
	socket_wake(s, WAITQ_ANY);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making, naming, connecting and configuring sockets; sending and receiving is
 * in sys_message.c.
 */
#include "kernel/core/limits.h"
#include "kernel/fs/fd.h"
#include "kernel/net/socket.h"
#include "kernel/net/sockname.h"
#include "kernel/net/sockopt.h"
#include "kernel/net/tcp.h"
#include "kernel/syscall.h"

#define TYPE_FLAGS (SOCK_NONBLOCK | SOCK_CLOEXEC)

/* Checks family and type; the flags of `type` come out separately. */
static long make(struct task *t, int family, int *type, int protocol,
                 struct socket **out)
{
	const struct socket_family *f;
	long err;

	if (*type & ~(SOCK_TYPE_MASK | TYPE_FLAGS))
		return -EINVAL;
	*type &= SOCK_TYPE_MASK;
	if (family < 0 || family >= AF_MAX)
		return -EAFNOSUPPORT;
	if (*type >= SOCK_TYPE_END)
		return -EINVAL;
	err = socket_family_find(family, &f);
	if (err < 0)
		return err;
	err = f->create(t, *type, protocol, out);
	if (err == 0)
		(*out)->uid = socket_cred(t).uid;
	return err;
}

long sys_socket(struct task *t, const struct args_socket *a)
{
	int flags = a->type & TYPE_FLAGS;
	int type = a->type;
	struct socket *s;
	struct file *f;
	long err;

	err = make(t, a->family, &type, a->protocol, &s);
	if (err < 0)
		return err;
	err = socket_open(t, s, (uint32_t)flags & SOCK_NONBLOCK, &f);
	if (err < 0)
		return err;
	return fd_open(t, f, flags & SOCK_CLOEXEC);
}

/* Two connected files, or none. */
static long make_pair(struct task *t, const struct args_socketpair *a,
                      struct file *end[2])
{
	uint32_t nonblock = (uint32_t)a->type & SOCK_NONBLOCK;
	const struct socket_family *f;
	struct socket *s[2] = {NULL, NULL};
	int type = a->type;
	long err;

	err = make(t, a->family, &type, a->protocol, &s[0]);
	if (err < 0)
		return err;
	type = a->type;
	err = make(t, a->family, &type, a->protocol, &s[1]);
	if (err < 0)
		goto drop_first;
	err = socket_family_find(a->family, &f);
	if (err == 0)
		err = f->pair ? f->pair(t, s[0], s[1]) : -EOPNOTSUPP;
	if (err < 0)
		goto drop_second;
	err = socket_open(t, s[0], nonblock, &end[0]);
	if (err < 0) {
		socket_drop(s[1]);
		return err;
	}
	err = socket_open(t, s[1], nonblock, &end[1]);
	if (err < 0)
		file_put(end[0]);
	return err;

drop_second:
	socket_drop(s[1]);
drop_first:
	socket_drop(s[0]);
	return err;
}

long sys_socketpair(struct task *t, const struct args_socketpair *a)
{
	bool cloexec = a->type & SOCK_CLOEXEC;
	struct file *end[2];
	int32_t fd[2];
	long err;

	err = make_pair(t, a, end);
	if (err < 0)
		return err;
	err = fd_reserve(t, 0, 2, fd);
	if (err < 0)
		goto put_ends;
	err = user_write(t, a->ends, fd, sizeof(fd));
	if (err < 0)
		goto release_fds;

	/* Nothing below can fail. */
	fd_install(t, fd[0], end[0], cloexec);
	fd_install(t, fd[1], end[1], cloexec);
	return 0;

release_fds:
	fd_release(t, 2, fd);
put_ends:
	file_put(end[1]);
	file_put(end[0]);
	return err;
}

long sys_bind(struct task *t, const struct args_bind *a)
{
	struct sockname n;
	struct socket *s;
	struct file *f;
	long err;

	err = socket_from_fd(t, a->fd, &f, &s);
	if (err < 0)
		return err;
	err = sockname_read(t, a->addr, a->size, &n);
	if (err == 0)
		err = s->ops->bind ? s->ops->bind(s, t, &n) : -EOPNOTSUPP;
	file_put(f);
	return err;
}

long sys_connect(struct task *t, const struct args_connect *a)
{
	bool nonblock;
	struct sockname n;
	struct socket *s;
	struct file *f;
	long err;

	err = socket_from_fd(t, a->fd, &f, &s);
	if (err < 0)
		return err;
	nonblock = file_nonblock(f);
	err = sockname_read(t, a->addr, a->size, &n);
	if (err == 0)
		err = s->ops->connect ? s->ops->connect(s, t, &n, nonblock)
		                      : -EOPNOTSUPP;
	/* Unix sockets wait by themselves, for somebody else's queue. */
	if (err == -EAGAIN && !nonblock && tcp_is(s)) {
		err = socket_wait(s, t, s->opt.send_timeout_ns, false);
		if (err == -EAGAIN)
			err = -EINPROGRESS;
	}
	file_put(f);
	return err;
}

long sys_listen(struct task *t, const struct args_listen *a)
{
	struct socket *s;
	struct file *f;
	long err;

	err = socket_from_fd(t, a->fd, &f, &s);
	if (err < 0)
		return err;
	err = s->ops->listen ? s->ops->listen(s, t, a->backlog) : -EOPNOTSUPP;
	file_put(f);
	return err;
}

struct accepting {
	uaddr_t addr;
	uaddr_t size;
	int flags;
};

/* The next connection as a file, its name told; or a negative errno. */
static long accept_file(struct task *t, struct socket *s,
                        const struct accepting *a, struct file **out)
{
	struct sockname n = {.size = 0};
	struct socket *made;
	long err;

	if (!s->ops->accept)
		return -EOPNOTSUPP;
	err = s->ops->accept(s, &made);
	if (err < 0)
		return err;
	/* The peer may have gone already; Linux tells its name anyway. */
	if (a->addr.raw && made->ops->name(made, true, &n) < 0)
		sockname_clear(&n, made->family, SOCKNAME_MIN);
	err = socket_open(t, made, (uint32_t)a->flags & SOCK_NONBLOCK, out);
	if (err < 0)
		return err;
	if (a->addr.raw) {
		err = sockname_write(t, a->addr, a->size, &n);
		if (err < 0)
			file_put(*out);
	}
	return err;
}

static long do_accept(struct task *t, int32_t fd, const struct accepting *a)
{
	struct file *made;
	struct socket *s;
	struct file *f;
	int32_t got;
	long err;

	if (a->flags & ~TYPE_FLAGS)
		return -EINVAL;
	err = socket_from_fd(t, fd, &f, &s);
	if (err < 0)
		return err;
	err = fd_reserve(t, 0, 1, &got);
	if (err < 0)
		goto put_file;
	err = accept_file(t, s, a, &made);
	if (err < 0) {
		fd_release(t, 1, &got);
		if (err == -EAGAIN)
			err = socket_wait(s, t, s->opt.recv_timeout_ns,
			                  file_nonblock(f));
		goto put_file;
	}
	fd_install(t, got, made, a->flags & SOCK_CLOEXEC);
	err = got;
put_file:
	file_put(f);
	return err;
}

long sys_accept(struct task *t, const struct args_accept *a)
{
	struct accepting how = {.addr = a->addr, .size = a->size};

	return do_accept(t, a->fd, &how);
}

long sys_accept4(struct task *t, const struct args_accept4 *a)
{
	struct accepting how = {
		.addr = a->addr,
		.size = a->size,
		.flags = a->flags,
	};

	return do_accept(t, a->fd, &how);
}

static long get_name(struct task *t, int32_t fd, bool peer,
                     const struct accepting *to)
{
	struct sockname n;
	struct socket *s;
	struct file *f;
	long err;

	err = socket_from_fd(t, fd, &f, &s);
	if (err < 0)
		return err;
	err = s->ops->name ? s->ops->name(s, peer, &n) : -EOPNOTSUPP;
	if (err == 0)
		err = sockname_write(t, to->addr, to->size, &n);
	file_put(f);
	return err;
}

long sys_getsockname(struct task *t, const struct args_getsockname *a)
{
	struct accepting to = {.addr = a->addr, .size = a->size};

	return get_name(t, a->fd, false, &to);
}

long sys_getpeername(struct task *t, const struct args_getpeername *a)
{
	struct accepting to = {.addr = a->addr, .size = a->size};

	return get_name(t, a->fd, true, &to);
}

long sys_shutdown(struct task *t, const struct args_shutdown *a)
{
	struct socket *s;
	struct file *f;
	long err;

	err = socket_from_fd(t, a->fd, &f, &s);
	if (err < 0)
		return err;
	if (a->how < SHUT_RD || a->how > SHUT_RDWR)
		err = -EINVAL;
	else
		err = s->ops->shutdown ? s->ops->shutdown(s, a->how)
		                       : -EOPNOTSUPP;
	file_put(f);
	return err;
}

long sys_setsockopt(struct task *t, const struct args_setsockopt *a)
{
	struct optval v = {.size = MIN((size_t)a->size, OPTVAL_SIZE)};
	struct socket *s;
	struct file *f;
	long err;

	err = socket_from_fd(t, a->fd, &f, &s);
	if (err < 0)
		return err;
	if ((int32_t)a->size < 0)
		err = -EINVAL;
	else if (v.size > 0 && user_read(t, a->value, v.bytes, v.size) < 0)
		err = -EFAULT;
	else
		err = sockopt_set(s, t, a->level, a->option, &v);
	file_put(f);
	return err;
}

/* The value, cut to the caller's room, and then how long it is. */
static long write_option(struct task *t, const struct args_getsockopt *a,
                         struct socket *s)
{
	struct optval v = {.size = 0};
	int32_t size;
	long err;

	if (user_read(t, a->size, &size, sizeof(size)) < 0)
		return -EFAULT;
	if (size < 0)
		return -EINVAL;
	v.asked = (size_t)size;
	err = sockopt_get(s, t, a->level, a->option, &v);
	if (err < 0)
		return err;
	size = (int32_t)MIN(v.size, v.asked);
	if (size > 0 && user_write(t, a->value, v.bytes, (size_t)size) < 0)
		return -EFAULT;
	return user_write(t, a->size, &size, sizeof(size));
}

long sys_getsockopt(struct task *t, const struct args_getsockopt *a)
{
	struct socket *s;
	struct file *f;
	long err;

	err = socket_from_fd(t, a->fd, &f, &s);
	if (err < 0)
		return err;
	err = write_option(t, a, s);
	file_put(f);
	return err;
}

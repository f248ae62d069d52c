/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/unix.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/fs/inode.h"
#include "kernel/fs/node.h"
#include "kernel/net/netstack.h"
#include "kernel/net/unix_conn.h"
#include "kernel/net/unix_dgram.h"
#include "kernel/net/unix_stream.h"
#include "kernel/task/cred.h"

#define NAME_AT ((uint32_t)offsetof(struct sockaddr_un, sun_path))

#define DEFAULT_BUF 212992

/* Pathnames and abstract names start behind the family. */
static bool is_abstract(const struct sockname *n)
{
	return n->size > NAME_AT && n->un.sun_path[0] == 0;
}

static struct list *bucket(struct netstack *net, const struct sockname *n)
{
	uint32_t h = 2166136261u;

	for (uint32_t i = NAME_AT; i < n->size; i++)
		h = (h ^ n->bytes[i]) * 16777619u;
	return &net->abstract[(h ^ h >> 16) % NETSTACK_ABSTRACT];
}

static struct unix_sock *find_abstract(struct netstack *net, uint16_t type,
                                       const struct sockname *n)
{
	list_for_each (l, bucket(net, n)) {
		struct unix_sock *u = list_entry(l, struct unix_sock,
		                                 in_abstract);

		if (u->s.type == type && u->name.size == n->size &&
		    memcmp(u->name.bytes, n->bytes, n->size) == 0)
			return u;
	}
	return NULL;
}

/* Family and size; a path is ended at its NUL. */
static long check_name(const struct sockname *n, char path[])
{
	size_t len;

	if (n->size <= NAME_AT || n->size > sizeof(struct sockaddr_un) ||
	    n->family != AF_UNIX)
		return -EINVAL;
	len = strnlen(n->un.sun_path, n->size - NAME_AT);
	memcpy(path, n->un.sun_path, len);
	path[len] = 0;
	return 0;
}

static long find_path(struct task *t, const char *path, uint16_t type,
                      struct unix_sock **out)
{
	struct unix_sock *u;
	struct path p = {0};
	struct inode *i;
	long err;

	if (!t)
		return -EINVAL;
	err = path_lookup(t, -100 /* AT_FDCWD */, path, PATH_FOLLOW, &p);
	if (err < 0)
		return err;
	i = path_inode(&p);
	err = path_permission(t, &p, 2 /* W_OK */);
	if (err == 0 && (!i || !inode_is(i, S_IFSOCK) || !i->bound))
		err = -ECONNREFUSED;
	if (err == 0) {
		u = unix_of(i->bound);
		if (u->s.type != type)
			err = -EPROTOTYPE;
		else
			*out = unix_of(socket_get(&u->s));
	}
	path_put(&p);
	return err;
}

long unix_find(struct unix_sock *u, struct task *t, const struct sockname *name,
               struct unix_sock **out)
{
	char path[UNIX_PATH_MAX + 1];
	struct unix_sock *found;
	long err = check_name(name, path);

	if (err < 0)
		return err;
	if (!is_abstract(name))
		return find_path(t, path, u->s.type, out);
	found = find_abstract(u->s.kernel->net, u->s.type, name);
	if (!found)
		return -ECONNREFUSED;
	*out = unix_of(socket_get(&found->s));
	return 0;
}

static long bind_abstract(struct unix_sock *u, const struct sockname *name)
{
	struct netstack *net = u->s.kernel->net;

	if (find_abstract(net, u->s.type, name))
		return -EADDRINUSE;
	u->name = *name;
	list_add_tail(bucket(net, name), &u->in_abstract);
	return 0;
}

long unix_autobind(struct unix_sock *u)
{
	struct netstack *net = u->s.kernel->net;
	struct sockname n;
	char digits[9];

	if (u->name.size > 0)
		return 0;
	sockname_clear(&n, AF_UNIX, NAME_AT + 6);
	for (uint32_t i = 0; i < 0x100000; i++) {
		(void)snprintf(digits, sizeof(digits), "%05x",
		               net->next_auto++ & 0xfffff);
		n.un.sun_path[0] = 0;
		memcpy(n.un.sun_path + 1, digits, 5);
		if (bind_abstract(u, &n) == 0)
			return 0;
	}
	return -ENOSPC;
}

static long bind_path(struct unix_sock *u, struct task *t, const char *path)
{
	struct path_last last;
	struct path dir = {0};
	struct path made = {0};
	struct inode *i;
	uint32_t mode;
	long err;

	err = path_parent(t, -100, path, 0, &dir, &last);
	if (err < 0)
		return err;
	mode = S_IFSOCK |
	       (u->s.file && u->s.file->inode ? u->s.file->inode->mode & 07777
	                                      : 0777);
	/* Here the umask counts, whatever the directory's default list. */
	mode &= ~t->fs->umask;
	err = node_create(t, &dir, &last, mode, 0, (struct span){0}, &made);
	path_put(&dir);
	if (err < 0)
		return err == -EEXIST ? -EADDRINUSE : err;

	/* Nothing below can fail. */
	i = path_inode(&made);
	i->bound = &u->s;
	u->path = made;
	sockname_clear(&u->name, AF_UNIX,
	               (uint32_t)(NAME_AT + strlen(path) + 1));
	memcpy(u->name.un.sun_path, path, strlen(path));
	return 0;
}

long unix_bind(struct socket *s, struct task *t, const struct sockname *name)
{
	struct unix_sock *u = unix_of(s);
	char path[UNIX_PATH_MAX + 1];
	long err;

	if (name->size == NAME_AT && name->family == AF_UNIX)
		return u->name.size > 0 ? 0 : unix_autobind(u);
	err = check_name(name, path);
	if (err < 0)
		return err;
	if (u->name.size > 0)
		return -EINVAL;
	return is_abstract(name) ? bind_abstract(u, name)
	                         : bind_path(u, t, path);
}

void unix_unbind(struct unix_sock *u)
{
	struct inode *i = path_inode(&u->path);

	list_del(&u->in_abstract);
	if (i && i->bound == &u->s)
		i->bound = NULL;
	path_put(&u->path);
}

void unix_name(const struct unix_sock *u, struct sockname *out)
{
	if (u && u->name.size > 0) {
		*out = u->name;
		return;
	}
	sockname_clear(out, AF_UNIX, NAME_AT);
}

long unix_get_name(struct socket *s, bool peer, struct sockname *out)
{
	struct unix_sock *u = unix_of(s);

	if (peer && !u->peer)
		return -ENOTCONN;
	unix_name(peer ? u->peer : u, out);
	return 0;
}

void unix_tag(const struct unix_sock *to, const struct sockmsg *m,
              bool *has_cred, struct sockcred *cred)
{
	/* Who accepts the connection may yet ask for the ids. */
	*has_cred = m->has_cred || to->s.opt.pass_cred || !to->s.file;
	if (m->has_cred)
		*cred = m->cred;
	else if (*has_cred && m->task)
		*cred = socket_cred(m->task);
	else
		*cred = (struct sockcred){0, 65534, 65534};
}

struct unix_sock *unix_create(struct kernel *k, int type)
{
	const struct socket_ops *ops = type == SOCK_STREAM ? &unix_stream_ops
	                               : type == SOCK_SEQPACKET
	                                       ? &unix_dgram_seqpacket_ops
	                                       : &unix_dgram_ops;
	struct socket *s = socket_alloc(k, sizeof(struct unix_sock), ops);
	struct unix_sock *u;

	if (!s)
		return NULL;
	u = unix_of(s);
	s->family = AF_UNIX;
	s->type = (uint16_t)type;
	s->opt.send_buf = DEFAULT_BUF;
	s->opt.recv_buf = DEFAULT_BUF;
	scm_node_init(&u->node, s);
	list_init(&u->in_abstract);
	list_init(&u->queue);
	list_init(&u->in_queue);
	sockbuf_init(&u->rx);
	sockpkt_queue_init(&u->packets);
	return u;
}

void unix_destroy(struct socket *s)
{
	struct unix_sock *u = unix_of(s);

	sockbuf_fini(s->kernel, &u->rx);
	sockpkt_queue_fini(s->kernel, &u->packets);
	scm_node_fini(&u->node);
	socket_free(s, sizeof(*u));
}

static long create(struct task *t, int type, int protocol, struct socket **out)
{
	struct unix_sock *u;

	if (protocol != 0 && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	if (type == SOCK_RAW)
		type = SOCK_DGRAM;
	if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	u = unix_create(t->kernel, type);
	if (!u)
		return -ENOMEM;
	*out = &u->s;
	return 0;
}

static long pair(struct task *t, struct socket *a, struct socket *b)
{
	return unix_conn_pair(t, unix_of(a), unix_of(b));
}

const struct socket_family unix_family = {
	.family = AF_UNIX,
	.create = create,
	.pair = pair,
};

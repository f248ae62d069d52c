/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AF_UNIX: the part all three types share, and what their files know of each
 * other.
 *
 * Stream and seqpacket sockets are connected in pairs; what one sends lies in
 * the other's buffer.  Each of a pair owns a reference to the other until it
 * is closed.  A connection nobody has accepted yet is a socket without a file
 * in its listener's queue.  A datagram socket may point to one it is connected
 * to, which need not point back.
 *
 * A name is a path (the socket's inode points to us), or bytes after a NUL
 * (we are in the table of abstract names).  A connection made through a
 * listener has the listener's name, without being found by it.
 */
#pragma once

#include "kernel/fs/path.h"
#include "kernel/net/scm.h"
#include "kernel/net/sockbuf.h"
#include "kernel/net/socket.h"
#include "kernel/net/sockpkt.h"

struct unix_sock {
	struct socket s;
	struct unix_sock *peer; /* owns a reference; NULL: none (any more) */
	bool connected;         /* stream, seqpacket: was, at least */
	struct scm_node node;

	struct sockname name;
	struct path path; /* where it is bound; empty: not to a path */
	struct list in_abstract;

	/* A listener's. */
	bool listening;
	uint32_t backlog;
	uint32_t queue_count;
	struct list queue;    /* in_queue of connections, not accepted yet */
	struct sockcred cred; /* who called listen() */

	/* A connection's, until it is accepted. */
	struct unix_sock *listener;
	struct list in_queue;

	/* What has arrived. */
	struct sockbuf rx;       /* stream */
	struct sockpkts packets; /* datagrams and seqpacket */
	size_t want;             /* MSG_WAITALL: the buffer may grow to this */
};

static inline struct unix_sock *unix_of(struct socket *s)
{
	return container_of(s, struct unix_sock, s);
}

static inline struct scm_node *unix_node(struct socket *s)
{
	return &unix_of(s)->node;
}

extern const struct socket_family unix_family;

/* A socket of a type, of nobody's yet.  NULL: no memory. */
must_check struct unix_sock *unix_create(struct kernel *k, int type);

/*
 * The socket a name stands for, of the type of `u`: a new reference.
 * -ECONNREFUSED, -ENOENT, -EACCES, -EPROTOTYPE, -EINVAL, -EWAIT...
 */
must_check long unix_find(struct unix_sock *u, struct task *t,
                          const struct sockname *name, struct unix_sock **out);

/* Gives an unnamed socket an abstract name of five digits. */
must_check long unix_autobind(struct unix_sock *u);

/* Its name, as getsockname(2) says it; `u` may be NULL. */
void unix_name(const struct unix_sock *u, struct sockname *out);

/* Shared operations. */
long unix_bind(struct socket *s, struct task *t, const struct sockname *name);
long unix_get_name(struct socket *s, bool peer, struct sockname *out);
void unix_destroy(struct socket *s);

/* Leaves the tables of names; for close. */
void unix_unbind(struct unix_sock *u);

/* What one sends with: ids if asked for, files, counted at the receiver. */
void unix_tag(const struct unix_sock *to, const struct sockmsg *m,
              bool *has_cred, struct sockcred *cred);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections of unix sockets: how stream and seqpacket sockets come by their
 * peers and lose them.
 */
#pragma once

#include "kernel/net/unix.h"

long unix_conn_connect(struct socket *s, struct task *t,
                       const struct sockname *name, bool nonblock);
/* Connects to the listener `l`: 0, -ECONNREFUSED, -ENOMEM; -EAGAIN when its queue
 * is full, news of which are on its wait queue. */
must_check long unix_conn_join(struct unix_sock *u, struct task *t,
                               struct unix_sock *l);
long unix_conn_listen(struct socket *s, struct task *t, int backlog);
long unix_conn_accept(struct socket *s, struct socket **out);
long unix_conn_shutdown(struct socket *s, int how);
void unix_conn_close(struct socket *s);

/* socketpair(2), of any type. */
must_check long unix_conn_pair(struct task *t, struct unix_sock *a,
                               struct unix_sock *b);

/* The POLL* that do not depend on data: hang-up, error, a listener's. */
uint32_t unix_conn_poll(const struct unix_sock *u);

/* May `u` send?  0, or the negative errno: no peer, or one that is gone. */
must_check long unix_conn_may_send(const struct unix_sock *u);

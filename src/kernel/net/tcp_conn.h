/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The beginning and end of TCP connections.
 */
#pragma once

#include "kernel/net/tcp.h"

long tcp_conn_connect(struct socket *s, struct task *t,
                      const struct sockname *name, bool nonblock);
long tcp_conn_listen(struct socket *s, struct task *t, int backlog);
long tcp_conn_accept(struct socket *s, struct socket **out);
long tcp_conn_shutdown(struct socket *s, int how);
void tcp_conn_close(struct socket *s);

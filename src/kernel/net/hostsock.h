/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams of the host's that are sockets (fs/stream.h), such as those of a call
 * between qubes, for the calls that know sockets: to those they are connected
 * unix stream sockets without a name, whose other end belongs to nobody here.
 *
 * Such a file stays what it is; it gets a socket besides, at the first of these
 * calls, which lives as long as the stream.  shutdown(2) is the host's, so the
 * other side sees the end of that direction.  Neither files nor ids pass: a file
 * means nothing in another qube, so that sending one is EOPNOTSUPP.
 */
#pragma once

#include "kernel/net/socket.h"

/* The socket of a file, which it borrows.  0, -ENOTSOCK, -ENOMEM. */
must_check long hostsock_of(struct file *f, struct socket **out);

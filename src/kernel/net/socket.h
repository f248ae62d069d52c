/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A socket: what all families have in common, and how they hang under the
 * system calls.
 *
 * A socket is shared by its file and by whoever is connected to it; the file's
 * end closes it (ops->close), the last reference frees it (ops->destroy).  No
 * operation waits: what would have to returns -EAGAIN, and the calls wait on
 * the socket's one queue, which is woken whenever poll() may say more than
 * before.
 */
#pragma once

#include "kernel/core/waitq.h"
#include "kernel/fs/file.h"
#include "kernel/net/sockabi.h"
#include "kernel/task/task.h"

struct cmsgout;
struct scm_files;
struct socket;

#define SOCKET_SHUT_READ  1u /* we read no more: end of file */
#define SOCKET_SHUT_WRITE 2u /* we write no more: EPIPE */
#define SOCKET_SHUT_BOTH  3u

/* One message on its way out or in. */
struct sockmsg {
	struct task *task; /* NULL when another part of the kernel transfers */
	struct uio *uio;
	int flags;     /* MSG_* the caller gave */
	int out_flags; /* receive: MSG_* to report */
	/* Send: where to, size 0 for nowhere in particular.  Receive: from. */
	struct sockname name;
	/* Unix: files, taken over by who clears it, and whose ids. */
	struct scm_files *files;
	struct sockcred cred;
	bool has_cred;
	/* Internet: where a datagram is to come from. */
	bool has_source;
	struct sockname source;
	bool has_hops;  /* ... and how far it may go ... */
	bool has_class; /* ... and in which class */
	uint8_t hops;
	uint8_t class;
	/* Receive: further control messages go here; may be NULL. */
	struct cmsgout *control;
};

struct socket_ops {
	/* Each returns 0 or a negative errno; a missing one, -EOPNOTSUPP. */
	long (*bind)(struct socket *s, struct task *t,
	             const struct sockname *name);
	/* -EAGAIN: wait and call again; `nonblock` may turn that into other
	 * errors.  Runs anew each time. */
	long (*connect)(struct socket *s, struct task *t,
	                const struct sockname *name, bool nonblock);
	long (*listen)(struct socket *s, struct task *t, int backlog);
	/* The next connection: a new reference in *out, or -EAGAIN. */
	long (*accept)(struct socket *s, struct socket **out);
	/* Our name, or the peer's. */
	long (*name)(struct socket *s, bool peer, struct sockname *out);
	/* Bytes moved, or a negative errno; -EAGAIN when it would wait. */
	long (*send)(struct socket *s, struct sockmsg *m);
	long (*recv)(struct socket *s, struct sockmsg *m);
	uint32_t (*poll)(struct socket *s, struct poller *p);
	long (*shutdown)(struct socket *s, int how);
	/* What FIONREAD and SIOCOUTQ say. */
	size_t (*readable)(struct socket *s);
	size_t (*unsent)(struct socket *s);
	/* How many bytes a connection takes now; NULL where they have borders. */
	size_t (*room)(struct socket *s);
	/* An option changed that the protocol wants to know of; may be NULL. */
	void (*changed)(struct socket *s);
	/* The file has gone: leave all tables, tell the peer. */
	void (*close)(struct socket *s);
	/* The last reference has gone: free the structure. */
	void (*destroy)(struct socket *s);
};

/* Options that are stored and read back; see net/sockopts.def. */
struct socket_options {
	int32_t reuse_addr, reuse_port, keep_alive, broadcast, dont_route;
	int32_t oob_inline, pass_cred, pass_sec, pass_pidfd;
	int32_t timestamp, timestamp_ns, no_check, busy_poll, incoming_cpu;
	int32_t priority, mark, rcv_lowat, peek_off, zero_copy, rxq_overflow;
	int32_t txtime, lock_buf, detach_reuse;
	int32_t linger_on, linger_s;
	int32_t send_buf, recv_buf; /* as reported: doubled */
	bool send_buf_set, recv_buf_set;
	uint64_t send_timeout_ns, recv_timeout_ns; /* 0: for ever */
	/* SOL_IP and SOL_IPV6. */
	int32_t ttl, tos, mtu_discover, recv_err, recv_tos, recv_ttl, pktinfo;
	int32_t free_bind, transparent, multicast_ttl, multicast_loop;
	int32_t multicast_if, multicast_all, bind_no_port, recv_orig_dst;
	int32_t router_alert, hdr_incl, min_ttl, unicast_if, retopts, recv_frag;
	int32_t v6_only, hops, multicast_hops, multicast6_loop, multicast6_if;
	int32_t multicast6_all, recv_pktinfo6, recv_hops, recv_tclass, tclass;
	int32_t recv_err6, mtu_discover6, auto_flow, mtu6, dont_frag, flow_send;
	int32_t unicast6_if, addr_prefs, free_bind6, transparent6, recv_orig6;
	/* SOL_TCP and SOL_UDP. */
	int32_t no_delay, cork, keep_idle, keep_interval, keep_count, syn_count;
	int32_t linger2, defer_accept, window_clamp, quick_ack, user_timeout;
	int32_t fast_open, fast_open_connect, notsent_lowat, save_syn, max_seg;
	int32_t tcp_inq, thin_linear, thin_dupack, tcp_timestamp, tx_delay;
	int32_t udp_cork, no_check6_tx, no_check6_rx;
	int32_t lite_send, lite_recv;
	int32_t fast_open_no_cookie;
	/* SOL_NETLINK. */
	int32_t nl_pktinfo, nl_broadcast_error, nl_no_enobufs, nl_listen_all;
	int32_t nl_cap_ack, nl_ext_ack, nl_strict;
};

struct socket {
	const struct socket_ops *ops;
	struct kernel *kernel;
	struct file *file; /* borrowed; NULL in a backlog and once closed */
	struct waitq wait;
	struct list in_stack; /* netstack.sockets */
	uint32_t refs;
	uint16_t family;
	uint16_t type;
	int32_t protocol;
	uint32_t shut; /* SOCKET_SHUT_* */
	int32_t err;   /* of something that happened meanwhile; positive */
	uint64_t ino;
	uint32_t uid;
	bool closed;
	struct sockcred peer_cred;
	bool has_peer_cred;
	struct socket_options opt;
	/* Of a connection of the kernel's own: no more may lie in either
	 * direction of it, whatever options say.  0: as they say. */
	size_t most;
};

/*
 * A family's constructor.  `type` has no flags left.  0 and a socket with one
 * reference, or a negative errno.
 */
struct socket_family {
	uint16_t family;
	long (*create)(struct task *t, int type, int protocol,
	               struct socket **out);
	/* Connects two fresh sockets of it; NULL: -EOPNOTSUPP. */
	long (*pair)(struct task *t, struct socket *a, struct socket *b);
};

/* By number; -EAFNOSUPPORT, -EPERM... for those we do not have. */
must_check long socket_family_find(int family,
                                   const struct socket_family **out);

/*
 * Sets up the common part of a socket of `size` bytes, whose first member it
 * is; charged.  NULL when there is no memory.
 */
must_check struct socket *socket_alloc(struct kernel *k, size_t size,
                                       const struct socket_ops *ops);

/* Who makes it, for SO_PEERCRED, /proc and reports. */
struct sockcred socket_cred(const struct task *t);

/* Frees what socket_alloc() made; for ops->destroy. */
void socket_free(struct socket *s, size_t size);

struct socket *socket_get(struct socket *s);
void socket_put(struct socket *s); /* accepts NULL */

/* Closes a socket that never got a file, and puts the reference. */
void socket_drop(struct socket *s);

/*
 * Gives a socket its file; `flags` are O_NONBLOCK or 0.  Takes over the
 * reference, also when it fails with -ENOMEM.
 */
must_check long socket_open(struct task *t, struct socket *s, uint32_t flags,
                            struct file **out);

/* The socket behind a file, borrowed, or NULL if it is not a socket's. */
struct socket *socket_of(const struct file *f);

/* By descriptor: a reference to the file, and the socket behind it, borrowed.
 * 0, -EBADF, -ENOTSOCK. */
must_check long socket_from_fd(struct task *t, int32_t fd, struct file **f,
                               struct socket **s);

/*
 * The answer to -EAGAIN: -EAGAIN again if the caller does not wait or has
 * waited `timeout_ns` (0: for ever), else -EWAIT or what a signal makes of it.
 */
must_check long socket_wait(struct socket *s, struct task *t,
                            uint64_t timeout_ns, bool nonblock);

/* Something changed: POLL* bits of what may be new. */
void socket_wake(struct socket *s, uint32_t events);

/* Takes the pending error: 0 or a negative errno. */
must_check int socket_error(struct socket *s);

/* Puts an error on it and wakes everyone. */
void socket_fail(struct socket *s, int err);

/* The bytes that may be under way from `s`: SO_SNDBUF and what it implies. */
static inline size_t socket_send_room(const struct socket *s)
{
	return (size_t)s->opt.send_buf;
}

/* `room` of a connection from `a` to `b`, as far as `most` of both lets it. */
static inline size_t socket_at_most(const struct socket *a,
                                    const struct socket *b, size_t room)
{
	room = a->most ? MIN(room, a->most) : room;
	return b->most ? MIN(room, b->most) : room;
}

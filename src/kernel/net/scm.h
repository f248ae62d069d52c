/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files in flight: what SCM_RIGHTS sent and nobody has received yet.
 *
 * A bundle holds references to files.  Queued at a unix socket, it counts each
 * unix socket among them as in flight.  Sockets whose every reference is in
 * flight, queued at sockets that are so themselves, can never be received:
 * a collector finds them and drops their bundles.  Dropped files are put from
 * the loop, one after the other, so that a chain of sockets in each other's
 * queues cannot make us recurse.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/net/sockabi.h"

struct socket;

#define SCM_MAX_FILES 253u /* of one message, as Linux has it */

/* The part of each unix socket that the collector sees. */
struct scm_node {
	struct socket *socket;
	struct scm_node *listener; /* whose backlog it is in, or NULL */
	struct list backlog;       /* of such nodes */
	struct list in_backlog;
	struct list queued; /* bundles waiting here */
	uint32_t inflight;  /* how often its file is in a queued bundle */
	struct list todo;   /* the collector's */
	bool reached;
};

struct scm_files {
	struct kernel *kernel;
	struct scm_files **holder; /* the pointer that owns it, while queued */
	struct scm_node *at;
	struct list link; /* in at->queued, or in scm.dropped */
	uint32_t count;
	struct file *file[];
};

struct scm; /* of one kernel: k->net->scm */

must_check struct scm *scm_create(struct kernel *k);
void scm_destroy(struct scm *c);

void scm_node_init(struct scm_node *n, struct socket *s);

/* Before the socket goes: nothing may be queued there any more. */
void scm_node_fini(struct scm_node *n);

/* Puts a connection's node into, or takes it out of, a listener's backlog. */
void scm_node_enter(struct scm_node *n, struct scm_node *listener);
void scm_node_leave(struct scm_node *n);

/*
 * The files behind `count` descriptors.  0 and a bundle, -EBADF, -EINVAL (too
 * many), -ETOOMANYREFS when too much is in flight already, -ENOMEM.
 */
must_check long scm_take(struct task *t, const int32_t fd[], size_t count,
                         struct scm_files **out);

/* A bundle of new references to those files, of the kernel's own; or NULL. */
must_check struct scm_files *scm_bundle(struct kernel *k,
                                        struct file *const file[],
                                        size_t count);

/* Another bundle of the same files, for MSG_PEEK; NULL: no memory. */
must_check struct scm_files *scm_copy(const struct scm_files *f);

/* Drops a bundle, queued or not.  Accepts NULL. */
void scm_drop(struct scm_files *f);

/* Queues a bundle, which *holder owns, at a socket; and takes it back. */
void scm_queue(struct scm_files **holder, struct scm_node *at);
void scm_unqueue(struct scm_files *f);

/* Runs the collector soon, if anything is in flight. */
void scm_collect_soon(struct kernel *k);

/* Puts what was dropped, and collects, now.  For tests and the end. */
void scm_settle(struct kernel *k);

/* How many references to unix sockets are in flight. */
uint32_t scm_inflight(const struct kernel *k);

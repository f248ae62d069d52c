/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes on their way between two stream sockets.
 *
 * They lie in segments, first in first out.  A segment may carry files and the
 * sender's ids, which go to whoever reads its first byte, as unix(7) has it.
 * A writer copies straight from the guest into a segment, and a reader
 * straight from it to the guest.  Segments are charged while they hold data.
 */
#pragma once

#include "kernel/core/kernel.h"
#include "kernel/net/sockabi.h"
#include "kernel/task/uio.h"

struct scm_files;
struct scm_node;

struct sockbuf {
	struct list segs;
	size_t used; /* bytes in all of them */
};

/* What goes with bytes: on filling, what to attach; on draining, what came. */
struct sockbuf_tag {
	struct scm_files *files;
	struct scm_node *at; /* filling: where files are queued */
	struct sockcred cred;
	bool has_cred;
	bool keep_apart; /* draining: bytes of others end the read */
};

void sockbuf_init(struct sockbuf *b);

/* Drops what is left; files go with it. */
void sockbuf_fini(struct kernel *k, struct sockbuf *b);

/*
 * Appends at most `max` bytes of `u`; zero bytes are appended as nothing.
 * `tag` may be NULL; its files are taken over (and cleared) once a byte was
 * appended.  Returns the number of bytes, -EFAULT or -ENOMEM.
 */
must_check long sockbuf_fill(struct kernel *k, struct sockbuf *b, struct uio *u,
                             size_t max, struct sockbuf_tag *tag);

/*
 * Moves bytes to `u` until it is full, the buffer is empty, or something
 * attached forbids going on.  With `peek` everything stays.  `tag` may be
 * NULL: attached files are dropped then, as they are when the tag has some.
 * Returns the number of bytes, or -EFAULT if not even one could be moved.
 */
must_check long sockbuf_drain(struct kernel *k, struct sockbuf *b,
                              struct uio *u, bool peek,
                              struct sockbuf_tag *tag);

/* Throws the first `size` bytes away; there are that many. */
void sockbuf_skip(struct kernel *k, struct sockbuf *b, size_t size);

/* Frees the spare segments of a kernel; netstack's end. */
struct sockbuf_pool;
must_check struct sockbuf_pool *sockbuf_pool_create(void);
void sockbuf_pool_destroy(struct sockbuf_pool *p);

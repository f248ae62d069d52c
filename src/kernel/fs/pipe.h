/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pipes and named pipes.
 *
 * A pipe is a ring of bytes that grows up to its capacity as it is filled;
 * positions are absolute and never wrap.  It counts its readers and writers
 * and goes with the last of them.  Packets (O_DIRECT) are stretches of the
 * ring that no read crosses.  A write of up to PIPE_SIZE_ATOMIC bytes goes in
 * as a whole or not at all, and a pipe is writable when that many fit.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"

#define PIPE_SIZE_ATOMIC  4096u
#define PIPE_SIZE_DEFAULT 65536u

struct pipe;

/*
 * A pipe: ends[0] is for reading, ends[1] for writing.  `flags`: O_NONBLOCK,
 * O_DIRECT.  0 and two references, or -ENOMEM.
 */
must_check int pipe_open(struct task *t, uint32_t flags, struct file *ends[2]);

/*
 * Completes `f` for a named pipe, as inode_ops.open does.  Waits for the other
 * side unless O_NONBLOCK: -EWAIT, -ERESTARTSYS; -ENXIO for a writer that does
 * not wait and finds no reader.  Also for ends opened through /proc/PID/fd.
 */
must_check long pipe_fifo_open(struct inode *i, struct task *t, struct file *f);

/* The pipe behind a file, or NULL if it is something else. */
struct pipe *pipe_of(struct file *f);

/* F_GETPIPE_SZ */
size_t pipe_capacity(const struct pipe *p);

/*
 * F_SETPIPE_SZ: returns the new capacity, a power of two; -EBUSY when more
 * than that is in it, -EPERM above the limit, -EINVAL, -ENOMEM.
 */
must_check long pipe_set_capacity(struct pipe *p, uint64_t size);

/*
 * For splice(2), without a copy in between.  The data `skip` bytes behind the
 * front, *size of them in one piece; *size is 0 when there is no more.
 */
const void *pipe_peek(struct pipe *p, size_t skip, size_t *size);
void pipe_consume(struct pipe *p, size_t size);

/*
 * Room for up to *size bytes behind the end, in one piece, *size cut to what
 * there is; then `size` bytes of it become data.  NULL when memory is short.
 */
void *pipe_room(struct pipe *p, size_t *size);
void pipe_fill(struct pipe *p, size_t size);

bool pipe_has_writers(struct pipe *p);
bool pipe_has_readers(struct pipe *p);

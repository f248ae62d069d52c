/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host streams: what the launcher hands over as the program's standard input,
 * output and errors when it is a pipe, a socket, a file or /dev/null.  (A
 * terminal is kernel/tty's.)
 *
 * The host's descriptor may be shared with strangers, so nothing about it is
 * changed and its flags are not believed: each transfer says for itself that
 * it does not wait.  A regular file is read and written at the host's own
 * position, which others may share; `cmd >> log` must go on where we stop.
 *
 * One that is a socket is known to the calls for sockets by net/hostsock.h;
 * shutdown(2) is then for all who share it, as it is for a program of the host.
 */
#pragma once

#include "kernel/fs/file.h"

/*
 * Makes a description of `fd`, which is taken over whatever happens; readable,
 * writable and appending as the host's is.  Inside it belongs to uid and gid.
 * 0 and a reference, -ENOMEM, or what fstat said.
 */
must_check int stream_create(struct kernel *k, int fd, uint32_t uid,
                             uint32_t gid, struct file **out);

/* Is it a stream that is a socket of the host's? */
bool stream_is_socket(const struct file *f);

/* Of those: as read, but what is read stays there; and shutdown(2). */
must_check long stream_peek(struct file *f, struct uio *u);
must_check long stream_shutdown(struct file *f, int how);

/*
 * Something that lives as long as the stream; NULL: there is none yet.  `drop`
 * is called at its end.
 */
void *stream_kept(const struct file *f);
void stream_keep(struct file *f, void *what, void (*drop)(void *what));

/* Is it the inode of a host stream?  Such a FIFO is not a pipe of ours. */
bool stream_is(const struct inode *i);

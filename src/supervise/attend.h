/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stays with a running qube until its program has ended: carries bytes and
 * signals, answers the kernel's requests, keeps the terminal's size.
 */
#pragma once

#include "supervise/start.h"
#include "supervise/streams.h"

/*
 * Blocks the signals attend_qube() takes by itself.  To be called before the
 * kernel is started.  0 or a negative errno.
 */
must_check int attend_signals(int *signal_fd, struct fault *f);

/* Exit statuses beside the program's own and 128 plus a signal. */
#define ATTEND_OURS           125 /* our own failure */
#define ATTEND_NOT_EXECUTABLE 126
#define ATTEND_NOT_FOUND      127

/* The number of the one program on its connection. */
#define ATTEND_ID 1u

/*
 * Stays with the one program of an owned kernel, to which order_run() was sent
 * as ATTEND_ID.  Returns the exit status to end with; when it is one of ours
 * (125 to 127), `f` says why.  Takes over `k`'s descriptors; the kernel is gone
 * afterwards.
 */
int attend_qube(struct started *k, struct streams *s, int signal_fd,
                struct fault *f);

/*
 * The same for a program in a qube that lasts, over a connection to its kernel
 * (supervise/door.h; borrowed), which serves nothing else meanwhile.  With
 * streams of streams_attach() it is left alone, and goes on, by ATTEND_LEFT:
 * SIGHUP, SIGTERM, or the key.
 */
#define ATTEND_LEFT (-1)
int attend_program(int control, struct streams *s, int signal_fd,
                   struct fault *f);

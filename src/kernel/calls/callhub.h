/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls between qubes, in this one's kernel: those its programs ask for
 * (asked.h) and those it serves (served.h), and the connection on which the
 * manager is told of them (channel/callmsg.h).
 *
 *	asked:   READING -> UNTOLD -> TOLD -> answered, and gone
 *	                      \         \
 *	                       \         -> GONE: it is to be told so
 *	                        -> gone
 *	served:  RUNNING -> ENDED: it is to be told so
 *
 * What is to be told waits in lists until the connection takes it: nothing here
 * waits for the manager, and what a guest can make wait is bounded.
 */
#pragma once

#include "channel/callmsg.h"
#include "kernel/core/kernel.h"
#include "kernel/fs/path.h"

#define CALLHUB_ASKED_MAX  4096u /* connections of programs, and GONE */
#define CALLHUB_SERVED_MAX 1024u /* each caller: half of what others leave */

#define CALLHUB_VOICES 64u

struct callhub {
	struct kernel *kernel;
	struct path root;
	struct event manager; /* fd -1: there is none */
	bool full;            /* it takes no more for now */
	bool say_serving;     /* it is to hear how much is served */
	struct soon tell;     /* something is to be told */
	struct timer alone;   /* without a manager for too long */
	uint64_t next_id;
	uint64_t ahead; /* number of the streams for a call to come; 0: none */
	int near[CALLMSG_STREAMS]; /* these */
	struct callhub_voice {
		uint64_t since;
		uint32_t lines;
	} voices[CALLHUB_VOICES]; /* in the log, by the callers' names */

	/* Programs that ask: asked.link. */
	struct unix_sock *door; /* a reference; NULL: there is no socket */
	struct waiter knocked;
	struct soon open;
	struct list reading, untold, told, gone;
	uint32_t asked_count;

	/* What is served: served.link. */
	struct list running, ended;
	uint32_t running_count, ended_count;
};

/*
 * Makes k->callhub, and in the qube the socket to ask at.  A qube without the
 * socket goes on: nobody in it can ask.  0 or -ENOMEM.
 */
must_check int callhub_create(struct kernel *k, const struct path *root);

/* Closes everything; nobody is told.  Accepts that there is none. */
void callhub_destroy(struct kernel *k);

/* `fd`, which is taken over, is the connection for calls from now on. */
void callhub_connect(struct kernel *k, int fd);

/*
 * Do new descriptors of ours leave enough to cells and messages?  No call is
 * worth the qube's other programs.
 */
bool callhub_has_room(const struct kernel *k, const int fd[], size_t count);

/*
 * A line for the qube's log about a call of `source`, with nothing else in it
 * that a stranger chose but names.  Who may call can make as many failures as
 * there is time: beyond a few lines in ten seconds they are left out, and that is
 * said.  It takes no other caller's lines, unless chance has it.
 */
void callhub_log(struct callhub *h, struct span source, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Something was put into a list of what is to be told. */
void callhub_tell(struct callhub *h);

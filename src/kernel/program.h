/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs run from outside: children of process 1 with the streams, user,
 * folder and environment that a client's job asks for (channel/job.h).  The
 * client hears that one was started, and how it ended; if the client goes
 * before, the program is hung up and goes on, or not, by itself.  One that is to
 * stay is not: other clients can find it, by the number of its process, and
 * have it as if they had run it.
 */
#pragma once

#include "base/fault.h"
#include "channel/control.h"
#include "channel/job.h"
#include "kernel/core/kernel.h"
#include "kernel/fs/path.h"

struct client;
struct program;

/* Who is to hear of a program's end that is no client's; embedded. */
struct program_over {
	struct program *program; /* while it lives */
	/* Its exit status as shells have it; 127, 126: it was not started.  Never
	 * called from within program_start(). */
	void (*ended)(struct program_over *o, uint32_t exit_status);
};

/* What is to be started, and for whom. */
struct program_order {
	struct client *client;     /* or NULL ... */
	struct program_over *over; /* ... and then this */
	uint64_t id;               /* the client's number for it */
	const struct job *job;
	uint32_t flags;                  /* CONTROL_RUN_* */
	struct program_streams *streams; /* taken over */
};

/* Descriptors of the streams and the terminal; -1 for those that are none. */
struct program_streams {
	int fd[3];
	int terminal;
};

/* Takes them out of a message, from its second descriptor on. */
void program_take_streams(struct program_streams *s, const struct job *j,
                          struct control_fds *fds);

/* 0, and who ordered it will hear; or a negative errno and why. */
must_check int program_start(struct kernel *k, const struct program_order *o,
                             const struct path *root, struct fault *f);

/* Nobody wants to hear of its end any more. */
void program_forget(struct program *p);

void program_close_streams(struct program_streams *s);

/* A signal from outside, for its (or the terminal's) foreground group. */
void program_signal(struct program *p, int sig);

void program_resize(struct program *p, uint16_t rows, uint16_t columns);

/*
 * Its client has gone: SIGHUP, unless it is to stay; nobody hears how it ends.
 */
void program_leave(struct program *p);

/*
 * The next one behind the process `after`, as the message `listed` has it, but
 * for the cookie.
 */
void program_list(struct kernel *k, int32_t after, struct control *out);

/* Who takes a program over, and by what number it knows it. */
struct program_taker {
	struct client *client;
	uint64_t id;
	int terminal; /* who shows it; -1: nobody.  Taken over */
	uint16_t rows, columns;
};

/*
 * Gives the program that is process `pid` to another client, and tells both.
 * From then on it stays.  0, or a negative errno and why not.
 */
must_check int program_attach(struct kernel *k, int32_t pid,
                              const struct program_taker *by, struct fault *f);

/* From a link in clients_programs(). */
struct program *program_of_client(struct list *link);
uint64_t program_id(const struct program *p);

/* A qube that does not last ends when no program is left. */
void program_none_left(struct kernel *k);

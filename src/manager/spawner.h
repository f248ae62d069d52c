/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spawner: a process beside the manager that alone starts others.
 *
 * The manager forks it before it locks itself in (manager/confine.h), since what
 * is started from within a jail stays in it: keepers must not.  It sits in one
 * blocking read; asked, it forks, and answers with a pidfd and a pipe.  It starts
 * these kinds of processes, each only in one way, so that a captured manager
 * could have qubes started and ended, as it may, and nothing else:
 *
 *	keepers   of a launch record without the host's own folders, which the new
 *	          process opens by itself: its log, its door, our programs, the
 *	          machine's
 *	workers   of an order about volumes (manager/chore.h), in a jail of their
 *	          own
 *	prompts   the user's program to ask with
 *	helpers   services of dom0, and the program that is told of calls
 *	          (manager/helper.h)
 *
 * and connects to kernels, so that the manager needs no right to connect.
 *
 * Whoever has it start something waits for that once its pidfd says that it has
 * ended (spawner_wait()): its number is not used again before.  When either
 * process ends so does the other, and workers and prompts with it; keepers and helpers go on.
 * The next command starts both again.
 */
#pragma once

#include "base/fault.h"
#include "base/span.h"
#include "channel/callmsg.h"
#include "supervise/start.h"

struct manager;
struct spawner;
struct chore;

struct spawned {
	pid_t pid; /* of the spawner's child: only good for spawner_wait() */
	int pidfd;
	int report; /* a pipe that it writes to; its end is seen here */
};

/*
 * Forks it off a process of one thread that holds the manager's folders and its
 * lock, and nothing else that matters.  `start` is what it must not hold.
 */
must_check int spawner_create(struct manager *m, int start, struct fault *f);
void spawner_destroy(struct manager *m);

/* Sees to it that the reactor stops when the spawner ends. */
must_check int spawner_watch(struct manager *m, struct fault *f);

/*
 * Starts a keeper for the qube that the record names.  The record has flags,
 * limits and the mounts that are ours, with their descriptors (borrowed) in `s`;
 * with `machine`, the machine's own programs come below those.  Its report is read
 * by keeper_hear().
 */
must_check int spawner_keeper(struct manager *m, const struct start *s,
                              bool machine, struct spawned *out,
                              struct fault *f);

/* Starts a worker, whose report is what worker.c reads. */
must_check int spawner_worker(struct manager *m, const struct chore *w,
                              struct spawned *out, struct fault *f);

/*
 * Starts the user's prompt program, with the question to read from (borrowed) and
 * the report as its output.  -ENOENT: there is none.
 */
must_check int spawner_prompt(struct manager *m, int question,
                              struct spawned *out, struct fault *f);

/*
 * Starts a service of dom0 with its streams (borrowed), or tells policy-notify a
 * message (borrowed), and yields a descriptor that is readable at its end: as
 * helper_service() and helper_notify() do, in the spawner.
 */
must_check int spawner_service(struct manager *m, const struct callmsg *what,
                               const int streams[CALLMSG_STREAMS], int *ended,
                               struct fault *f);
must_check int spawner_notify(struct manager *m, int message, int *ended,
                              struct fault *f);

/*
 * A control connection to the kernel of this name, and a pidfd of its keeper, or
 * -1 in *keeper on a host that has none to give.
 */
must_check int spawner_enter(struct manager *m, const char *name, int *keeper,
                             struct fault *f);

/* Of a child that has ended: what waitpid(2) says, or -1. */
int spawner_wait(struct manager *m, pid_t pid);

/* Ends a process by its pidfd; one that has ended already is none. */
void spawner_kill(int pidfd);

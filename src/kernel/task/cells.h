/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cells: the host processes that run guest code, as the kernel handles them.
 *
 * A cell is one host process with its channel, its socket and its bell.  The
 * kernel is every cell's parent, so its wait4() is the authority on who lives,
 * and no pid of a cell is recycled before the kernel has seen its end.
 *
 *	pool   channel, socket and bell are made; no process yet
 *	warm   the zygote has cloned it; it waits in OP_hello; no task yet
 *	live   tasks run in it
 *	doomed no task is left; killed, waits for the host to report its end
 *
 * These functions are all that knows about host processes: another executor
 * replaces this file.  Without cells (k->cells == NULL, unit tests) a task's
 * guest memory is the test's own and every other function does nothing.
 */
#pragma once

#include "channel/image.h"
#include "kernel/task/process.h"

#define CELLS_SEND_MAX 4

struct lease_table;
struct loan_table;
struct memory_watch;

struct cell {
	struct kernel *kernel;
	struct list link;  /* in cells.live, .pool or .warm */
	struct list tasks; /* task.in_cell */
	int32_t host_pid;  /* 0 until its hello was read */
	int32_t pid;       /* of the process whose memory it is */
	bool doomed;
	uint8_t *channel; /* CHANNEL_SIZE bytes */
	int channel_fd;   /* until it was sent */
	int sock, peer;   /* ours; the cell's, until it was sent */
	struct event sock_event;
	struct event bell;                   /* bell.fd: ours and the cell's */
	uint64_t used[CHANNEL_THREADS / 64]; /* slots of tasks */
	uint64_t leaving[CHANNEL_THREADS / 64]; /* their threads must end */
	struct memory_watch *watch; /* kernel/task/memory.c; or NULL */
	struct lease_table *leases; /* kernel/fs/lease.c: what it holds */
	struct loan_table *loans;   /* kernel/fs/loan.c: where it reads */
};

/*
 * Starts the zygote from the executable behind `exe_fd`.  To be called inside
 * the Landlock domain and before the host call filter.  0 or negative errno.
 */
must_check int cells_create(struct kernel *k, int exe_fd);

/* Kills and reaps every cell and the zygote. */
void cells_destroy(struct kernel *k);

/* Guest memory of the task's cell.  0 or -EFAULT. */
must_check int cells_read(struct task *t, uint64_t from, void *to, size_t size);
must_check int cells_write(struct task *t, uint64_t to, const void *from,
                           size_t size);

/*
 * Before a transfer from the guest that may be cut into several reads: false
 * when the bytes have to be fetched first (far.h), and the handler must return
 * -EFAULT having done nothing.
 */
must_check bool cells_ready(struct task *t, uint64_t from, size_t size);

/*
 * fork: makes the cell record for `child` (same slot index as t) and sends
 * channel, socket and bell to t's cell.  0 or a negative errno.
 */
must_check long cells_prepare_fork(struct task *t, struct task *child);

/* A thread, or a vfork child: a free slot of t's cell.  0 or -EAGAIN. */
must_check long cells_prepare_thread(struct task *t, struct task *child);

/* The host refused the clone: takes back either of the two. */
void cells_abort(struct task *child);

/*
 * exec: gives the image to the task's cell (in place: answers the call with
 * SLOT_LOAD), or moves the task to a fresh cell.  The descriptors are
 * borrowed; interp_fd may be -1.  Fills img->strings_sent, has_interp and
 * in_place.  Returns -ENOANSWER, or a negative errno and nothing has changed.
 * Also starts the first program of a task that has no cell.
 */
must_check long cells_load(struct task *t, struct image *img,
                           const char *strings, int exe_fd, int interp_fd,
                           bool in_place);

/* op_hello: the answer to a fresh cell's first request. */
long cells_hello(struct task *t);

/* Sends descriptors (borrowed) to the task's cell.  0 or negative errno. */
must_check long cells_send(struct task *t, const int *fds, size_t count);

/*
 * Cells ask anew for every lease they hold: one may stand for a file that
 * another has taken the place of.
 */
void cells_recall_leases(struct kernel *k);

/* Asks the host thread to look at slot->attention. */
void cells_kick(struct task *t);

/*
 * The task is over: its host thread ends; with the last task of a cell, the
 * whole host process does.  The task has no cell afterwards.
 */
void cells_leave(struct task *t);

/* Writes the task's ids into its slot (after clone, exec, set*id). */
void cells_publish(struct task *t);

/* CPU time used by the living cells of a process. */
void cells_usage(struct process *p, struct usage *out);

/* CPU time of the whole qube: the kernel, all cells, those that have ended. */
void cells_total(struct kernel *k, struct usage *out);

/*
 * Has the host stop every cell, those included that are only being made
 * (k->paused), or let them go on.
 */
void cells_stop(struct kernel *k, bool stop);

/*
 * Serving: looks at the slots that are polled, runs what asks.  Returns
 * whether anything ran.
 */
bool cells_poll(struct kernel *k);

/*
 * How many guest threads use a CPU now, or could: those that neither wait in
 * a call nor, as far as they say, in a futex.  Stops counting at `enough`.
 */
unsigned cells_busy(struct kernel *k, unsigned enough);

/* From now on guest memory is reached through the stubs; far.h. */
void cells_go_far(struct kernel *k);

/* Whether a thread whose slot is polled runs, and so may ask at any moment. */
bool cells_awaited(struct kernel *k);

/* How many turns cells may spin for an answer from now on. */
void cells_set_spin(struct kernel *k, uint32_t turns);

/*
 * Tells the cells on which CPU of the host, plus 1, not to spin, since we need
 * it to answer; 0: on none.
 */
void cells_set_shared(struct kernel *k, uint32_t cpu);

/* Looks at the polled slots for `turns` turns; whether one has a request. */
bool cells_spin(struct kernel *k, unsigned turns);

/* The cell rang: serves those of its tasks that ask. */
void cells_look(struct cell *c);

/* No slot is polled from now on; false if a request came in meanwhile. */
must_check bool cells_unpoll(struct kernel *k);

/* Work for idle moments: pools.  Returns whether there was any. */
bool cells_idle(struct kernel *k);

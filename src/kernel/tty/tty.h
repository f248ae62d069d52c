/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A terminal: settings, the two queues between the program's side (the slave)
 * and the other side, and whose controlling terminal it is.
 *
 *	other side --ldisc_input()--> `in'  --ldisc_read()--> program
 *	other side <--tty_out_take()-- `out' <--ldisc_write()-- program
 *
 * The other side is the master of a pty (pty.c), or for the qube's console a
 * stream of the host (console.c).  The line discipline (ldisc.c) is the code
 * between; it edits lines, echoes, and turns characters into signals.
 *
 * A hang-up ends what was opened before it: reads see the end, writes -EIO.
 * That is what `generation` counts.
 */
#pragma once

#include <asm/termbits.h>

#include "kernel/core/kernel.h"
#include "kernel/core/waitq.h"
#include "kernel/fs/file.h"

struct pgrp;
struct process;
struct session;
struct tty;

#define TTY_IN       4096u  /* a power of two; lines are at most one less */
#define TTY_OUT      16384u /* a power of two */
#define TTY_OUT_ECHO 512u   /* of those, kept for echoes */

#define TTY_PTS_MAJOR 136u

/* What a byte of `in' is besides itself. */
enum tty_mark {
	TTY_PLAIN,
	TTY_ENDS,    /* the last of a line */
	TTY_NOTHING, /* an end of file: ends a line, is not part of it */
};

/* The other side's doings. */
struct tty_other {
	/* There is output to take, or room for input again. */
	void (*wake)(struct tty *t);
	/* The last program has closed it. */
	void (*closed)(struct tty *t);
};

struct tty {
	struct kernel *kernel;
	uint32_t refs;
	uint32_t index;          /* N of /dev/pts/N */
	uint32_t uid, gid, mode; /* of /dev/pts/N */
	abi_timespec times[3];   /* atime, mtime, ctime of it */
	const struct tty_other *other;
	void *other_private;

	struct termios2 set;
	struct termios2 fixed; /* bits of it that nobody may change */
	uint16_t rows, columns, width, height;
	struct session *session; /* whose controlling terminal; a reference */
	struct pgrp *foreground; /* a reference */

	/* Offsets that run freely; those of `in': done <= ready <= end. */
	uint8_t in[TTY_IN];
	uint8_t mark[TTY_IN]; /* enum tty_mark */
	uint32_t in_done;     /* up to here read by programs */
	uint32_t in_ready;    /* up to here complete lines */
	uint32_t in_end;
	uint64_t in_at_ns; /* when the last byte came; for VTIME */
	bool literal;      /* VLNEXT: the next byte is just that */
	bool erasing;      /* ECHOPRT: between \ and / */
	uint8_t out[TTY_OUT];
	uint32_t out_done, out_end;
	uint32_t column;      /* of the cursor, as far as we know */
	uint32_t line_column; /* where the line being edited began */

	bool stopped; /* by VSTOP or tcflow */
	bool locked;  /* pty: not yet unlocked */
	bool exclusive;
	bool packet; /* pty: TIOCPKT */
	uint8_t packet_status;
	bool other_gone; /* the other side is closed */
	bool was_opened; /* a program had it open, and ... */
	uint32_t opens;  /* files of this generation */
	uint32_t generation;

	struct waitq read_wait;  /* of programs */
	struct waitq write_wait; /* of programs */
	struct waitq other_wait; /* of the master */
};

/* A program's open terminal: file.private of the slave side. */
struct tty_open {
	struct tty *tty;
	uint32_t generation;
};

/* A new one with the usual settings and the lowest free index. */
must_check int tty_create(struct kernel *k, const struct tty_other *other,
                          struct tty **out);
struct tty *tty_get(struct tty *t);
void tty_put(struct tty *t); /* accepts NULL */

/* /dev/pts/N, while its other side is open.  Borrowed, or NULL. */
struct tty *tty_find(struct kernel *k, uint32_t index);
/* The first with an index of at least `from`, or NULL. */
struct tty *tty_next(struct kernel *k, uint32_t from);

/*
 * Opens the program's side, as open(2) with f->flags: completes `f`.  Makes it
 * the controlling terminal of a leader without one, unless O_NOCTTY.  0 or
 * -EIO, -EBUSY, -ENOMEM.
 */
must_check long tty_open(struct tty *tty, struct task *t, struct file *f);

/* The task's controlling terminal, or NULL.  Borrowed. */
struct tty *tty_of_task(const struct task *t);

/* For /proc/PID/stat: its number, and its foreground group (-1: none). */
void tty_numbers(const struct tty *t, uint64_t *rdev, int32_t *foreground);

/* The other side has gone for good. */
void tty_hangup(struct tty *tty);
void tty_other_closed(struct tty *tty);

/* Sends a signal to the foreground group, if there is one. */
void tty_signal(struct tty *tty, int sig);

void tty_resize(struct tty *tty, uint16_t rows, uint16_t columns);

/*
 * Job control: may the task's process change (SIGTTOU) or read (SIGTTIN) it
 * now?  0, -EIO for an orphaned group, or -ERESTARTSYS after the signal.
 */
must_check long tty_check_change(struct tty *tty, struct task *t);
must_check long tty_check_read(struct tty *tty, struct task *t);

/* TIOCSCTTY, TIOCNOTTY, TIOCSPGRP. */
must_check long tty_take(struct tty *tty, struct task *t, bool steal);
must_check long tty_leave(struct tty *tty, struct task *t);
must_check long tty_set_group(struct tty *tty, struct task *t, int32_t pgid);

static inline uint32_t tty_in_count(const struct tty *t)
{
	return t->in_end - t->in_done;
}

static inline uint32_t tty_out_count(const struct tty *t)
{
	return t->out_end - t->out_done;
}

/* The longest run of output that lies in one piece; how long it is. */
const uint8_t *tty_out_run(const struct tty *t, uint32_t *size);

/* The other side took that much of it. */
void tty_out_took(struct tty *t, uint32_t size);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a helper thread does for one call with a file of the host's: reading
 * what is not in the host's cache, syncing, work of the file system's own.
 *
 * The work holds the file's node pinned, so that the descriptor it uses stays
 * open; when the call is cut short the work is left to itself and freed when
 * it is done.
 */
#pragma once

#include "kernel/core/work.h"
#include "kernel/fs/file.h"

struct filejob;

enum filejob_kind {
	FILEJOB_READ,
	FILEJOB_FSYNC,
	FILEJOB_FDATASYNC,
	FILEJOB_OWN, /* the owner's run() */
};

/* What a file system says of its nodes. */
struct filejob_owner {
	int (*pin)(void *node); /* 0 or a negative errno */
	void (*unpin)(void *node);
	int (*run)(int fd, uint64_t number); /* on a helper thread */
};

/* Which work: two of the same node, kind and place are the same. */
struct filejob_what {
	const struct filejob_owner *owner;
	void *node;
	enum filejob_kind kind;
	int fd;           /* -1: done as soon as it is begun, pins nothing */
	int64_t at;       /* FILEJOB_READ: from where... */
	size_t size;      /* ...and how much */
	uint64_t number;  /* for run() */
	uint64_t note[3]; /* whatever its owner wants to know later */
};

/*
 * Has a helper do it: -EWAIT until the handler runs again and it is done, then
 * its result, as often as it is asked; or why it could not begin.
 */
must_check long filejob_do(struct task *t, const struct filejob_what *what);

/* The note with which the task's work of this kind was begun; NULL: it was
 * not.  Valid until the call ends or begins other work. */
const uint64_t *filejob_note(struct task *t, const struct filejob_what *what);

/*
 * read() of struct file_ops from a descriptor of the host's.  What the host
 * would have to wait for is a helper's work, unless `wait` says that we may.
 */
must_check long filejob_read(const struct filejob_what *what, struct uio *u,
                             int64_t *pos, bool wait);

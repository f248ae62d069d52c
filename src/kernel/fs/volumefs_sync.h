/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sync(2), syncfs(2) and the end of a qube wait for contents: which files were
 * written since they were last made safe, and a helper that makes them so.
 *
 * Files are kept by number, since one that is closed may be forgotten.  They are
 * collected for a round; one round is under way at most.  To begin with a round
 * when there are VOLUMEFS_SYNC_MANY bounds what a program that never syncs leaves
 * for who does.
 *
 * The host's syncfs(2) would be one call, and wait for all that anybody on the
 * machine has written.
 */
#pragma once

#include "kernel/core/waitq.h"
#include "kernel/core/work.h"

#define VOLUMEFS_SYNC_MANY 4096u

struct task;
struct volumefs;
struct volumefs_node;

struct volumefs_sync {
	uint64_t round; /* that is collected, from 1 on */
	struct volumefs_sync_files {
		uint64_t *ino;
		size_t count;
		size_t room;
	} next, now; /* of that round; of the one under way */
	struct work work;
	bool running;
	bool again;     /* somebody waits for the next one, too */
	uint64_t ended; /* the last round that did */
	int result;     /* of the helper */
	int err;        /* that nobody has been told of yet */
	struct waitq done;
};

void volumefs_sync_init(struct volumefs *fs);

/* Contents of a node, whose object is open, were changed just now. */
void volumefs_sync_wrote(struct volumefs_node *n);

/* The same of an object by its number; `fd` is any descriptor of it. */
void volumefs_sync_add(struct volumefs *fs, uint64_t ino, int fd);

/*
 * Begins to make safe whatever was written before: the round to wait for.  Then
 * 0, -EWAIT until that has ended, or -EIO...
 */
uint64_t volumefs_sync_begin(struct volumefs *fs);
must_check long volumefs_sync_wait(struct volumefs *fs, struct task *t,
                                   uint64_t round);

/* The volume is closed: no helper is at it any more. */
void volumefs_sync_stop(struct volumefs *fs);

/* All that was written, on this thread, behind volumefs_sync_stop(). */
void volumefs_sync_now(struct volumefs *fs);

void volumefs_sync_fini(struct volumefs *fs);

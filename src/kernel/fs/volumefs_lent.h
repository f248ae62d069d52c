/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects that cells were lent for writing, by shared mappings.
 *
 * Whoever has such a descriptor of the host's, or the mapping, can make the object
 * hold more than was charged: fill holes, or write behind its end, also when
 * the guest has closed the file and removed its name.  So each is looked at four times
 * a second while guests run, until nobody has it open for writing; the host
 * says that by granting a lease (fcntl(2)).
 *
 * What an object holds beyond its charge is charged.  Where the volume's limit does
 * not allow that, the process that mapped it last is killed, as Linux would by
 * SIGBUS on a full disk; and when the object grows on nevertheless, the qube ends.
 * So what is written beyond the limit is what can be written in a second.
 */
#pragma once

#include "base/list.h"

#define VOLUMEFS_LENT_MAX     1024u
#define VOLUMEFS_LENT_STRIKES 3u /* the qube ends */

struct file;
struct task;
struct volumefs;
struct volumefs_node;

struct volumefs_lent_file {
	struct list link;
	struct volumefs_node *node; /* NULL: it is not in memory */
	uint64_t ino;
	int fd;          /* read-only */
	int32_t pid;     /* who mapped it last */
	uint64_t held;   /* without a node: what it may hold, ... */
	bool nameless;   /* ... which is charged for it alone */
	uint64_t beyond; /* the limit, when last looked at */
	unsigned strikes;
};

struct volumefs_lent {
	struct list files;
	size_t count;
	uint64_t looked_ns;
};

void volumefs_lent_init(struct volumefs *fs);

/* The task's cell gets it.  0, -ENOMEM, -ENFILE... */
must_check long volumefs_lent_begin(struct volumefs_node *n, struct task *t);

/* A node goes, or is there again, while its object may be lent. */
void volumefs_lent_forget(struct volumefs_node *n);
void volumefs_lent_find(struct volumefs_node *n);

/* Looks at all, and lets those go that nobody can write to. */
void volumefs_lent_look(struct volumefs *fs);

/* Cells may have written to them: for volumefs_sync.c. */
void volumefs_lent_note(struct volumefs *fs);

/* No cell is left, and the volume is about to be closed. */
void volumefs_lent_end(struct volumefs *fs);

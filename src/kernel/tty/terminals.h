/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All terminals of a qube, by the N of /dev/pts/N.
 */
#pragma once

#include "base/base.h"

struct kernel;
struct tty;

#define TERMINALS_MAX 4096u

struct terminals {
	struct tty **at; /* borrowed; NULL: free */
	uint32_t room;
};

/* Takes the lowest free index.  0, -ENOSPC or -ENOMEM. */
must_check int terminals_add(struct kernel *k, struct tty *t, uint32_t *index);

/* The index is free again.  Harmless when it was removed before. */
void terminals_remove(struct kernel *k, struct tty *t);

struct tty *terminals_find(struct kernel *k, uint32_t index);
struct tty *terminals_next(struct kernel *k, uint32_t from);

/* Frees k->terminals. */
void terminals_fini(struct kernel *k);

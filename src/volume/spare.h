/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects made ahead: empty ones, under the numbers of inodes to come.
 *
 * An fsync(2) of a new file waits for the name of its object, too, which one sync
 * makes safe for all of the stock.  So a helper makes objects before they are
 * wanted for who syncs new files again and again.
 *
 * What is in stock at the end is removed; after a crash these are objects
 * without an inode, which go at the next opening as all such do.
 *
 * The owner of the volume calls everything but spare_make(), which may run on
 * another thread meanwhile: it fills places of the stock that are not in use.
 */
#pragma once

#include "base/base.h"

#define SPARE_COUNT 128u

struct volume;

struct spares {
	struct spare {
		uint64_t ino;
		int fd;
	} stock[SPARE_COUNT]; /* in a ring */
	uint32_t tail;        /* of the ring: where the next one comes */
	uint32_t count;       /* in stock, before it */
	uint32_t wanted;      /* how often, up to what is enough */
	bool taken;           /* since the last spare_sync() */
	bool ordered;
	uint32_t order;  /* how many are to be made... */
	uint32_t made;   /* ...and were, by spare_make() */
	uint64_t end;    /* all that were ever in stock are below */
	uint64_t naming; /* what `end` was when the batch was frozen */
	uint64_t named;  /* below, their names are safe on the disk */
};

/*
 * One of the stock, whose times are those of its making: its number in *ino.
 * A descriptor open for both, which is the caller's, or -ENOENT.
 */
must_check int spare_take(struct volume *v, uint64_t *ino);

/* Somebody waits until all is safe, new files among it. */
void spare_sync(struct volume *v);

/* Should there be more?  Then spare_make() is to run, and spare_settle(). */
must_check bool spare_order(struct volume *v);
void spare_make(struct volume *v);
void spare_settle(struct volume *v);

/* The end of the stock, with its files or (`keep`) without: they are left for
 * the next opening to remove.  0 or -errno. */
int spare_end(struct volume *v, bool keep);

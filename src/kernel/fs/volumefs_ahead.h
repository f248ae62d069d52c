/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What helpers do for a volume before anybody waits for it: objects are made
 * ahead (volume/spare.h), and the disk begins with what was written.
 *
 * The latter keeps what a qube has written and not synced small.  All qubes
 * share the host's memory for such pages, and a qube that fills it makes the
 * others wait; and there is less left to do for an fsync(2).
 */
#pragma once

#include "kernel/fs/volumefs_node.h"

/* Written to one file since the disk began with it last. */
#define VOLUMEFS_AHEAD_BYTES ((uint64_t)8 << 20)

/* A file was made: there may be too few objects now. */
void volumefs_ahead_made(struct volumefs *fs);

/* `size` bytes were written to the object of a node that is pinned. */
void volumefs_ahead_wrote(struct volumefs_node *n, size_t size);

/* Before the volume is closed. */
void volumefs_ahead_end(struct volumefs *fs);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what was handed over to what the world is made of: the mounts of a
 * launch record (channel/launch.h), with their descriptors, become the options
 * of world_create() and the places the jail is to allow.
 */
#pragma once

#include "base/fault.h"
#include "channel/launch.h"
#include "kernel/fs/world.h"
#include "kernel/places.h"

/*
 * Fills *o and adds to *p.  `first` is the descriptor of the first mount that
 * has one; all of them are the world's from here on, but for keys and roots of
 * trees, which are read and closed.  0 or a negative errno: -EOPNOTSUPP for
 * mounts that make no sense, or more of a kind than there is room for.
 */
must_check int furnish_world(const struct launch *l, int first,
                             struct world_options *o, struct places *p,
                             struct fault *f);

/* A record's text as a string, cut to `room`. */
void furnish_text(char *to, size_t room, struct span from);

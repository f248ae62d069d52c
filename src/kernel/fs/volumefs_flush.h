/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A volume's way to the disk: when a batch is written, and who waits for it.
 */
#pragma once

#include "kernel/fs/volumefs_node.h"

void volumefs_flush_init(struct volumefs *fs);

/* Something changed: there will be a batch, soon. */
void volumefs_flush_later(struct volumefs *fs);

/* Before a change: 0, or waits because too much is waiting already. */
must_check long volumefs_flush_room(struct volumefs *fs, struct task *t);

/*
 * fsync(2), or (`data_only`) fdatasync(2): waits until the object behind `fd`
 * (-1: none) and all that was changed of `n` is safe; the other one: of
 * everything.  0, -EWAIT, -ENOSPC, -EIO...
 */
must_check long volumefs_flush_wait(struct volumefs_node *n, struct task *t,
                                    int fd, bool data_only);
must_check long volumefs_flush_all(struct volumefs *fs, struct task *t);

/* Everything, on this thread.  0 or a negative errno. */
int volumefs_flush_now(struct volumefs *fs);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals that are read, signalfd(2).  Who reads, or asks with poll(2), gets
 * its own signals, whoever made the descriptor.
 */
#pragma once

#include "kernel/fs/file.h"

/* 0 and a reference, or -ENOMEM. */
must_check int signalfd_open(struct task *t, uint64_t set, uint32_t flags,
                             struct file **out);

bool signalfd_is(const struct file *f);

/* Other signals from now on. */
void signalfd_set(struct file *f, struct task *t, uint64_t set);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that tell of news by signal: O_ASYNC, F_SETOWN and F_SETSIG of
 * fcntl(2).  Pipes, sockets and terminals can; of other files the flag
 * is only remembered.
 */
#pragma once

#include "kernel/fs/file.h"

/* Of O_ASYNC: on or off, as asked for by that number.  0 or -ENOMEM. */
must_check long sigio_set(struct file *f, struct task *t, int32_t fd, bool on);

/*
 * Who is told: a process, a group (negative), nobody (0), or one task.  The
 * task that says so lends its right to send signals.  0, -ESRCH, -EINVAL.
 */
must_check long sigio_own(struct file *f, const struct task *t, int32_t who,
                          bool is_task);

/* SIGURG for the owner: urgent data came, whether or not O_ASYNC is on. */
void sigio_urgent(const struct file *f);

/* The file goes. */
void sigio_file_gone(struct file *f);

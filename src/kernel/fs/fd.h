/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The descriptor table: small integers to open files.
 *
 * A descriptor is made in two steps so that a call which makes several, or
 * must first tell the caller their numbers, can still back out: fd_reserve()
 * claims numbers, which may fail; fd_install() fills one, which may not.
 */
#pragma once

#include "kernel/fs/file.h"

struct fdtable;

/* An empty table, and one with the same files.  NULL: no memory. */
must_check struct fdtable *fd_table_create(struct kernel *k);
must_check struct fdtable *fd_table_copy(struct fdtable *ft);
/* A new reference. */
struct fdtable *fd_table_get(struct fdtable *ft);
/* Has somebody else a reference? */
bool fd_table_shared(const struct fdtable *ft);
/* The last reference closes everything; `t` may be NULL. */
void fd_table_put(struct fdtable *ft, struct task *t);
/*
 * The table is used by more than one cell, or a cell has more than one table:
 * from now on a cell cannot know what a number means, and has no leases.
 */
void fd_table_mix(struct fdtable *ft);
bool fd_table_mixed(const struct fdtable *ft);
/* A copy of the task's table, to be its own.  NULL: no memory. */
must_check struct fdtable *fd_table_part(struct task *t);
/* Gives the task a table of its own.  0 or -ENOMEM. */
must_check int fd_table_unshare(struct task *t);
/* exec: closes what is marked close-on-exec. */
void fd_table_exec(struct fdtable *ft, struct task *t);

/*
 * Claims the `count` lowest free numbers from `from` on, below the task's
 * RLIMIT_NOFILE, writing them to fd[].  Returns 0, or -EMFILE / -ENOMEM and
 * claims none.
 */
must_check int fd_reserve(struct task *t, int32_t from, size_t count,
                          int32_t fd[]);

/* Gives reserved numbers back unused. */
void fd_release(struct task *t, size_t count, const int32_t fd[]);

/* Fills a reserved number.  Takes over the caller's reference to `f`. */
void fd_install(struct task *t, int32_t fd, struct file *f, bool cloexec);

/*
 * Reserves the lowest number and fills it.  Takes over the reference to `f`
 * whatever happens.  Returns the number or a negative errno.
 */
must_check long fd_open(struct task *t, struct file *f, bool cloexec);

/* dup2: puts `f` at exactly `fd`, closing what is there.  Takes over `f`. */
must_check int fd_replace(struct task *t, int32_t fd, struct file *f,
                          bool cloexec);

/*
 * The call waits: what fd_get() found for it, it goes on finding under these
 * numbers until fd_let_go(), though they may be closed meanwhile.
 */
void fd_keep(struct task *t);
void fd_let_go(struct task *t);

/*
 * For calls that look up many: keeps a file beyond the first TASK_KEPT.  Takes
 * over the reference.  Needed only where others could close the number.
 */
void fd_hold(struct task *t, struct file *f);

/* 0 or -EBADF. */
must_check int fd_close(struct task *t, int32_t fd);

/*
 * Looks a number up.  Returns a new reference, which the caller puts with
 * file_put(), or NULL (-EBADF) if the number is free or merely reserved, or
 * the file was opened with O_PATH (fd_get_path() finds those too).
 */
must_check struct file *fd_get(struct task *t, int32_t fd);
/* Likewise, but by what the number means now, whatever fd_keep() keeps. */
must_check struct file *fd_get_now(struct task *t, int32_t fd);

must_check struct file *fd_get_path(struct task *t, int32_t fd);

/* Close-on-exec: 0 or 1, or -EBADF. */
must_check int fd_cloexec(struct task *t, int32_t fd);
must_check int fd_set_cloexec(struct task *t, int32_t fd, bool on);

/* The lowest open number >= from, or -1; for /proc/PID/fd, close_range. */
int32_t fd_next(struct fdtable *ft, int32_t from);

/* The file at a number of any table, borrowed, or NULL; for /proc. */
struct file *fd_peek(struct fdtable *ft, int32_t fd);

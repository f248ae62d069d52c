/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions and process groups: who shares a terminal, and who gets its
 * signals.  A process keeps its group until it is reaped, so a zombie holds
 * the group's number.
 */
#pragma once

#include "kernel/task/process.h"

/*
 * setsid(2) without its checks: a new session and a group in it, both with the
 * number of `p`, which leads them.  0 or -ENOMEM.
 */
must_check int session_start(struct process *p);

/* A new group of a session, without members: a reference in *out. */
must_check int session_group_create(struct session *s, int32_t id,
                                    struct pgrp **out);
struct pgrp *session_group_get(struct pgrp *g);
void session_group_put(struct pgrp *g); /* accepts NULL */

/* Moves `p` into `g`, out of the one it is in, if any. */
void session_join(struct process *p, struct pgrp *g);

/* Takes `p` out of its group: it has been reaped. */
void session_leave(struct process *p);

/*
 * Is nobody in the group, but perhaps `without`, a child of a process of the
 * same session and another group?
 */
bool session_orphaned(const struct pgrp *g, const struct process *without);

/*
 * `p` ends, or `child` has just lost it as a parent: groups orphaned by that
 * with a stopped process in them get SIGHUP and SIGCONT.
 */
void session_check_orphans(struct process *p, struct process *child);

/* The leader of a session has gone: lets its terminal go. */
void session_leader_gone(struct process *p);

struct session *session_get(struct session *s);
void session_put(struct session *s); /* accepts NULL */

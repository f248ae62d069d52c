/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's side of its control connections (channel/control.h).
 *
 * The first is the owner's: the process that started us, at whose end the qube
 * ends.  A qube that lasts has a listening socket besides, and takes more from
 * processes of our own user.  Each client runs programs and hears of their
 * ends; when a client goes, its programs are hung up as by a closed terminal,
 * and the qube goes on.  Nothing a client does waits for it: one that does not
 * read what we say is let go.
 */
#pragma once

#include "base/fault.h"
#include "channel/control.h"
#include "kernel/core/kernel.h"
#include "kernel/fs/path.h"

struct client;

/*
 * Begins to serve the owner's connection `control` and, unless it is -1, the
 * listening socket `listener`; takes over both.  Only connections of `uid` are
 * taken.  0 or a negative errno.
 */
must_check int clients_begin(struct kernel *k, int control, int listener,
                             uid_t uid);

/* Programs can be started from now on.  Serves what has been asked already. */
void clients_open(struct kernel *k, const struct path *root);

/* Closes everything. */
void clients_end(struct kernel *k);

/* Tells a client, which may be NULL. */
void clients_tell(struct client *c, const struct control *message);

/* The qube cannot be: tells the owner the exit status to end with, and why. */
void clients_failed(struct kernel *k, uint32_t exit_status, const char *why);

/* Where the client's programs are listed (program.client_link). */
struct list *clients_programs(struct client *c);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What control messages mean: on the way out they become parts of a sockmsg,
 * on the way in they are made from them.
 */
#pragma once

#include "base/span.h"
#include "kernel/net/cmsg.h"
#include "kernel/net/socket.h"

/*
 * Reads the control messages of a send.  0; -EINVAL for what does not parse or
 * is not known, -EPERM for ids one may not claim, what scm_take() says.  On
 * failure m->files is NULL.
 */
must_check long sockctl_parse(struct task *t, struct socket *s,
                              struct span wire, struct sockmsg *m);

/* Files received: descriptors reserved for them, not installed yet. */
struct sockctl_fds {
	size_t count;
	int32_t fd[253];
};

/*
 * Writes ids and files of a received message into m->control; notes
 * MSG_CTRUNC.  What did not fit stays in m->files.
 */
void sockctl_build(struct task *t, struct socket *s, struct sockmsg *m,
                   struct sockctl_fds *fds);

/* Installs the reserved descriptors, or gives them back; drops the rest. */
void sockctl_install(struct task *t, struct sockmsg *m,
                     const struct sockctl_fds *fds);
void sockctl_release(struct task *t, struct sockmsg *m,
                     const struct sockctl_fds *fds);

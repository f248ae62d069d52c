/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ioctl(2) on sockets: how much there is to read, and netdevice(7) for the one
 * interface there is.
 */
#pragma once

#include "kernel/net/socket.h"
#include "kernel/task/user.h"

/* 0, a negative errno; -ENOTTY for what we do not know. */
must_check long sockioctl_run(struct socket *s, struct task *t, uint32_t cmd,
                              uaddr_t arg);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connects a socket of the kernel's to a service of the qube: a unix socket in
 * its files, or a port of its loopback.
 */
#pragma once

#include "base/base.h"

struct served;

/*
 * Connects s->socket, which it makes, to what s->found says.  0; -EAGAIN, and
 * s->again runs once there may be room in the listener's queue; or another
 * negative errno.
 */
must_check int servesock_connect(struct served *s);

/* Lets go of a socket that is not connected (s->socket), and of waiting. */
void servesock_drop(struct served *s);

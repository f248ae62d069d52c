/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's stream sockets, for those who also know the qube's own: the headers
 * of the two do not go together.  Nothing waits; both return a number of bytes or
 * a negative errno.
 */
#pragma once

#include "base/base.h"

must_check long callio_receive(int fd, void *to, size_t size);
must_check long callio_send(int fd, const void *from, size_t size);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SOCK_STREAM of AF_UNIX: bytes, with files and ids attached to some of them.
 */
#pragma once

#include "kernel/net/unix.h"

extern const struct socket_ops unix_stream_ops;

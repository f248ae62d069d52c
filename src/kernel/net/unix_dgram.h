/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The types of AF_UNIX that keep messages apart: SOCK_DGRAM, and SOCK_SEQPACKET
 * over a connection.
 */
#pragma once

#include "kernel/net/unix.h"

extern const struct socket_ops unix_dgram_ops;
extern const struct socket_ops unix_dgram_seqpacket_ops;

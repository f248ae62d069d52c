/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/net: what there is of the network, in the tables netstat(8) and
 * ss(8) read.
 */
#pragma once

#include "kernel/fs/pseudo.h"

// clang-format off
#define TABLES(X) \
	X(netlink) X(sockstat) X(tcp) X(tcp6) X(udp) X(udp6) X(unix)
// clang-format on
#define DECLARE(name) \
	long proc_net_##name(const struct pseudo_ctx *c, struct text *out);
TABLES(DECLARE)
#undef DECLARE
#undef TABLES

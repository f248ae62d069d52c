/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NETLINK_ROUTE's answers: links, addresses, routes, rules, neighbours.
 */
#pragma once

#include "kernel/net/netlink.h"

/*
 * Writes the answer to a request.  Returns 1 when the answer is complete, 0
 * when only an acknowledgement (if asked for) is missing, or a negative errno
 * that the acknowledgement carries.  `admin`: the sender has CAP_NET_ADMIN.
 */
must_check long rtnetlink_answer(const struct netlink_request *q, uint32_t port,
                                 struct netlink_answer *a, bool admin);

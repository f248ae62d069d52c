/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Firewall rules as Qubes OS writes them, one a line:
 *
 *	action=accept|drop [proto=tcp|udp|icmp] [dst4=A.B.C.D[/N] |
 *	dst6=ADDRESS[/N] | dsthost=NAME] [dstports=N[-M]] [icmptype=N]
 *	[specialtarget=dns] [expire=SECONDS] [comment=anything, to the end]
 *
 * Each key once; dstports only with tcp or udp, icmptype only with icmp.  What
 * matches no rule is dropped.  They are kept and checked; nothing applies them
 * yet.
 */
#pragma once

#include "base/fault.h"
#include "base/span.h"

#define FIREWALL_DEFAULT "action=accept\n" /* of a new qube */

/* 0, or -EINVAL and which line is wrong and how. */
must_check int firewall_check(struct span rules, struct fault *f);

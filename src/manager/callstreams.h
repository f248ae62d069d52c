/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The streams of a call (channel/callmsg.h), as the manager makes them: near ends
 * for who calls, far ends for who serves.
 */
#pragma once

#include "channel/callmsg.h"

/* Both are the caller's.  0 or -errno, and all are -1. */
must_check int callstreams_make(int near[CALLMSG_STREAMS],
                                int far[CALLMSG_STREAMS]);

/* Tells who has the near ends that the call is refused, and closes `far`; what
 * is -1 already is nothing. */
void callstreams_refuse(int far[CALLMSG_STREAMS]);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results that only the kernel and the stub see.  The numbers of the restart
 * codes are those of channel/ops.h; libc does not define them.
 */
#pragma once

#include <errno.h>

#include "channel/ops.h"

#define ERESTARTSYS           RES_RESTARTSYS
#define ERESTARTNOINTR        RES_RESTARTNOINTR
#define ERESTARTNOHAND        RES_RESTARTNOHAND
#define ERESTART_RESTARTBLOCK RES_RESTARTBLOCK

/* The handler waits: it runs again from its start when something happened. */
#define EWAIT 1000

/* The handler has arranged the answer by itself, or there will be none. */
#define ENOANSWER 1001

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who answers a guest's call: the stub itself, or the kernel.
 */
#pragma once

#include "cell/stub/area.h"
#include "cell/stub/x86_64/entry.h"

/*
 * A call from a patched site.  Returns true with the result in r->rax, or
 * false if the call needs a full frame and must trap.
 */
bool dispatch_fast(struct entry_regs *r);

/* A call that trapped.  Changes `c` to what the guest goes on with. */
void dispatch_trapped(struct area *a, struct context *c);

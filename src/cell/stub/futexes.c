/* SPDX-License-Identifier: Apache-2.0 */
#include "cell/stub/futexes.h"

#include <linux/futex.h>

#include "cell/stub/x86_64/entry.h"
#include "cell/stub/x86_64/host.h"
#include "channel/ops.h"

static void mask_kick(bool on)
{
	uint64_t set = SIG_BIT(CELL_KICK_SIGNAL);

	host(SYS_rt_sigprocmask, on ? 0 : 1, &set, 0, sizeof(set));
}

long futexes_call(struct area *a, const uint64_t arg[6], bool masked)
{
	uint32_t op = (uint32_t)arg[1] & (uint32_t)FUTEX_CMD_MASK;
	bool waits = op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET;
	long got;

	/* Priority inheritance wants host tids in the guest's words. */
	if (op > 31 || !(FUTEXES_NATIVE >> op & 1))
		return -ENOSYS;
	if (!waits)
		return host(SYS_futex, arg[0], (uint32_t)arg[1], arg[2], arg[3],
		            arg[4], arg[5]);
	if (masked)
		mask_kick(false);
	atomic_store_explicit(&a->slot->idle, 1, memory_order_relaxed);
	got = entry_futex(arg[0], (uint32_t)arg[1], arg[2], arg[3], arg[4],
	                  arg[5], &a->slot->attention);
	atomic_store_explicit(&a->slot->idle, 0, memory_order_relaxed);
	if (masked)
		mask_kick(true);
	if (got != -EINTR)
		return got;
	/* With a timeout only the absence of a handler restarts it. */
	return arg[3] ? -RES_RESTARTNOHAND : -RES_RESTARTSYS;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handlers run on the area's stack with the kick blocked.  What they find by
 * the interrupted address:
 *
 *	guest code	do the thing now
 *	guard_*		the guest's memory is bad: the function returns -EFAULT
 *	futex window	the wait must not begin: entry_futex_abort
 *	way out		look for signals once more: entry_exit
 *	other stub text	nothing: its end looks at the slot
 */
#include "cell/stub/trap.h"

#include <linux/audit.h>

#include "cell/stub/area.h"
#include "cell/stub/dispatch.h"
#include "cell/stub/end.h"
#include "cell/stub/patch.h"
#include "cell/stub/signals.h"
#include "cell/stub/x86_64/entry.h"
#include "cell/stub/x86_64/host.h"

struct sysinfo_sys {
	int32_t signo, err, code, pad;
	uint64_t call_addr;
	int32_t nr;
	uint32_t arch;
};

#define X32_BIT 0x40000000u

static bool in_text(uint64_t ip, const char *begin, const char *end)
{
	return ip >= (uint64_t)begin && ip < (uint64_t)end;
}

static void on_sys(int sig, const struct sysinfo_sys *info, struct context *c)
{
	struct area *a = area_self();

	(void)sig;
	if (c->rip == (uint64_t)entry_raised) {
		c->rip = a->resume;
		c->rax = (uint64_t)a->result;
		c->rcx = a->resume;
		c->r11 = c->eflags;
		signals_deliver(a, c, (long)a->nr);
		c->rip = patch_native_ip(c->rip);
		return;
	}
	if (info->arch != AUDIT_ARCH_X86_64 || (c->rax & X32_BIT)) {
		c->rax = (uint64_t)-ENOSYS;
		return;
	}
	dispatch_trapped(a, c);
}

static void on_kick(int sig, const void *info, struct context *c)
{
	struct area *a = area_self();

	(void)sig, (void)info;
	if (in_text(c->rip, stub_text_begin, stub_text_end)) {
		if (c->rip >= (uint64_t)entry_futex_check &&
		    c->rip <= (uint64_t)entry_futex_call) {
			c->rip = (uint64_t)entry_futex_abort;
			return;
		}
		if (in_text(c->rip, entry_exit, entry_last)) {
			c->rip = (uint64_t)entry_exit;
			c->rsp = a->stack_top - ENTRY_SAVED;
			return;
		}
		if (c->rip != (uint64_t)entry_last)
			return;
		c->rip = c->rcx;
	} else if (in_text(c->rip, stub_image_begin, stub_image_end)) {
		return; /* about to trap, which does the same */
	}
	signals_deliver(a, c, SIGNALS_NO_CALL);
}

static void on_fault(int sig, const uint8_t *info, struct context *c)
{
	struct area *a = area_self();

	if (in_text(c->rip, guard_begin, guard_end)) {
		c->rip = (uint64_t)guard_fault;
		return;
	}
	if (in_text(c->rip, stub_image_begin, stub_image_end)) {
		/* A guest that single-steps; else one that jumped in here. */
		if (sig != SIG_TRAP)
			end_by_signal(a, SIG_SEGV);
		return;
	}
	if (patch_fault(sig, c))
		return;
	signals_fault(a, c, sig, info);
}

struct host_action {
	void (*handler)(void);
	uint64_t flags;
	const char *restorer;
	uint64_t mask;
};

static int install(int sig, void (*handler)(void), uint64_t flags)
{
	struct host_action act = {
		.handler = handler,
		.flags = flags,
		.restorer = entry_restorer,
		.mask = SIG_BIT(CELL_KICK_SIGNAL),
	};

	return (int)host(SYS_rt_sigaction, sig, &act, 0, sizeof(act.mask));
}

int trap_install(void)
{
	static const uint8_t faults[] = {SIG_SEGV, SIG_BUS, SIG_FPE, SIG_ILL,
	                                 SIG_TRAP};
	/* From the terminal of whoever started us: not for the guest. */
	static const uint8_t ignored[] = {1, 2, 3, 20, 21, 22};
	const uint64_t flags = SA_SIGINFO_ | SA_RESTORER_ | SA_ONSTACK_;
	int err;

	err = install(SIG_SYS, (void (*)(void))on_sys, flags);
	if (err == 0)
		err = install(CELL_KICK_SIGNAL, (void (*)(void))on_kick, flags);
	/* Copying to the guest's stack may fault within a fault's handler. */
	for (size_t i = 0; err == 0 && i < ARRAY_LEN(faults); i++)
		err = install(faults[i], (void (*)(void))on_fault,
		              flags | SA_NODEFER_);
	for (size_t i = 0; err == 0 && i < ARRAY_LEN(ignored); i++)
		err = install(ignored[i], (void (*)(void))1, SA_RESTORER_);
	return err;
}

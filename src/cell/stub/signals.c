/* SPDX-License-Identifier: Apache-2.0 */
#include "cell/stub/signals.h"

#include "cell/stub/ask.h"
#include "cell/stub/end.h"
#include "cell/stub/patch.h"
#include "cell/stub/x86_64/entry.h"
#include "cell/stub/x86_64/host.h"

#define RED_ZONE     128u
#define UNMASKABLE   (SIG_BIT(SIG_KILL) | SIG_BIT(SIG_STOP))
#define ALT_SIZE_MIN 2048u
#define NR_RESTART   219

/* Where the XSAVE image says how large it is. */
#define XSAVE_MAGIC_AT 464u
#define XSAVE_SIZE_AT  468u
#define XSAVE_MAGIC    0x46505853u
#define FXSAVE_SIZE    512u

bool signals_restart_code(long result)
{
	return result == -RES_RESTARTSYS || result == -RES_RESTARTNOINTR ||
	       result == -RES_RESTARTNOHAND || result == -RES_RESTARTBLOCK;
}

static uint64_t xsave_size(uint64_t fp)
{
	if (!fp)
		return 0;
	if (*(const uint32_t *)(fp + XSAVE_MAGIC_AT) != XSAVE_MAGIC)
		return FXSAVE_SIZE;
	return *(const uint32_t *)(fp + XSAVE_SIZE_AT);
}

static bool on_altstack(const struct area *a, uint64_t sp)
{
	if (a->alt.flags & ALT_AUTODISARM)
		return false;
	return a->alt.size && sp > a->alt.sp && sp - a->alt.sp <= a->alt.size;
}

/*
 * Builds the frame of a handler on the guest's stack and points `c` at the
 * handler.  Returns 0, or -EFAULT if the stack cannot take it.
 */
static int push_frame(struct area *a, struct context *c, int sig,
                      const struct sigorder *o)
{
	uint64_t size = xsave_size(c->fp);
	bool nested = on_altstack(a, c->rsp);
	uint64_t sp = c->rsp - RED_ZONE;
	struct frame f;
	uint64_t fp;

	if ((o->flags & SA_ONSTACK_) && a->alt.size && !nested)
		sp = a->alt.sp + a->alt.size;
	fp = (sp - size) & ~63ULL;
	/* As after a call: 8 below a multiple of 16. */
	sp = ((fp - sizeof(f)) & ~15ULL) - 8;
	if (nested && sp < a->alt.sp)
		return -EFAULT;
	if (!(o->flags & SA_RESTORER_))
		return -EFAULT;

	f.restorer = o->restorer;
	f.context = *c;
	f.context.rip = patch_guest_ip(c->rip);
	f.context.fp = size ? fp : 0;
	f.context.link = 0;
	f.context.stack = a->alt;
	if (!a->alt.size)
		f.context.stack.flags = ALT_DISABLE;
	f.context.oldmask = o->old_mask;
	f.context.mask = o->old_mask;
	__builtin_memcpy(f.info, o->info, sizeof(f.info));
	if (size && guard_copy((void *)fp, (const void *)c->fp, size))
		return -EFAULT;
	if (guard_copy((void *)sp, &f, sizeof(f)))
		return -EFAULT;

	if (a->alt.flags & ALT_AUTODISARM)
		a->alt = (struct altstack){.size = 0};
	atomic_fetch_or(&a->slot->sigmask, o->add_mask & ~UNMASKABLE);
	c->rip = o->handler;
	c->rsp = sp;
	c->rdi = (uint64_t)sig;
	c->rsi = sp + offsetof(struct frame, info);
	c->rdx = sp + offsetof(struct frame, context);
	c->rax = 0;
	c->eflags &= ~(uint64_t)(EFLAGS_DF | EFLAGS_RF | EFLAGS_TF);
	c->cs = CONTEXT_CS;
	c->ss = CONTEXT_SS;
	c->fp = 0; /* handlers begin with a fresh one */
	c->uc_flags &= ~(uint64_t)CONTEXT_XSTATE;
	return 0;
}

/* What becomes of an interrupted call when a handler runs. */
static void settle_call(struct context *c, long nr, uint64_t flags)
{
	long result = (long)c->rax;

	if (result == -RES_RESTARTNOINTR ||
	    (result == -RES_RESTARTSYS && (flags & SA_RESTART_))) {
		c->rax = (uint64_t)nr;
		c->rip -= 2;
	} else {
		c->rax = (uint64_t)-EINTR;
	}
}

/* ... and when none runs. */
static void restart_call(struct context *c, long nr)
{
	bool block = (long)c->rax == -RES_RESTARTBLOCK;

	c->rax = block ? NR_RESTART : (uint64_t)nr;
	c->rip -= 2;
}

/* Could a signal be taken now? */
static bool wanted(const struct area *a)
{
	return atomic_load(&a->slot->attention) != 0;
}

static void look_at_pending(struct area *a)
{
	uint64_t pending = atomic_load(&a->slot->pending);
	uint64_t mask = atomic_load(&a->slot->sigmask);

	if (pending & ~mask)
		atomic_store(&a->slot->attention, 1);
}

void signals_deliver(struct area *a, struct context *c, long nr)
{
	bool interrupted = nr >= 0 && signals_restart_code((long)c->rax);
	bool first = interrupted;
	struct sigorder o;
	long sig;

	while (first || wanted(a)) {
		first = false;
		atomic_store(&a->slot->attention, 0);
		sig = ask_op(a, OP_signal, (uint64_t)nr, nr >= 0 ? c->rax : 0);
		if (sig <= 0)
			break;
		__builtin_memcpy(&o, area_window(a), sizeof(o));
		if (interrupted)
			settle_call(c, nr, o.flags);
		interrupted = false;
		if (push_frame(a, c, (int)sig, &o) < 0)
			end_by_signal(a, SIG_SEGV);
		look_at_pending(a);
	}
	if (interrupted)
		restart_call(c, nr);
}

void signals_return(struct area *a, struct context *c)
{
	struct context g;

	if (guard_copy(&g,
	               (const void *)(c->rsp - 8 +
	                              offsetof(struct frame, context)),
	               sizeof(g)))
		end_by_signal(a, SIG_SEGV);
	atomic_store(&a->slot->sigmask, g.mask & ~UNMASKABLE);
	if (!on_altstack(a, g.rsp)) {
		a->alt = g.stack;
		if (a->alt.flags & ALT_DISABLE)
			a->alt = (struct altstack){.size = 0};
		a->alt.flags &= ALT_AUTODISARM;
	}

	/* The host's own state stays as it is; all else is the guest's. */
	g.stack = c->stack;
	g.mask = c->mask;
	g.uc_flags = (c->uc_flags & ~(uint64_t)CONTEXT_XSTATE) |
	             (g.fp ? CONTEXT_XSTATE : 0);
	g.link = 0;
	g.cs = CONTEXT_CS;
	g.ss = CONTEXT_SS;
	*c = g;
	c->rip = patch_native_ip(c->rip);
	look_at_pending(a);
	signals_deliver(a, c, SIGNALS_NO_CALL);
}

void signals_fault(struct area *a, struct context *c, int sig,
                   const uint8_t info[128])
{
	__builtin_memcpy(area_window(a), info, 128);
	ask_op(a, OP_fault, (uint64_t)sig);
	atomic_store(&a->slot->attention, 1);
	signals_deliver(a, c, SIGNALS_NO_CALL);
}

enum { HOW_BLOCK, HOW_UNBLOCK, HOW_SET };

long signals_mask(struct area *a, const uint64_t arg[6])
{
	uint64_t old = atomic_load(&a->slot->sigmask);
	uint64_t set;

	if (arg[3] != sizeof(set))
		return -EINVAL;
	if (arg[1]) {
		if (guard_copy(&set, (const void *)arg[1], sizeof(set)))
			return -EFAULT;
		switch ((int)arg[0]) {
		case HOW_BLOCK:
			set = old | set;
			break;
		case HOW_UNBLOCK:
			set = old & ~set;
			break;
		case HOW_SET:
			break;
		default:
			return -EINVAL;
		}
		atomic_store(&a->slot->sigmask, set & ~UNMASKABLE);
		look_at_pending(a);
	}
	if (arg[2] && guard_copy((void *)arg[2], &old, sizeof(old)))
		return -EFAULT;
	return 0;
}

long signals_altstack(struct area *a, const uint64_t arg[6], uint64_t sp)
{
	struct altstack old = a->alt;
	struct altstack new;

	if (on_altstack(a, sp))
		old.flags |= ALT_ONSTACK;
	else if (!old.size)
		old.flags = ALT_DISABLE;
	if (arg[0]) {
		int32_t mode;

		if (guard_copy(&new, (const void *)arg[0], sizeof(new)))
			return -EFAULT;
		if (on_altstack(a, sp))
			return -EPERM;
		mode = new.flags & ~ALT_AUTODISARM;
		if (mode != 0 && mode != ALT_ONSTACK && mode != ALT_DISABLE)
			return -EINVAL;
		if (mode == ALT_DISABLE)
			new = (struct altstack){.size = 0};
		else if (new.size < ALT_SIZE_MIN)
			return -ENOMEM;
		new.flags &= ALT_AUTODISARM;
		a->alt = new;
	}
	if (arg[1] && guard_copy((void *)arg[1], &old, sizeof(old)))
		return -EFAULT;
	return 0;
}

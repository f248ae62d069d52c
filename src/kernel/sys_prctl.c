/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prctl(2).  Options that the stub answers by itself do not come here.
 */
#include <linux/prctl.h>
#include <linux/securebits.h>
#include <string.h>

#include "kernel/syscall.h"
#include "kernel/task/cred.h"
#include "kernel/task/process.h"
#include "kernel/task/signal.h"

#define SECUREBITS_ALL   (SECURE_ALL_BITS | SECURE_ALL_LOCKS)
#define DEFAULT_SLACK_NS 50000u

static long get_name(struct task *t, const struct args_prctl *a)
{
	return user_write(t, (uaddr_t){(uint64_t)a->arg2}, t->comm,
	                  sizeof(t->comm));
}

static long set_name(struct task *t, const struct args_prctl *a)
{
	char name[TASK_COMM] = {0};
	long n = user_string(t, (uaddr_t){(uint64_t)a->arg2}, name,
	                     sizeof(name));

	if (n < 0 && n != -ENAMETOOLONG)
		return n;
	name[sizeof(name) - 1] = 0;
	memcpy(t->comm, name, sizeof(name));
	return 0;
}

static long get_pdeath(struct task *t, const struct args_prctl *a)
{
	return user_write(t, (uaddr_t){(uint64_t)a->arg2}, &t->pdeath_signal,
	                  sizeof(t->pdeath_signal));
}

static long set_pdeath(struct task *t, const struct args_prctl *a)
{
	if (a->arg2 < 0 || a->arg2 > SIGNAL_MAX)
		return -EINVAL;
	t->pdeath_signal = (int32_t)a->arg2;
	return 0;
}

static long get_dumpable(struct task *t, const struct args_prctl *a)
{
	(void)a;
	return t->process->dumpable;
}

static long set_dumpable(struct task *t, const struct args_prctl *a)
{
	if (a->arg2 != 0 && a->arg2 != 1)
		return -EINVAL;
	t->process->dumpable = a->arg2;
	return 0;
}

static long set_securebits(struct task *t, uint32_t bits)
{
	struct cred *c = cred_copy(t->cred);

	if (!c)
		return -ENOMEM;
	c->securebits = bits;
	cred_replace(t, c);
	return 0;
}

static long get_keepcaps(struct task *t, const struct args_prctl *a)
{
	(void)a;
	return (t->cred->securebits & SECBIT_KEEP_CAPS) != 0;
}

static long set_keepcaps(struct task *t, const struct args_prctl *a)
{
	uint32_t bits = t->cred->securebits;

	if (a->arg2 != 0 && a->arg2 != 1)
		return -EINVAL;
	if (bits & SECBIT_KEEP_CAPS_LOCKED)
		return -EPERM;
	bits &= ~(uint32_t)SECBIT_KEEP_CAPS;
	return set_securebits(t, bits | (a->arg2 ? SECBIT_KEEP_CAPS : 0));
}

static long get_bits(struct task *t, const struct args_prctl *a)
{
	(void)a;
	return t->cred->securebits;
}

static long set_bits(struct task *t, const struct args_prctl *a)
{
	uint32_t old = t->cred->securebits;
	uint32_t bits = (uint32_t)a->arg2;
	uint32_t locked = old & SECURE_ALL_LOCKS;

	/* A lock stays, and holds the bit before it. */
	if ((a->arg2 & ~(int64_t)SECUREBITS_ALL) || (locked & ~bits) ||
	    (locked >> 1 & (old ^ bits)) ||
	    !cred_capable(t->cred, CRED_CAP_SETPCAP))
		return -EPERM;
	return set_securebits(t, bits);
}

static long read_bounding(struct task *t, const struct args_prctl *a)
{
	if (a->arg2 < 0 || a->arg2 > CRED_CAP_LAST)
		return -EINVAL;
	return t->cred->cap_bounding >> a->arg2 & 1;
}

static long drop_bounding(struct task *t, const struct args_prctl *a)
{
	struct cred *c;

	if (!cred_capable(t->cred, CRED_CAP_SETPCAP))
		return -EPERM;
	if (a->arg2 < 0 || a->arg2 > CRED_CAP_LAST)
		return -EINVAL;
	c = cred_copy(t->cred);
	if (!c)
		return -ENOMEM;
	c->cap_bounding &= ~(1ull << a->arg2);
	cred_replace(t, c);
	return 0;
}

static long ambient(struct task *t, const struct args_prctl *a)
{
	const struct cred *old = t->cred;
	uint64_t bit = 1ull << (a->arg3 & 63);
	struct cred *c;

	if (a->arg4 || a->arg5)
		return -EINVAL;
	if (a->arg2 == PR_CAP_AMBIENT_CLEAR_ALL
	            ? a->arg3 != 0
	            : a->arg3 < 0 || a->arg3 > CRED_CAP_LAST)
		return -EINVAL;
	if (a->arg2 == PR_CAP_AMBIENT_IS_SET)
		return (old->cap_ambient & bit) != 0;
	if (a->arg2 == PR_CAP_AMBIENT_RAISE &&
	    (!(old->cap_permitted & old->cap_inheritable & bit) ||
	     (old->securebits & SECBIT_NO_CAP_AMBIENT_RAISE)))
		return -EPERM;
	c = cred_copy(old);
	if (!c)
		return -ENOMEM;
	switch (a->arg2) {
	case PR_CAP_AMBIENT_RAISE:
		c->cap_ambient |= bit;
		break;
	case PR_CAP_AMBIENT_LOWER:
		c->cap_ambient &= ~bit;
		break;
	case PR_CAP_AMBIENT_CLEAR_ALL:
		c->cap_ambient = 0;
		break;
	default:
		cred_put(c);
		return -EINVAL;
	}
	cred_replace(t, c);
	return 0;
}

static long get_subreaper(struct task *t, const struct args_prctl *a)
{
	int32_t on = t->process->subreaper;

	return user_write(t, (uaddr_t){(uint64_t)a->arg2}, &on, sizeof(on));
}

static long set_subreaper(struct task *t, const struct args_prctl *a)
{
	t->process->subreaper = a->arg2 != 0;
	return 0;
}

static long get_no_new_privs(struct task *t, const struct args_prctl *a)
{
	if (a->arg2 || a->arg3 || a->arg4 || a->arg5)
		return -EINVAL;
	return t->no_new_privs;
}

static long set_no_new_privs(struct task *t, const struct args_prctl *a)
{
	if (a->arg2 != 1 || a->arg3 || a->arg4 || a->arg5)
		return -EINVAL;
	t->no_new_privs = true;
	return 0;
}

static long get_slack(struct task *t, const struct args_prctl *a)
{
	(void)a;
	return t->timer_slack_ns ? t->timer_slack_ns : DEFAULT_SLACK_NS;
}

static long set_slack(struct task *t, const struct args_prctl *a)
{
	t->timer_slack_ns = a->arg2 > 0 ? (uint32_t)MIN(a->arg2, INT32_MAX) : 0;
	return 0;
}

static long get_tid_address(struct task *t, const struct args_prctl *a)
{
	return user_write(t, (uaddr_t){(uint64_t)a->arg2}, &t->clear_tid,
	                  sizeof(t->clear_tid));
}

static long get_thp(struct task *t, const struct args_prctl *a)
{
	(void)t;
	return a->arg2 || a->arg3 || a->arg4 || a->arg5 ? -EINVAL : 0;
}

/* A hint that may be taken or not. */
static long accept_hint(struct task *t, const struct args_prctl *a)
{
	(void)t, (void)a;
	return 0;
}

/* What is not here is -EINVAL, as in a Linux built without it. */
static const struct {
	int option;
	long (*run)(struct task *t, const struct args_prctl *a);
} table[] = {
	{PR_SET_PDEATHSIG, set_pdeath},
	{PR_GET_PDEATHSIG, get_pdeath},
	{PR_GET_DUMPABLE, get_dumpable},
	{PR_SET_DUMPABLE, set_dumpable},
	{PR_GET_KEEPCAPS, get_keepcaps},
	{PR_SET_KEEPCAPS, set_keepcaps},
	{PR_GET_TIMING, accept_hint}, /* PR_TIMING_STATISTICAL */
	{PR_SET_NAME, set_name},
	{PR_GET_NAME, get_name},
	{PR_CAPBSET_READ, read_bounding},
	{PR_CAPBSET_DROP, drop_bounding},
	{PR_GET_SECUREBITS, get_bits},
	{PR_SET_SECUREBITS, set_bits},
	{PR_SET_TIMERSLACK, set_slack},
	{PR_GET_TIMERSLACK, get_slack},
	{PR_SET_CHILD_SUBREAPER, set_subreaper},
	{PR_GET_CHILD_SUBREAPER, get_subreaper},
	{PR_SET_NO_NEW_PRIVS, set_no_new_privs},
	{PR_GET_NO_NEW_PRIVS, get_no_new_privs},
	{PR_GET_TID_ADDRESS, get_tid_address},
	{PR_SET_THP_DISABLE, accept_hint},
	{PR_GET_THP_DISABLE, get_thp},
	{PR_CAP_AMBIENT, ambient},
};

long sys_prctl(struct task *t, const struct args_prctl *a)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].option == a->option)
			return table[i].run(t, a);
	return -EINVAL;
}

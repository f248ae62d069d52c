/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/sigio.h"

#include <linux/fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/watcher.h"
#include "kernel/task/cred.h"
#include "kernel/task/signal.h"

struct sigio {
	struct watcher watcher;
	struct file *file;
	int32_t fd; /* by which it was turned on */
};

/* What signals say, and the bits of poll(2) that go with it. */
static const struct reason {
	uint32_t events, of; /* and what the file must be open for */
	int32_t code;
	int64_t band;
} reasons[] = {
	{POLLPRI, FILE_READ, POLL_PRI, POLLPRI | POLLRDBAND},
	{POLLIN | POLLRDNORM | POLLHUP, FILE_READ, POLL_IN,
         POLLIN | POLLRDNORM},
	{POLLOUT | POLLWRNORM, FILE_WRITE, POLL_OUT,
         POLLOUT | POLLWRNORM | POLLWRBAND},
	{POLLERR, FILE_READ | FILE_WRITE, POLL_OUT,
         POLLOUT | POLLWRNORM | POLLWRBAND},
};

static bool may_send(const struct file *f, const struct process *p)
{
	const struct cred *c = process_cred(p);

	return c && (f->owner_euid == 0 || f->owner_euid == c->uid ||
	             f->owner_euid == c->suid || f->owner_uid == c->uid ||
	             f->owner_uid == c->suid);
}

static void send_to(const struct file *f, struct process *p,
                    const abi_siginfo *info)
{
	abi_siginfo plain = signal_info_kernel(SIGIO);

	/* A queue that is full still holds the one that does not queue. */
	if (may_send(f, p) && signal_send_process(p, info) == -EAGAIN)
		(void)signal_send_process(p, &plain);
}

static void send_to_task(const struct file *f, struct task *t,
                         const abi_siginfo *info)
{
	abi_siginfo plain = signal_info_kernel(SIGIO);

	if (may_send(f, t->process) &&
	    signal_send_task(t, info, false) == -EAGAIN)
		(void)signal_send_task(t, &plain, false);
}

static void send(const struct file *f, const abi_siginfo *info)
{
	struct kernel *k = f->kernel;
	struct process *p = NULL;
	struct task *t = NULL;
	struct pgrp *g = NULL;

	if (f->owner < 0)
		g = process_group_find(k, -f->owner);
	else if (f->owner_is_task)
		t = task_find(k, f->owner);
	else if (f->owner > 0)
		p = process_find(k, f->owner);
	if (t)
		send_to_task(f, t, info);
	if (p)
		send_to(f, p, info);
	if (!g)
		return;
	list_for_each (at, &g->processes)
		send_to(f, list_entry(at, struct process, in_pgrp), info);
}

static void news(struct watcher *w, struct waiter *place, uint32_t events)
{
	const struct sigio *s = container_of(w, struct sigio, watcher);
	const struct file *f = s->file;
	abi_siginfo info;

	(void)place;
	for (size_t n = 0; n < ARRAY_LEN(reasons); n++) {
		const struct reason *r = &reasons[n];

		if (!(events & r->events) || !(f->mode & r->of))
			continue;
		info = signal_info_kernel(SIGIO);
		if (f->owner_signal) {
			info.signo = f->owner_signal;
			info.code = r->code;
			info.band = r->band;
			info.fd = s->fd;
		}
		send(f, &info);
		return;
	}
}

static bool can(const struct file *f)
{
	return f->ops->poll && f->inode &&
	       (inode_is(f->inode, S_IFSOCK) || inode_is(f->inode, S_IFIFO) ||
	        inode_is(f->inode, S_IFCHR));
}

long sigio_set(struct file *f, struct task *t, int32_t fd, bool on)
{
	struct sigio *s;
	int err;

	if (!on) {
		sigio_file_gone(f);
		f->flags &= ~(uint32_t)FASYNC;
		return 0;
	}
	if (can(f) && !f->sigio) {
		s = limits_alloc(f->kernel, sizeof(*s));
		if (!s)
			return -ENOMEM;
		s->watcher.news = news;
		s->file = f;
		s->fd = fd;
		err = watcher_start(&s->watcher, f, t);
		if (err < 0) {
			limits_free(f->kernel, s, sizeof(*s));
			return err;
		}
		f->sigio = s;
	}
	f->flags |= FASYNC;
	return 0;
}

long sigio_own(struct file *f, const struct task *t, int32_t who, bool is_task)
{
	if (who == INT32_MIN)
		return -EINVAL;
	if (who > 0 && !(is_task ? (void *)task_find(t->kernel, who)
	                         : (void *)process_find(t->kernel, who)))
		return -ESRCH;
	if (who < 0 && !process_group_find(t->kernel, -who))
		return -ESRCH;
	f->owner = who;
	f->owner_is_task = is_task;
	f->owner_uid = t->cred->uid;
	f->owner_euid = t->cred->euid;
	return 0;
}

void sigio_urgent(const struct file *f)
{
	abi_siginfo info = signal_info_kernel(SIGURG);

	send(f, &info);
}

void sigio_file_gone(struct file *f)
{
	struct sigio *s = f->sigio;

	if (!s)
		return;
	f->sigio = NULL;
	watcher_stop(&s->watcher);
	limits_free(f->kernel, s, sizeof(*s));
}

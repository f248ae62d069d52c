/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/ipc/shm.h"

#include <linux/ipc.h>
#include <stdio.h>
#include <time.h>

#include "kernel/core/limits.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/task/process.h"

struct attached {
	struct list link;        /* in sysv.attached */
	struct process *process; /* borrowed: it calls shm_process_gone() */
	struct shm_segment *segment;
	uint64_t addr;
};

void shm_discard(struct kernel *k, struct shm_segment *s)
{
	file_put(s->file);
	limits_free(k, s, sizeof(*s));
}

static void drop(struct attached *a, struct kernel *k)
{
	list_del(&a->link);
	limits_free(k, a, sizeof(*a));
}

static void destroy(struct kernel *k, struct sysv_object *o)
{
	struct shm_segment *s = container_of(o, struct shm_segment, object);

	list_for_each_safe (at, &k->sysv->attached) {
		struct attached *a = list_entry(at, struct attached, link);

		if (a->segment == s)
			drop(a, k);
	}
	sysv_leave(&k->sysv->shm, o);
	shm_discard(k, s);
}

int shm_create(struct task *t, uint64_t size, struct shm_segment **out)
{
	struct shm_segment *s = limits_alloc(t->kernel, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	err = tmpfs_shared(t->kernel, "SYSV", round_up(size, 4096), &s->file);
	if (err < 0) {
		limits_free(t->kernel, s, sizeof(*s));
		return err;
	}
	s->object.destroy = destroy;
	s->size = size;
	s->ctime = time(NULL);
	s->creator = t->process->pid;
	*out = s;
	return 0;
}

void shm_remove(struct kernel *k, struct shm_segment *s)
{
	s->object.key = IPC_PRIVATE;
	s->object.mode |= SHM_MODE_DEST;
	if (s->attached == 0)
		destroy(k, &s->object);
}

int shm_attach(struct process *p, struct shm_segment *s, uint64_t addr)
{
	struct kernel *k = p->kernel;
	struct attached *a = limits_alloc(k, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->process = p;
	a->segment = s;
	a->addr = addr;
	list_add_tail(&k->sysv->attached, &a->link);
	s->attached++;
	s->atime = time(NULL);
	s->last = p->pid;
	return 0;
}

static void let_go(struct attached *a)
{
	struct kernel *k = a->process->kernel;
	struct shm_segment *s = a->segment;

	s->attached--;
	s->dtime = time(NULL);
	s->last = a->process->pid;
	drop(a, k);
	if (s->attached == 0 && (s->object.mode & SHM_MODE_DEST))
		destroy(k, &s->object);
}

long shm_detach(struct process *p, uint64_t addr)
{
	if (!p->kernel->sysv)
		return -EINVAL;
	list_for_each (at, &p->kernel->sysv->attached) {
		struct attached *a = list_entry(at, struct attached, link);
		long size;

		if (a->process != p || a->addr != addr)
			continue;
		size = (long)round_up(a->segment->size, 4096);
		let_go(a);
		return size;
	}
	return -EINVAL;
}

void shm_inherit(struct process *child, struct process *parent)
{
	struct sysv *w = parent->kernel->sysv;
	struct list *last;

	if (!w)
		return;
	/* What is added goes behind where the walk ends. */
	last = w->attached.prev;
	for (struct list *at = &w->attached; at != last;) {
		struct attached *a;

		at = at->next;
		a = list_entry(at, struct attached, link);
		if (a->process == parent &&
		    shm_attach(child, a->segment, a->addr) < 0)
			return;
	}
}

void shm_process_gone(struct process *p)
{
	struct sysv *w = p->kernel->sysv;

	if (!w)
		return;
	list_for_each_safe (at, &w->attached) {
		struct attached *a = list_entry(at, struct attached, link);

		if (a->process == p)
			let_go(a);
	}
}

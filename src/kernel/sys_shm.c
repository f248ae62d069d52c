/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shmget(2), shmctl(2); shmat(2) and shmdt(2) as the stub asks for them, which
 * has mapped the segment already (OP_shm) or is going to unmap it.
 */
#include <linux/shm.h>
#include <time.h>

#include "kernel/ipc/shm.h"
#include "kernel/syscall.h"
#include "kernel/task/process.h"

#define READ  0444u
#define WRITE 0222u
#define PAGE  4096u

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif

static struct shm_segment *segment_of(struct sysv_object *o)
{
	return container_of(o, struct shm_segment, object);
}

long sys_shmget(struct task *t, const struct args_shmget *a)
{
	struct sysv *w = sysv_world(t->kernel);
	uint32_t flags = (uint32_t)a->flags;
	struct shm_segment *s;
	struct sysv_object *o;
	long err;

	if (!w)
		return -ENOMEM;
	err = sysv_get(t, &w->shm, a->key, flags, &o);
	if (err < 0)
		return err;
	if (err > 0)
		return a->size > segment_of(o)->size ? -EINVAL : o->id;
	if (a->size == 0 || a->size > (uint64_t)INT64_MAX - PAGE)
		return -EINVAL;
	err = shm_create(t, a->size, &s);
	if (err < 0)
		return err;
	err = sysv_enter(t, &w->shm, &s->object, a->key, flags);
	if (err < 0)
		shm_discard(t->kernel, s);
	return err;
}

long sys_shmat(struct task *t, const struct args_shmat *a)
{
	struct sysv *w = sysv_world(t->kernel);
	struct sysv_object *o = w ? sysv_find(&w->shm, a->id) : NULL;
	int err;

	if (!o || a->addr.raw > (uint64_t)INT64_MAX)
		return -EINVAL;
	err = sysv_access(t, o, a->flags & SHM_RDONLY ? READ : READ | WRITE);
	if (err == 0)
		err = shm_attach(t->process, segment_of(o), a->addr.raw);
	return err < 0 ? err : (long)a->addr.raw;
}

long sys_shmdt(struct task *t, const struct args_shmdt *a)
{
	return shm_detach(t->process, a->addr.raw);
}

static long give_stat(struct task *t, struct shm_segment *s, uaddr_t to)
{
	struct shmid64_ds ds = {
		.shm_segsz = s->size,
		.shm_atime = s->atime,
		.shm_dtime = s->dtime,
		.shm_ctime = s->ctime,
		.shm_cpid = s->creator,
		.shm_lpid = s->last,
		.shm_nattch = s->attached,
	};

	sysv_perm(&s->object, &ds.shm_perm);
	return user_write(t, to, &ds, sizeof(ds));
}

/* The highest place in use, and what all segments come to. */
static long survey(const struct sysv_table *st, uint64_t *pages)
{
	long highest = 0;

	*pages = 0;
	for (uint32_t i = 0; i < st->room; i++) {
		if (!st->place[i])
			continue;
		highest = i;
		*pages += (segment_of(st->place[i])->size + PAGE - 1) / PAGE;
	}
	return highest;
}

static long give_info(struct task *t, uaddr_t to, bool used)
{
	const struct sysv_table *st = &t->kernel->sysv->shm;
	struct shminfo64 limits = {
		.shmmax = INT64_MAX,
		.shmmin = 1,
		.shmmni = SYSV_PLACES,
		.shmseg = SYSV_PLACES,
		.shmall = INT64_MAX / PAGE,
	};
	struct shm_info info = {.used_ids = (int32_t)st->count};
	uint64_t pages;
	long highest = survey(st, &pages);
	int err;

	info.shm_tot = info.shm_rss = pages;
	if (used)
		err = user_write(t, to, &info, sizeof(info));
	else
		err = user_write(t, to, &limits, sizeof(limits));
	return err < 0 ? err : highest;
}

static long change(struct task *t, struct shm_segment *s,
                   const struct args_shmctl *a)
{
	struct shmid64_ds ds;
	int err;

	if (a->cmd == IPC_SET && user_read(t, a->buf, &ds, sizeof(ds)) < 0)
		return -EFAULT;
	err = sysv_owns(t, &s->object);
	if (err < 0)
		return err;
	switch (a->cmd) {
	case IPC_RMID:
		shm_remove(t->kernel, s);
		break;
	case IPC_SET:
		sysv_set_perm(&s->object, &ds.shm_perm);
		s->ctime = time(NULL);
		break;
	case SHM_LOCK:
		s->object.mode |= SHM_MODE_LOCKED;
		break;
	default:
		s->object.mode &= ~SHM_MODE_LOCKED;
		break;
	}
	return 0;
}

static long with_segment(struct task *t, struct shm_segment *s,
                         const struct args_shmctl *a)
{
	long err = 0;

	switch (a->cmd) {
	case IPC_RMID:
	case IPC_SET:
	case SHM_LOCK:
	case SHM_UNLOCK:
		return change(t, s, a);
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY:
		if (a->cmd != SHM_STAT_ANY)
			err = sysv_access(t, &s->object, READ);
		if (err == 0)
			err = give_stat(t, s, a->buf);
		if (err == 0 && a->cmd != IPC_STAT)
			err = s->object.id;
		return err;
	default:
		return -EINVAL;
	}
}

long sys_shmctl(struct task *t, const struct args_shmctl *a)
{
	struct sysv *w = sysv_world(t->kernel);
	struct sysv_object *o;

	if (!w)
		return -ENOMEM;
	if (a->id < 0 || a->cmd < 0)
		return -EINVAL;
	if (a->cmd == IPC_INFO || a->cmd == SHM_INFO)
		return give_info(t, a->buf, a->cmd == SHM_INFO);
	o = sysv_named(&w->shm, a->id,
	               a->cmd == SHM_STAT || a->cmd == SHM_STAT_ANY);
	return o ? with_segment(t, segment_of(o), a) : -EINVAL;
}

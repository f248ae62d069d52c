/* SPDX-License-Identifier: Apache-2.0 */
/* semget(2), semop(2), semctl(2). */
#include <linux/sem.h>
#include <string.h>
#include <time.h>

#include "kernel/core/limits.h"
#include "kernel/ipc/sem.h"
#include "kernel/syscall.h"
#include "kernel/task/process.h"
#include "kernel/task/timeout.h"

#define FEW_OPS 8
#define READ    0444u
#define WRITE   0222u

#ifndef SEM_STAT_ANY
#define SEM_STAT_ANY 20
#endif

static struct sem_set *set_of(struct sysv_object *o)
{
	return container_of(o, struct sem_set, object);
}

static struct sem_set *find(struct task *t, int32_t id)
{
	struct sysv *w = sysv_world(t->kernel);
	struct sysv_object *o = w ? sysv_find(&w->sem, id) : NULL;

	return o ? set_of(o) : NULL;
}

long sys_semget(struct task *t, const struct args_semget *a)
{
	struct sysv *w = sysv_world(t->kernel);
	uint32_t flags = (uint32_t)a->flags;
	struct sysv_object *o;
	struct sem_set *s;
	long err;

	if (!w)
		return -ENOMEM;
	if (a->count < 0 || (uint32_t)a->count > SEM_SET_MAX)
		return -EINVAL;
	err = sysv_get(t, &w->sem, a->key, flags, &o);
	if (err < 0)
		return err;
	if (err > 0)
		return (uint32_t)a->count > set_of(o)->count ? -EINVAL : o->id;
	if (a->count == 0)
		return -EINVAL;
	s = sem_create(t->kernel, (uint32_t)a->count);
	if (!s)
		return -ENOMEM;
	err = sysv_enter(t, &w->sem, &s->object, a->key, flags);
	if (err < 0)
		limits_free(t->kernel, s,
		            sizeof(*s) + s->count * sizeof(s->sem[0]));
	return err;
}

/* What the operations want: to change something, or only to look. */
static uint32_t wanted(const struct sembuf *ops, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (ops[i].sem_op != 0)
			return WRITE;
	return READ;
}

static long run_ops(struct task *t, int32_t id, const struct sembuf *ops,
                    size_t count)
{
	struct sem_set *s = find(t, id);
	const struct sembuf *blocker = NULL;
	long err;

	if (!s)
		return t->first_run ? -EINVAL : -EIDRM;
	for (size_t i = 0; i < count; i++)
		if (ops[i].sem_num >= s->count)
			return -EFBIG;
	err = sysv_access(t, &s->object, wanted(ops, count));
	if (err < 0)
		return err;
	err = sem_operate(t, s, ops, count, &blocker);
	if (err != -EAGAIN || (blocker->sem_flg & IPC_NOWAIT) || t->timed_out)
		return err;
	sem_wait(t, s, blocker);
	err = task_sleep(t);
	return err == -ERESTARTSYS ? -EINTR : err;
}

static long do_semop(struct task *t, int32_t id, uaddr_t at, uint64_t count)
{
	struct sembuf few[FEW_OPS];
	struct sembuf *ops = few;
	size_t size;
	long n;

	if (count < 1 || id < 0)
		return -EINVAL;
	if (count > SEM_OPS_MAX)
		return -E2BIG;
	size = (size_t)count * sizeof(*ops);
	if (count > FEW_OPS) {
		ops = limits_alloc(t->kernel, size);
		if (!ops)
			return -ENOMEM;
	}
	n = user_read(t, at, ops, size);
	if (n == 0)
		n = run_ops(t, id, ops, (size_t)count);
	if (ops != few)
		limits_free(t->kernel, ops, size);
	return n;
}

long sys_semop(struct task *t, const struct args_semop *a)
{
	return do_semop(t, a->id, a->ops, a->count);
}

long sys_semtimedop(struct task *t, const struct args_semtimedop *a)
{
	abi_timespec ts;

	if (a->timeout.raw == 0)
		return do_semop(t, a->id, a->ops, a->count);
	if (user_read(t, a->timeout, &ts, sizeof(ts)) < 0)
		return -EFAULT;
	if (timeout_check(&ts) < 0)
		return -EINVAL;
	if (!timeout_start(t, &ts))
		t->timed_out = true;
	return do_semop(t, a->id, a->ops, a->count);
}

static long give_stat(struct task *t, struct sem_set *s, uaddr_t to)
{
	struct semid64_ds ds = {
		.sem_otime = s->otime,
		.sem_ctime = s->ctime,
		.sem_nsems = s->count,
	};

	sysv_perm(&s->object, &ds.sem_perm);
	return user_write(t, to, &ds, sizeof(ds));
}

static long give_info(struct task *t, uaddr_t to, bool used)
{
	const struct sysv *w = t->kernel->sysv;
	struct seminfo info = {
		.semmap = 1024000000,
		.semmni = (int32_t)SYSV_PLACES,
		.semmns = 1024000000,
		.semmnu = 1024000000,
		.semmsl = (int32_t)SEM_SET_MAX,
		.semopm = (int32_t)SEM_OPS_MAX,
		.semume = (int32_t)SEM_OPS_MAX,
		.semusz = used ? (int32_t)w->sem.count : 20,
		.semvmx = SEM_VALUE_MAX,
		.semaem = SEM_VALUE_MAX,
	};
	long highest = 0;

	for (uint32_t i = 0; i < w->sem.room; i++) {
		if (!w->sem.place[i])
			continue;
		highest = i;
		if (used)
			info.semaem = (int32_t)set_of(w->sem.place[i])->count;
	}
	return user_write(t, to, &info, sizeof(info)) < 0 ? -EFAULT : highest;
}

static long all_values(struct task *t, struct sem_set *s, uaddr_t at, bool set)
{
	size_t size = s->count * sizeof(uint16_t);
	uint16_t *v = limits_alloc(t->kernel, size);
	long err = 0;

	if (!v)
		return -ENOMEM;
	if (set)
		err = user_read(t, at, v, size);
	for (uint32_t i = 0; i < s->count && err == 0; i++) {
		if (!set)
			v[i] = (uint16_t)s->sem[i].value;
		else if (v[i] > SEM_VALUE_MAX)
			err = -ERANGE;
	}
	for (uint32_t i = 0; i < s->count && err == 0 && set; i++)
		sem_set_value(t, s, i, v[i]);
	if (!set && err == 0)
		err = user_write(t, at, v, size);
	limits_free(t->kernel, v, size);
	return err;
}

static long change(struct task *t, struct sem_set *s,
                   const struct args_semctl *a)
{
	struct semid64_ds ds;
	int err;

	if (a->cmd == IPC_SET && user_read(t, a->arg, &ds, sizeof(ds)) < 0)
		return -EFAULT;
	err = sysv_owns(t, &s->object);
	if (err < 0)
		return err;
	if (a->cmd == IPC_RMID) {
		sem_set_destroy(t->kernel, s);
		return 0;
	}
	sysv_set_perm(&s->object, &ds.sem_perm);
	s->ctime = time(NULL);
	return 0;
}

static long one_semaphore(struct task *t, struct sem_set *s,
                          const struct args_semctl *a)
{
	int32_t value = (int32_t)a->arg.raw;
	uint32_t n = (uint32_t)a->num;

	if (a->num < 0 || n >= s->count)
		return -EINVAL;
	switch (a->cmd) {
	case GETVAL:
		return s->sem[n].value;
	case GETPID:
		return s->sem[n].pid;
	case GETNCNT:
		return sem_waiters(s, n, false);
	case GETZCNT:
		return sem_waiters(s, n, true);
	default:
		if (value < 0 || value > SEM_VALUE_MAX)
			return -ERANGE;
		sem_set_value(t, s, n, value);
		return 0;
	}
}

static long with_set(struct task *t, struct sem_set *s,
                     const struct args_semctl *a)
{
	bool writes = a->cmd == SETVAL || a->cmd == SETALL;
	int err = 0;

	if (a->cmd == IPC_RMID || a->cmd == IPC_SET)
		return change(t, s, a);
	if (a->cmd != SEM_STAT_ANY)
		err = sysv_access(t, &s->object, writes ? WRITE : READ);
	if (err < 0)
		return err;
	switch (a->cmd) {
	case IPC_STAT:
		return give_stat(t, s, a->arg);
	case SEM_STAT:
	case SEM_STAT_ANY:
		err = (int)give_stat(t, s, a->arg);
		return err < 0 ? err : s->object.id;
	case GETALL:
	case SETALL:
		return all_values(t, s, a->arg, writes);
	case GETVAL:
	case GETPID:
	case GETNCNT:
	case GETZCNT:
	case SETVAL:
		return one_semaphore(t, s, a);
	default:
		return -EINVAL;
	}
}

long sys_semctl(struct task *t, const struct args_semctl *a)
{
	struct sysv *w = sysv_world(t->kernel);
	struct sysv_object *o;

	if (!w)
		return -ENOMEM;
	if (a->id < 0)
		return -EINVAL;
	if (a->cmd == IPC_INFO || a->cmd == SEM_INFO)
		return give_info(t, a->arg, a->cmd == SEM_INFO);
	o = sysv_named(&w->sem, a->id,
	               a->cmd == SEM_STAT || a->cmd == SEM_STAT_ANY);
	return o ? with_set(t, set_of(o), a) : -EINVAL;
}

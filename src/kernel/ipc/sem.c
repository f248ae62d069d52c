/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/ipc/sem.h"

#include <linux/sem.h>
#include <poll.h>
#include <time.h>

#include "kernel/core/limits.h"
#include "kernel/task/process.h"

/* What one process is to undo in one set. */
struct undo {
	struct list link;        /* in sysv.undo */
	struct process *process; /* borrowed: it calls sem_process_gone() */
	struct sem_set *set;
	int32_t adjust[]; /* for each semaphore of the set */
};

static size_t set_size(uint32_t count)
{
	return sizeof(struct sem_set) + count * sizeof(struct sem);
}

static size_t undo_size(const struct sem_set *s)
{
	return sizeof(struct undo) + s->count * sizeof(int32_t);
}

static void destroy(struct kernel *k, struct sysv_object *o)
{
	sem_set_destroy(k, container_of(o, struct sem_set, object));
}

struct sem_set *sem_create(struct kernel *k, uint32_t count)
{
	struct sem_set *s = limits_alloc(k, set_size(count));

	if (!s)
		return NULL;
	waitq_init(&s->wait);
	s->count = count;
	s->ctime = time(NULL);
	s->object.destroy = destroy;
	return s;
}

static void drop_undo(struct undo *u, struct kernel *k)
{
	list_del(&u->link);
	limits_free(k, u, undo_size(u->set));
}

void sem_set_destroy(struct kernel *k, struct sem_set *s)
{
	list_for_each_safe (at, &k->sysv->undo) {
		struct undo *u = list_entry(at, struct undo, link);

		if (u->set == s)
			drop_undo(u, k);
	}
	sysv_leave(&k->sysv->sem, &s->object);
	waitq_fini(&s->wait);
	limits_free(k, s, set_size(s->count));
}

static struct undo *find_undo(const struct process *p, const struct sem_set *s)
{
	list_for_each (at, &p->kernel->sysv->undo) {
		struct undo *u = list_entry(at, struct undo, link);

		if (u->process == p && u->set == s)
			return u;
	}
	return NULL;
}

static struct undo *get_undo(struct process *p, struct sem_set *s)
{
	struct undo *u = find_undo(p, s);

	if (u)
		return u;
	u = limits_alloc(p->kernel, undo_size(s));
	if (!u)
		return NULL;
	u->process = p;
	u->set = s;
	list_add_tail(&p->kernel->sysv->undo, &u->link);
	return u;
}

/* One operation on the value it finds; -EAGAIN: not now. */
static long try_one(struct sem *s, const struct sembuf *op)
{
	int32_t value = s->value + op->sem_op;

	if (op->sem_op == 0)
		return s->value == 0 ? 0 : -EAGAIN;
	if (value < 0)
		return -EAGAIN;
	if (value > SEM_VALUE_MAX)
		return -ERANGE;
	s->value = value;
	return 0;
}

static void take_back(struct sem_set *s, const struct sembuf *ops, size_t count)
{
	while (count-- > 0)
		s->sem[ops[count].sem_num].value -= ops[count].sem_op;
}

static long note_undo(struct task *t, struct sem_set *s,
                      const struct sembuf *ops, size_t count)
{
	struct undo *u = NULL;

	for (size_t i = 0; i < count; i++) {
		if (!(ops[i].sem_flg & SEM_UNDO) || ops[i].sem_op == 0)
			continue;
		if (!u)
			u = get_undo(t->process, s);
		if (!u)
			return -ENOMEM;
		u->adjust[ops[i].sem_num] -= ops[i].sem_op;
	}
	return 0;
}

long sem_operate(struct task *t, struct sem_set *s, const struct sembuf *ops,
                 size_t count, const struct sembuf **blocker)
{
	bool changed = false;
	long err = 0;
	size_t done;

	for (done = 0; done < count && err == 0; done++) {
		if (ops[done].sem_num >= s->count)
			err = -EFBIG;
		else
			err = try_one(&s->sem[ops[done].sem_num], &ops[done]);
		if (err < 0)
			break;
	}
	if (err == 0)
		err = note_undo(t, s, ops, count);
	if (err < 0) {
		if (err == -EAGAIN)
			*blocker = &ops[done];
		take_back(s, ops, done);
		return err;
	}

	/* Nothing below can fail. */
	for (size_t i = 0; i < count; i++) {
		s->sem[ops[i].sem_num].pid = t->process->pid;
		changed |= ops[i].sem_op != 0;
	}
	s->otime = time(NULL);
	if (changed)
		waitq_wake(&s->wait, POLLIN);
	return 0;
}

void sem_set_value(struct task *t, struct sem_set *s, uint32_t n, int32_t value)
{
	list_for_each (at, &t->kernel->sysv->undo) {
		struct undo *u = list_entry(at, struct undo, link);

		if (u->set == s)
			u->adjust[n] = 0;
	}
	s->sem[n].value = value;
	s->sem[n].pid = t->process->pid;
	s->ctime = time(NULL);
	waitq_wake(&s->wait, POLLIN);
}

void sem_wait(struct task *t, struct sem_set *s, const struct sembuf *op)
{
	t->scratch[0] = op->sem_num;
	t->scratch[1] = op->sem_op == 0;
	task_watch(t, &s->wait);
}

int32_t sem_waiters(const struct sem_set *s, uint32_t n, bool zero)
{
	int32_t count = 0;

	list_for_each (at, &s->wait.waiters) {
		struct waiter *w = list_entry(at, struct waiter, link);
		const struct task
			*t = container_of(w, struct task_watch, waiter)->task;

		if (t->scratch[0] == n && t->scratch[1] == zero)
			count++;
	}
	return count;
}

static void apply_undo(const struct undo *u)
{
	struct sem_set *s = u->set;

	for (uint32_t n = 0; n < s->count; n++) {
		int32_t value = s->sem[n].value + u->adjust[n];

		if (u->adjust[n] == 0)
			continue;
		s->sem[n].value = MAX(0, MIN(value, SEM_VALUE_MAX));
		s->sem[n].pid = u->process->pid;
	}
	s->otime = time(NULL);
	waitq_wake(&s->wait, POLLIN);
}

void sem_process_gone(struct process *p)
{
	if (!p->kernel->sysv)
		return;
	list_for_each_safe (at, &p->kernel->sysv->undo) {
		struct undo *u = list_entry(at, struct undo, link);

		if (u->process != p)
			continue;
		apply_undo(u);
		drop_undo(u, p->kernel);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* msgget(2), msgsnd(2), msgrcv(2), msgctl(2). */
#include <linux/msg.h>
#include <time.h>

#include "kernel/core/limits.h"
#include "kernel/ipc/msg.h"
#include "kernel/syscall.h"
#include "kernel/task/cred.h"

#define READ  0444u
#define WRITE 0222u

#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#endif

static struct msg_queue *queue_of(struct sysv_object *o)
{
	return container_of(o, struct msg_queue, object);
}

/* The queue, if the task may do this with it. */
static long find(struct task *t, int32_t id, uint32_t want,
                 struct msg_queue **out)
{
	struct sysv *w = sysv_world(t->kernel);
	struct sysv_object *o = w ? sysv_find(&w->msg, id) : NULL;
	int err;

	if (!o)
		return t->first_run ? -EINVAL : -EIDRM;
	err = sysv_access(t, o, want);
	if (err < 0)
		return err;
	*out = queue_of(o);
	return 0;
}

long sys_msgget(struct task *t, const struct args_msgget *a)
{
	struct sysv *w = sysv_world(t->kernel);
	struct sysv_object *o;
	struct msg_queue *q;
	long err;

	if (!w)
		return -ENOMEM;
	err = sysv_get(t, &w->msg, a->key, (uint32_t)a->flags, &o);
	if (err != 0)
		return err < 0 ? err : o->id;
	q = msg_queue_create(t->kernel);
	if (!q)
		return -ENOMEM;
	err = sysv_enter(t, &w->msg, &q->object, a->key, (uint32_t)a->flags);
	if (err < 0)
		limits_free(t->kernel, q, sizeof(*q));
	return err;
}

static long wait_for(struct task *t, struct waitq *q)
{
	long err;

	task_watch(t, q);
	err = task_sleep(t);
	return err == -ERESTARTSYS ? -ERESTARTNOHAND : err;
}

long sys_msgsnd(struct task *t, const struct args_msgsnd *a)
{
	struct msg_queue *q;
	struct msg *m;
	int64_t type;
	long err;

	if (user_read(t, a->msg, &type, sizeof(type)) < 0)
		return -EFAULT;
	if (a->size > MSG_SIZE_MAX || a->id < 0 || type < 1)
		return -EINVAL;
	err = find(t, a->id, WRITE, &q);
	if (err < 0)
		return err;
	if (!msg_fits(q, (size_t)a->size))
		return a->flags & IPC_NOWAIT ? -EAGAIN
		                             : wait_for(t, &q->write_wait);
	m = msg_create(t->kernel, type, (size_t)a->size);
	if (!m)
		return -ENOMEM;
	if (user_read(t, uaddr_add(a->msg, sizeof(type)), m->data, m->size) <
	    0) {
		msg_destroy(t->kernel, m);
		return -EFAULT;
	}
	msg_send(t, q, m);
	return 0;
}

static long give(struct task *t, const struct msg *m, uaddr_t to, size_t size)
{
	if (user_write(t, to, &m->type, sizeof(m->type)) < 0 ||
	    user_write(t, uaddr_add(to, sizeof(m->type)), m->data, size) < 0)
		return -EFAULT;
	return (long)size;
}

long sys_msgrcv(struct task *t, const struct args_msgrcv *a)
{
	struct msg_queue *q;
	struct msg *m;
	long err;

	if (a->id < 0 || a->size > (uint64_t)INT64_MAX)
		return -EINVAL;
	if (a->flags & MSG_COPY)
		return -ENOSYS; /* as without checkpointing */
	err = find(t, a->id, READ, &q);
	if (err < 0)
		return err;
	m = msg_choose(q, a->type, a->flags & MSG_EXCEPT);
	if (!m)
		return a->flags & IPC_NOWAIT ? -ENOMSG
		                             : wait_for(t, &q->read_wait);
	if (m->size > a->size && !(a->flags & MSG_NOERROR))
		return -E2BIG;
	err = give(t, m, a->msg, MIN(m->size, (size_t)a->size));
	if (err < 0)
		return err;
	msg_receive(t, q, m);
	msg_destroy(t->kernel, m);
	return err;
}

static long give_stat(struct task *t, struct msg_queue *q, uaddr_t to)
{
	struct msqid64_ds ds = {
		.msg_stime = q->stime,
		.msg_rtime = q->rtime,
		.msg_ctime = q->ctime,
		.msg_cbytes = q->bytes,
		.msg_qnum = q->count,
		.msg_qbytes = q->room,
		.msg_lspid = q->sender,
		.msg_lrpid = q->receiver,
	};

	sysv_perm(&q->object, &ds.msg_perm);
	return user_write(t, to, &ds, sizeof(ds));
}

static long give_info(struct task *t, uaddr_t to, bool used)
{
	const struct sysv_table *st = &t->kernel->sysv->msg;
	struct msginfo info = {
		.msgmni = (int32_t)SYSV_PLACES,
		.msgmax = (int32_t)MSG_SIZE_MAX,
		.msgmnb = (int32_t)MSG_QUEUE_MAX,
		.msgssz = 16,
		.msgseg = 0xffff,
		.msgmap = (int32_t)MSG_QUEUE_MAX,
		.msgpool = (int32_t)(SYSV_PLACES * (MSG_QUEUE_MAX / 1024)),
		.msgtql = (int32_t)MSG_QUEUE_MAX,
	};
	uint64_t bytes = 0, count = 0;
	long highest = 0;

	for (uint32_t i = 0; i < st->room; i++) {
		if (!st->place[i])
			continue;
		highest = i;
		bytes += queue_of(st->place[i])->bytes;
		count += queue_of(st->place[i])->count;
	}
	if (used) {
		info.msgpool = (int32_t)st->count;
		info.msgmap = (int32_t)count;
		info.msgtql = (int32_t)bytes;
	}
	return user_write(t, to, &info, sizeof(info)) < 0 ? -EFAULT : highest;
}

static long change(struct task *t, struct msg_queue *q,
                   const struct args_msgctl *a)
{
	struct msqid64_ds ds;
	int err;

	if (a->cmd == IPC_SET && user_read(t, a->buf, &ds, sizeof(ds)) < 0)
		return -EFAULT;
	err = sysv_owns(t, &q->object);
	if (err < 0)
		return err;
	if (a->cmd == IPC_RMID) {
		msg_queue_destroy(t->kernel, q);
		return 0;
	}
	if (ds.msg_qbytes > MSG_QUEUE_MAX &&
	    !cred_capable(t->cred, CRED_CAP_SYS_RESOURCE))
		return -EPERM;
	sysv_set_perm(&q->object, &ds.msg_perm);
	q->room = ds.msg_qbytes;
	q->ctime = time(NULL);
	waitq_wake(&q->write_wait, WAITQ_ANY);
	waitq_wake(&q->read_wait, WAITQ_ANY);
	return 0;
}

static long with_queue(struct task *t, struct msg_queue *q,
                       const struct args_msgctl *a)
{
	long err = 0;

	switch (a->cmd) {
	case IPC_RMID:
	case IPC_SET:
		return change(t, q, a);
	case IPC_STAT:
	case MSG_STAT:
	case MSG_STAT_ANY:
		if (a->cmd != MSG_STAT_ANY)
			err = sysv_access(t, &q->object, READ);
		if (err == 0)
			err = give_stat(t, q, a->buf);
		if (err == 0 && a->cmd != IPC_STAT)
			err = q->object.id;
		return err;
	default:
		return -EINVAL;
	}
}

long sys_msgctl(struct task *t, const struct args_msgctl *a)
{
	struct sysv *w = sysv_world(t->kernel);
	struct sysv_object *o;

	if (!w)
		return -ENOMEM;
	if (a->id < 0 || a->cmd < 0)
		return -EINVAL;
	if (a->cmd == IPC_INFO || a->cmd == MSG_INFO)
		return give_info(t, a->buf, a->cmd == MSG_INFO);
	o = sysv_named(&w->msg, a->id,
	               a->cmd == MSG_STAT || a->cmd == MSG_STAT_ANY);
	return o ? with_queue(t, queue_of(o), a) : -EINVAL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/ipc/mqueue.h"

#include <linux/fcntl.h>
#include <linux/poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/anon.h"
#include "kernel/ipc/sysv.h"
#include "kernel/task/cred.h"
#include "kernel/task/process.h"
#include "kernel/task/signal.h"

#define NAME_ROOM     256
#define NOTIFY_SIGNAL 0 /* SIGEV_SIGNAL */
#define NOTIFY_NONE   1
#define CODE_MESGQ    (-3) /* SI_MESGQ */

struct message {
	struct list link; /* the most urgent first, then the oldest */
	uint32_t priority;
	size_t size;
	uint8_t data[];
};

struct mqueue {
	struct list link; /* in sysv.mqueues; in none without a name */
	struct kernel *kernel;
	struct inode *inode; /* owns a reference */
	uint32_t files;      /* open ones */
	bool named;
	int64_t count_max, size_max;
	int64_t count;
	uint64_t bytes;
	struct list messages;
	struct waitq read_wait, write_wait;
	int32_t notify_pid; /* who wants to be told; 0: nobody */
	abi_sigevent notify;
	char name[NAME_ROOM];
};

struct mqueue *mqueue_find(struct kernel *k, const char *name)
{
	struct sysv *w = sysv_world(k);

	if (!w)
		return NULL;
	list_for_each (at, &w->mqueues) {
		struct mqueue *q = list_entry(at, struct mqueue, link);

		if (strcmp(q->name, name) == 0)
			return q;
	}
	return NULL;
}

static void destroy_message(struct mqueue *q, struct message *m)
{
	list_del(&m->link);
	limits_free(q->kernel, m, sizeof(*m) + m->size);
}

static void put_unused(struct mqueue *q)
{
	if (q->named || q->files > 0)
		return;
	while (!list_empty(&q->messages))
		destroy_message(q,
		                list_first(&q->messages, struct message, link));
	waitq_fini(&q->read_wait);
	waitq_fini(&q->write_wait);
	inode_put(q->inode);
	limits_free(q->kernel, q, sizeof(*q));
}

int mqueue_create(struct task *t, const char *name, uint32_t mode,
                  const struct mqueue_attr *a, struct mqueue **out)
{
	static const struct inode_ops no_ops = {0};
	struct kernel *k = t->kernel;
	struct sysv *w = sysv_world(k);
	struct mqueue *q;

	if (!w)
		return -ENOMEM;
	if (w->mqueue_count >= MQUEUE_NAMES)
		return -ENOSPC;
	q = limits_alloc(k, sizeof(*q));
	if (!q)
		return -ENOMEM;
	q->inode = anon_inode(k, t, &no_ops, S_IFREG | mode);
	if (!q->inode) {
		limits_free(k, q, sizeof(*q));
		return -ENOMEM;
	}
	q->inode->size = 80; /* of the text that reading gives */
	q->kernel = k;
	q->count_max = a->count_max;
	q->size_max = a->size_max;
	list_init(&q->messages);
	waitq_init(&q->read_wait);
	waitq_init(&q->write_wait);
	(void)snprintf(q->name, sizeof(q->name), "%s", name);
	q->named = true;
	list_add_tail(&w->mqueues, &q->link);
	w->mqueue_count++;
	*out = q;
	return 0;
}

void mqueue_unlink(struct mqueue *q)
{
	list_del(&q->link);
	q->kernel->sysv->mqueue_count--;
	q->named = false;
	put_unused(q);
}

void mqueue_fini(struct kernel *k)
{
	struct list *all = &k->sysv->mqueues;

	while (!list_empty(all))
		mqueue_unlink(list_first(all, struct mqueue, link));
}

struct inode *mqueue_inode(struct mqueue *q)
{
	return q->inode;
}

static uint32_t poll(struct file *f, struct poller *p)
{
	struct mqueue *q = f->private;

	poller_watch(p, &q->read_wait);
	poller_watch(p, &q->write_wait);
	return (q->count > 0 ? POLLIN | POLLRDNORM : 0u) |
	       (q->count < q->count_max ? POLLOUT | POLLWRNORM : 0u);
}

/* One line about the queue, as mq_overview(7) shows it. */
static long read_text(struct file *f, struct uio *u, int64_t *pos)
{
	struct mqueue *q = f->private;
	bool set = q->notify_pid != 0;
	char text[81];
	size_t size;

	(void)snprintf(
		text, sizeof(text),
		"QSIZE:%-10lu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n",
		q->bytes, set ? q->notify.notify : 0,
		set && q->notify.notify == NOTIFY_SIGNAL ? q->notify.signo : 0,
		q->notify_pid);
	size = strlen(text);
	if (*pos < 0 || (uint64_t)*pos >= size)
		return 0;
	size = MIN(size - (size_t)*pos, u->left);
	if (uio_put(u, text + *pos, size) < 0)
		return -EFAULT;
	*pos += (int64_t)size;
	return (long)size;
}

/* Closing any of a process's descriptors ends its registration. */
static void flush(struct file *f, struct task *t)
{
	struct mqueue *q = f->private;

	if (t && t->process && q->notify_pid == t->process->pid)
		q->notify_pid = 0;
}

static void release(struct file *f)
{
	struct mqueue *q = f->private;

	q->files--;
	put_unused(q);
}

static const struct file_ops ops = {
	.read = read_text,
	.poll = poll,
	.flush = flush,
	.release = release,
};

int mqueue_open(struct mqueue *q, uint32_t flags, struct file **out)
{
	struct anon_how how = {
		.ops = &ops,
		.private = q,
		.flags = flags & (O_ACCMODE | O_NONBLOCK),
		.label = "mqueue:",
	};
	int err = anon_open_inode(q->kernel, q->inode, &how, out);

	if (err == 0)
		q->files++;
	else
		put_unused(q);
	return err;
}

struct mqueue *mqueue_of(struct file *f)
{
	return f->ops == &ops ? f->private : NULL;
}

void mqueue_attr(const struct mqueue *q, struct mqueue_attr *out)
{
	*out = (struct mqueue_attr){
		.count_max = q->count_max,
		.size_max = q->size_max,
		.count = q->count,
	};
}

/* A message came to an empty queue and nobody waits for it. */
static void tell(struct mqueue *q, struct task *t)
{
	struct process *p = process_find(q->kernel, q->notify_pid);
	abi_siginfo info = {
		.signo = q->notify.signo,
		.code = CODE_MESGQ,
		.pid = t->process->pid,
		.uid = t->cred->uid,
		.value = q->notify.value,
	};

	q->notify_pid = 0;
	if (p && q->notify.notify == NOTIFY_SIGNAL && q->notify.signo > 0)
		(void)signal_send_process(p, &info);
}

static void enter(struct mqueue *q, struct message *m)
{
	struct list *at = &q->messages;

	/* From the end: most have the priority of the one before. */
	while (at->prev != &q->messages &&
	       list_entry(at->prev, struct message, link)->priority <
	               m->priority)
		at = at->prev;
	list_add_tail(at, &m->link);
	q->count++;
	q->bytes += m->size;
}

long mqueue_send(struct mqueue *q, struct task *t, uaddr_t data, size_t size,
                 uint32_t priority)
{
	bool unawaited = q->count == 0 && list_empty(&q->read_wait.waiters);
	struct message *m;

	if (size > (uint64_t)q->size_max)
		return -EMSGSIZE;
	if (q->count >= q->count_max)
		return -EAGAIN;
	m = limits_alloc(q->kernel, sizeof(*m) + size);
	if (!m)
		return -ENOMEM;
	list_init(&m->link);
	m->size = size;
	m->priority = priority;
	if (user_read(t, data, m->data, size) < 0) {
		limits_free(q->kernel, m, sizeof(*m) + size);
		return -EFAULT;
	}
	enter(q, m);
	if (unawaited && q->notify_pid != 0)
		tell(q, t);
	waitq_wake(&q->read_wait, POLLIN | POLLRDNORM);
	return 0;
}

long mqueue_receive(struct mqueue *q, struct task *t, uaddr_t to, size_t room,
                    uint32_t *priority)
{
	struct message *m;
	long size;

	if (room < (uint64_t)q->size_max)
		return -EMSGSIZE;
	if (q->count == 0)
		return -EAGAIN;
	m = list_first(&q->messages, struct message, link);
	if (user_write(t, to, m->data, m->size) < 0)
		return -EFAULT;
	*priority = m->priority;
	size = (long)m->size;
	q->count--;
	q->bytes -= m->size;
	destroy_message(q, m);
	waitq_wake(&q->write_wait, POLLOUT | POLLWRNORM);
	return size;
}

long mqueue_notify(struct mqueue *q, struct task *t, const abi_sigevent *event)
{
	int32_t pid = t->process->pid;

	if (!event) {
		if (q->notify_pid == pid)
			q->notify_pid = 0;
		return 0;
	}
	if (event->notify != NOTIFY_SIGNAL && event->notify != NOTIFY_NONE)
		return -EINVAL;
	if (event->notify == NOTIFY_SIGNAL &&
	    (event->signo < 0 || event->signo > SIGNAL_MAX))
		return -EINVAL;
	if (q->notify_pid != 0 && process_find(q->kernel, q->notify_pid))
		return -EBUSY;
	q->notify_pid = pid;
	q->notify = *event;
	return 0;
}

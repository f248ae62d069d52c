/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/ipc/msg.h"

#include <poll.h>
#include <time.h>

#include "kernel/core/limits.h"
#include "kernel/task/process.h"

static void destroy(struct kernel *k, struct sysv_object *o)
{
	msg_queue_destroy(k, container_of(o, struct msg_queue, object));
}

struct msg_queue *msg_queue_create(struct kernel *k)
{
	struct msg_queue *q = limits_alloc(k, sizeof(*q));

	if (!q)
		return NULL;
	list_init(&q->messages);
	waitq_init(&q->read_wait);
	waitq_init(&q->write_wait);
	q->room = MSG_QUEUE_MAX;
	q->ctime = time(NULL);
	q->object.destroy = destroy;
	return q;
}

void msg_queue_destroy(struct kernel *k, struct msg_queue *q)
{
	while (!list_empty(&q->messages)) {
		struct msg *m = list_first(&q->messages, struct msg, link);

		list_del(&m->link);
		msg_destroy(k, m);
	}
	sysv_leave(&k->sysv->msg, &q->object);
	waitq_fini(&q->read_wait);
	waitq_fini(&q->write_wait);
	limits_free(k, q, sizeof(*q));
}

struct msg *msg_create(struct kernel *k, int64_t type, size_t size)
{
	struct msg *m = limits_alloc(k, sizeof(*m) + size);

	if (!m)
		return NULL;
	list_init(&m->link);
	m->type = type;
	m->size = size;
	return m;
}

void msg_destroy(struct kernel *k, struct msg *m)
{
	if (m)
		limits_free(k, m, sizeof(*m) + m->size);
}

bool msg_fits(const struct msg_queue *q, size_t size)
{
	return size <= q->room - MIN(q->room, q->bytes) && q->count < q->room;
}

void msg_send(struct task *t, struct msg_queue *q, struct msg *m)
{
	list_add_tail(&q->messages, &m->link);
	q->bytes += m->size;
	q->count++;
	q->sender = t->process->pid;
	q->stime = time(NULL);
	waitq_wake(&q->read_wait, POLLIN);
}

struct msg *msg_choose(const struct msg_queue *q, int64_t type, bool except)
{
	struct msg *lowest = NULL;
	/* The most negative type has no counterpart. */
	int64_t most = type == INT64_MIN ? INT64_MAX : -type;

	list_for_each (at, &q->messages) {
		struct msg *m = list_entry(at, struct msg, link);

		if (type == 0 || (type > 0 && (m->type == type) != except))
			return m;
		if (type < 0 && m->type <= most &&
		    (!lowest || m->type < lowest->type))
			lowest = m;
	}
	return lowest;
}

void msg_receive(struct task *t, struct msg_queue *q, struct msg *m)
{
	list_del(&m->link);
	q->bytes -= m->size;
	q->count--;
	q->receiver = t->process->pid;
	q->rtime = time(NULL);
	waitq_wake(&q->write_wait, POLLOUT);
}

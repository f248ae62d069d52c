/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/sockpkt.h"

#include <string.h>

#include "kernel/core/limits.h"
#include "kernel/net/scm.h"

size_t sockpkt_cost(size_t size)
{
	return sizeof(struct sockpkt) + size;
}

struct sockpkt *sockpkt_create(struct kernel *k, size_t size)
{
	struct sockpkt *p;

	if (size > UINT32_MAX || limits_charge(k, sockpkt_cost(size)) < 0)
		return NULL;
	p = malloc(sockpkt_cost(size));
	if (!p) {
		limits_uncharge(k, sockpkt_cost(size));
		return NULL;
	}
	memset(p, 0, offsetof(struct sockpkt, from.bytes));
	list_init(&p->link);
	p->size = (uint32_t)size;
	return p;
}

long sockpkt_take(struct kernel *k, struct uio *u, struct sockpkt **out)
{
	struct sockpkt *p = sockpkt_create(k, u->left);

	if (!p)
		return -ENOMEM;
	if (p->size > 0 && uio_take(u, p->data, p->size) < 0) {
		sockpkt_free(k, p);
		return -EFAULT;
	}
	*out = p;
	return 0;
}

void sockpkt_free(struct kernel *k, struct sockpkt *p)
{
	if (!p)
		return;
	scm_drop(p->files);
	limits_uncharge(k, sockpkt_cost(p->size));
	free(p);
}

void sockpkt_queue_init(struct sockpkts *q)
{
	list_init(&q->list);
	q->used = 0;
	q->count = 0;
}

void sockpkt_queue_fini(struct kernel *k, struct sockpkts *q)
{
	struct sockpkt *p;

	while ((p = sockpkt_first(q))) {
		sockpkt_remove(q, p);
		sockpkt_free(k, p);
	}
}

void sockpkt_push(struct sockpkts *q, struct sockpkt *p)
{
	list_add_tail(&q->list, &p->link);
	q->used += sockpkt_cost(p->size);
	q->count++;
}

struct sockpkt *sockpkt_first(struct sockpkts *q)
{
	if (list_empty(&q->list))
		return NULL;
	return list_first(&q->list, struct sockpkt, link);
}

void sockpkt_remove(struct sockpkts *q, struct sockpkt *p)
{
	list_del(&p->link);
	q->used -= sockpkt_cost(p->size);
	q->count--;
}

long sockpkt_give(const struct sockpkt *p, struct sockmsg *m)
{
	size_t n = MIN((size_t)p->size, m->uio->left);

	if (n > 0 && uio_put(m->uio, p->data, n) < 0)
		return -EFAULT;
	if (n < p->size)
		m->out_flags |= MSG_TRUNC;
	m->name.size = p->from.size;
	memcpy(m->name.bytes, p->from.bytes, p->from.size);
	return (m->flags & MSG_TRUNC) ? (long)p->size : (long)n;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector marks: a node that is not in flight, or whose file has more
 * references than are in flight, can be reached from a descriptor.  From a
 * reached node the bundles queued there can be received, so the sockets in
 * them are reached as well; and so are those in its backlog.  What is in
 * flight and not reached is garbage.
 */
#include "kernel/net/scm.h"

#include "kernel/core/limits.h"
#include "kernel/fs/fd.h"
#include "kernel/net/netstack.h"
#include "kernel/net/socket.h"
#include "kernel/net/unix.h"
#include "kernel/task/cred.h"
#include "kernel/task/process.h"

#define LIMIT_INFLIGHT 16384u
#define RLIMIT_NOFILE  7

struct scm {
	struct kernel *kernel;
	struct list dropped; /* scm_files.link */
	struct soon soon;
	uint32_t inflight;
	bool collect;
	bool settling;
};

static size_t bundle_size(size_t count)
{
	return sizeof(struct scm_files) + count * sizeof(struct file *);
}

/* The collector's view of a file, if it is a unix socket. */
static struct scm_node *node_of(const struct file *f)
{
	struct socket *s = socket_of(f);

	return s && s->family == AF_UNIX ? unix_node(s) : NULL;
}

void scm_node_init(struct scm_node *n, struct socket *s)
{
	*n = (struct scm_node){.socket = s};
	list_init(&n->backlog);
	list_init(&n->in_backlog);
	list_init(&n->queued);
	list_init(&n->todo);
}

void scm_node_fini(struct scm_node *n)
{
	assert(list_empty(&n->queued) && list_empty(&n->backlog));
	assert(n->inflight == 0);
	list_del(&n->in_backlog);
}

void scm_node_enter(struct scm_node *n, struct scm_node *listener)
{
	n->listener = listener;
	list_add_tail(&listener->backlog, &n->in_backlog);
}

void scm_node_leave(struct scm_node *n)
{
	n->listener = NULL;
	list_del(&n->in_backlog);
}

static bool many_in_flight(const struct task *t)
{
	uint64_t limit = LIMIT_INFLIGHT;

	if (!cred_capable(t->cred, CRED_CAP_SYS_RESOURCE) &&
	    !cred_capable(t->cred, CRED_CAP_SYS_ADMIN))
		limit = MIN(limit, t->process->rlimit[RLIMIT_NOFILE].cur);
	return t->kernel->net->scm->inflight > limit;
}

long scm_take(struct task *t, const int32_t fd[], size_t count,
              struct scm_files **out)
{
	struct kernel *k = t->kernel;
	struct scm_files *b;

	if (count > SCM_MAX_FILES)
		return -EINVAL;
	if (many_in_flight(t)) {
		scm_collect_soon(k);
		return -ETOOMANYREFS;
	}
	b = limits_alloc(k, bundle_size(count));
	if (!b)
		return -ENOMEM;
	b->kernel = k;
	list_init(&b->link);
	for (size_t i = 0; i < count; i++) {
		b->file[i] = fd_get_path(t, fd[i]);
		if (!b->file[i])
			goto drop;
		b->count++;
	}
	*out = b;
	return 0;

drop:
	for (size_t i = 0; i < b->count; i++)
		file_put(b->file[i]);
	limits_free(k, b, bundle_size(count));
	return -EBADF;
}

struct scm_files *scm_bundle(struct kernel *k, struct file *const file[],
                             size_t count)
{
	struct scm_files *b = limits_alloc(k, bundle_size(count));

	if (!b)
		return NULL;
	b->kernel = k;
	list_init(&b->link);
	b->count = (uint32_t)count;
	for (size_t i = 0; i < count; i++)
		b->file[i] = file_get(file[i]);
	return b;
}

struct scm_files *scm_copy(const struct scm_files *f)
{
	return scm_bundle(f->kernel, f->file, f->count);
}

void scm_queue(struct scm_files **holder, struct scm_node *at)
{
	struct scm_files *b = *holder;
	struct scm *c = b->kernel->net->scm;

	b->holder = holder;
	b->at = at;
	list_add_tail(&at->queued, &b->link);
	for (size_t i = 0; i < b->count; i++) {
		struct scm_node *n = node_of(b->file[i]);

		if (!n)
			continue;
		c->inflight++;
		n->inflight++;
	}
}

void scm_unqueue(struct scm_files *b)
{
	struct scm *c = b->kernel->net->scm;

	if (!b->at)
		return;
	b->at = NULL;
	list_del(&b->link);
	for (size_t i = 0; i < b->count; i++) {
		struct scm_node *n = node_of(b->file[i]);

		if (!n)
			continue;
		c->inflight--;
		n->inflight--;
	}
}

void scm_drop(struct scm_files *b)
{
	struct scm *c;

	if (!b)
		return;
	scm_unqueue(b);
	c = b->kernel->net->scm;
	list_add_tail(&c->dropped, &b->link);
	loop_soon(&b->kernel->loop, &c->soon);
}

/* Marks a node, to be followed. */
static void reach(struct scm_node *n, struct list *todo)
{
	if (n->reached)
		return;
	n->reached = true;
	list_add_tail(todo, &n->todo);
}

/* Everything that can be received from `n` is reached. */
static void follow(struct scm_node *n, struct list *todo)
{
	list_for_each (l, &n->queued) {
		struct scm_files *b = list_entry(l, struct scm_files, link);

		for (size_t i = 0; i < b->count; i++) {
			struct scm_node *to = node_of(b->file[i]);

			if (to)
				reach(to, todo);
		}
	}
	list_for_each (l, &n->backlog)
		reach(list_entry(l, struct scm_node, in_backlog), todo);
}

/* Drops all bundles queued at a node. */
static void purge(struct scm_node *n)
{
	while (!list_empty(&n->queued)) {
		struct scm_files *b = list_first(&n->queued, struct scm_files,
		                                 link);

		*b->holder = NULL;
		scm_drop(b);
	}
}

static bool is_root(const struct scm_node *n)
{
	if (n->inflight > 0)
		return n->socket->file && n->socket->file->refs > n->inflight;
	/* An unaccepted connection is what its listener is. */
	return !n->listener;
}

static void collect(struct scm *c)
{
	struct kernel *k = c->kernel;
	struct list todo;

	list_init(&todo);
	list_for_each (l, &k->net->sockets) {
		struct socket *s = list_entry(l, struct socket, in_stack);

		if (s->family == AF_UNIX)
			unix_node(s)->reached = false;
	}
	list_for_each (l, &k->net->sockets) {
		struct socket *s = list_entry(l, struct socket, in_stack);

		if (s->family == AF_UNIX && is_root(unix_node(s)))
			reach(unix_node(s), &todo);
	}
	while (!list_empty(&todo)) {
		struct scm_node *n = list_first(&todo, struct scm_node, todo);

		list_del(&n->todo);
		follow(n, &todo);
	}
	list_for_each (l, &k->net->sockets) {
		struct socket *s = list_entry(l, struct socket, in_stack);

		if (s->family == AF_UNIX && !unix_node(s)->reached)
			purge(unix_node(s));
	}
}

static void settle(struct scm *c)
{
	if (c->settling)
		return;
	c->settling = true;
	for (;;) {
		struct scm_files *b;

		if (list_empty(&c->dropped)) {
			if (!c->collect || c->inflight == 0)
				break;
			c->collect = false;
			collect(c);
			continue;
		}
		b = list_first(&c->dropped, struct scm_files, link);
		list_del(&b->link);
		for (size_t i = 0; i < b->count; i++)
			file_put(b->file[i]);
		limits_free(c->kernel, b, bundle_size(b->count));
	}
	c->collect = false;
	c->settling = false;
}

static void run(struct soon *s)
{
	settle(container_of(s, struct scm, soon));
}

void scm_collect_soon(struct kernel *k)
{
	struct scm *c = k->net->scm;

	if (c->inflight == 0)
		return;
	c->collect = true;
	loop_soon(&k->loop, &c->soon);
}

void scm_settle(struct kernel *k)
{
	k->net->scm->collect = true;
	settle(k->net->scm);
}

uint32_t scm_inflight(const struct kernel *k)
{
	return k->net->scm->inflight;
}

struct scm *scm_create(struct kernel *k)
{
	struct scm *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->kernel = k;
	list_init(&c->dropped);
	list_init(&c->soon.link);
	c->soon.run = run;
	return c;
}

void scm_destroy(struct scm *c)
{
	if (!c)
		return;
	settle(c);
	list_del(&c->soon.link);
	free(c);
}

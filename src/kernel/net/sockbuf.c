/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/sockbuf.h"

#include <string.h>

#include "kernel/core/limits.h"
#include "kernel/net/netstack.h"
#include "kernel/net/scm.h"

struct sockseg {
	struct list link; /* in sockbuf.segs, or in sockbuf_pool.spare */
	uint32_t start;   /* data lies from here ... */
	uint32_t end;     /* ... to here */
	uint32_t room;
	bool has_cred;
	struct sockcred cred;
	struct scm_files *files;
	uint8_t data[];
};

/* Two sizes: what malloc hands out from its cache, and what bulk data wants. */
#define SMALL (1024u - (uint32_t)sizeof(struct sockseg) - 8u)
#define LARGE (65536u - (uint32_t)sizeof(struct sockseg) - 16u)

#define SPARE 32u

struct sockbuf_pool {
	struct list spare; /* large ones, not charged */
	uint32_t count;
};

struct sockbuf_pool *sockbuf_pool_create(void)
{
	struct sockbuf_pool *p = calloc(1, sizeof(*p));

	if (p)
		list_init(&p->spare);
	return p;
}

void sockbuf_pool_destroy(struct sockbuf_pool *p)
{
	if (!p)
		return;
	while (!list_empty(&p->spare)) {
		struct sockseg *g = list_first(&p->spare, struct sockseg, link);

		list_del(&g->link);
		free(g);
	}
	free(p);
}

static struct sockseg *seg_create(struct kernel *k, size_t want)
{
	struct sockbuf_pool *p = k->net->pool;
	uint32_t room = want > SMALL ? LARGE : SMALL;
	struct sockseg *g;

	if (limits_charge(k, sizeof(*g) + room) < 0)
		return NULL;
	if (room == LARGE && p->count > 0) {
		g = list_first(&p->spare, struct sockseg, link);
		list_del(&g->link);
		p->count--;
	} else {
		g = malloc(sizeof(*g) + room);
	}
	if (!g) {
		limits_uncharge(k, sizeof(*g) + room);
		return NULL;
	}
	list_init(&g->link);
	g->start = 0;
	g->end = 0;
	g->room = room;
	g->has_cred = false;
	g->files = NULL;
	return g;
}

static void seg_free(struct kernel *k, struct sockseg *g)
{
	struct sockbuf_pool *p = k->net->pool;

	list_del(&g->link);
	scm_drop(g->files);
	limits_uncharge(k, sizeof(*g) + g->room);
	if (g->room == LARGE && p->count < SPARE) {
		list_add(&p->spare, &g->link);
		p->count++;
	} else {
		free(g);
	}
}

void sockbuf_init(struct sockbuf *b)
{
	list_init(&b->segs);
	b->used = 0;
}

void sockbuf_fini(struct kernel *k, struct sockbuf *b)
{
	while (!list_empty(&b->segs))
		seg_free(k, list_first(&b->segs, struct sockseg, link));
	b->used = 0;
}

static bool same_cred(const struct sockseg *g, const struct sockbuf_tag *tag)
{
	if (!tag)
		return !g->has_cred;
	if (g->has_cred != tag->has_cred)
		return false;
	return !g->has_cred ||
	       memcmp(&g->cred, &tag->cred, sizeof(g->cred)) == 0;
}

/* The last segment, if more bytes of this kind may go into it. */
static struct sockseg *tail(struct sockbuf *b, const struct sockbuf_tag *tag)
{
	struct sockseg *g;

	if (list_empty(&b->segs) || (tag && tag->files))
		return NULL;
	g = list_entry(b->segs.prev, struct sockseg, link);
	if (g->end == g->room || g->files || !same_cred(g, tag))
		return NULL;
	return g;
}

static void attach(struct sockseg *g, struct sockbuf_tag *tag)
{
	if (!tag)
		return;
	g->has_cred = tag->has_cred;
	g->cred = tag->cred;
	g->files = tag->files;
	tag->files = NULL;
	if (g->files)
		scm_queue(&g->files, tag->at);
}

long sockbuf_fill(struct kernel *k, struct sockbuf *b, struct uio *u,
                  size_t max, struct sockbuf_tag *tag)
{
	size_t done = 0;
	int err = 0;

	max = MIN(max, u->left);
	while (done < max) {
		struct sockseg *g = tail(b, tag);
		bool fresh = !g;
		size_t n;

		if (fresh)
			g = seg_create(k, max - done);
		if (!g) {
			err = -ENOMEM;
			break;
		}
		n = MIN(max - done, (size_t)(g->room - g->end));
		err = uio_take(u, g->data + g->end, n);
		if (err < 0) {
			if (fresh)
				seg_free(k, g);
			break;
		}
		if (fresh) {
			attach(g, tag);
			list_add_tail(&b->segs, &g->link);
		}
		g->end += (uint32_t)n;
		b->used += n;
		done += n;
	}
	return done > 0 ? (long)done : err;
}

/* Hands what is attached to `g` to the reader.  False: the read ends here. */
static bool take_tag(struct sockseg *g, bool peek, struct sockbuf_tag *tag)
{
	struct scm_files *files = g->files;

	if (!files)
		return true;
	if (!peek)
		scm_unqueue(files);
	if (!tag || tag->files) {
		if (!peek) {
			g->files = NULL;
			scm_drop(files);
		}
		return false;
	}
	if (peek) {
		tag->files = scm_copy(files);
	} else {
		tag->files = files;
		g->files = NULL;
		files->holder = NULL;
	}
	return false;
}

long sockbuf_drain(struct kernel *k, struct sockbuf *b, struct uio *u,
                   bool peek, struct sockbuf_tag *tag)
{
	struct list *at = b->segs.next;
	size_t done = 0;

	while (at != &b->segs && u->left > 0) {
		struct sockseg *g = list_entry(at, struct sockseg, link);
		size_t n = MIN(u->left, (size_t)(g->end - g->start));
		bool more;

		if (tag && tag->keep_apart && done > 0 && !same_cred(g, tag))
			break;
		if (uio_put(u, g->data + g->start, n) < 0)
			return done > 0 ? (long)done : -EFAULT;
		if (tag && done == 0) {
			tag->has_cred = g->has_cred;
			tag->cred = g->cred;
		}
		done += n;
		more = take_tag(g, peek, tag);
		at = at->next;
		if (!peek) {
			g->start += (uint32_t)n;
			b->used -= n;
			if (g->start == g->end)
				seg_free(k, g);
		}
		if (!more)
			break;
	}
	return (long)done;
}

void sockbuf_skip(struct kernel *k, struct sockbuf *b, size_t size)
{
	assert(size <= b->used);
	b->used -= size;
	while (size > 0) {
		struct sockseg *g = list_first(&b->segs, struct sockseg, link);
		size_t n = MIN(size, (size_t)(g->end - g->start));

		g->start += (uint32_t)n;
		size -= n;
		if (g->start == g->end)
			seg_free(k, g);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/far.h"

#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>

#include "kernel/ops.h"
#include "kernel/syscall.h"

#define FAR_MAX ((size_t)4 << 20) /* bytes held for one call */

/* A run of guest memory: bytes that came, or bytes that are to go. */
struct far_piece {
	struct list link;
	uint64_t addr;
	size_t size;
	size_t done; /* how much of it came or went */
	uint8_t bytes[];
};

struct far {
	struct list reads;
	struct list writes;
	struct far_piece *wanted; /* not in a list yet */
	size_t held;
	struct request req; /* the suspended call */
	long result;        /* its answer, while writes go first */
	enum slot_action action;
	bool fetching;
	bool answering;
};

static uint8_t *window(struct task *t)
{
	return (uint8_t *)t->slot + CHANNEL_DATA;
}

static struct far *far_of(struct task *t)
{
	if (!t->far) {
		t->far = calloc(1, sizeof(*t->far));
		if (t->far) {
			list_init(&t->far->reads);
			list_init(&t->far->writes);
		}
	}
	return t->far;
}

static struct far_piece *piece(struct far *f, uint64_t addr, size_t size)
{
	struct far_piece *p;

	if (size > FAR_MAX - f->held)
		return NULL;
	p = malloc(sizeof(*p) + size);
	if (!p)
		return NULL;
	list_init(&p->link);
	p->addr = addr;
	p->size = size;
	p->done = 0;
	f->held += size;
	return p;
}

static const uint8_t *find(struct far *f, uint64_t from, size_t size)
{
	list_for_each (at, &f->reads) {
		struct far_piece *p = list_entry(at, struct far_piece, link);

		if (from >= p->addr && from - p->addr <= p->size &&
		    size <= p->size - (from - p->addr))
			return p->bytes + (from - p->addr);
	}
	if (!f->wanted)
		f->wanted = piece(f, from, size);
	return NULL;
}

bool far_has(struct task *t, uint64_t from, size_t size)
{
	struct far *f = far_of(t);

	return f && find(f, from, size);
}

int far_read(struct task *t, uint64_t from, void *to, size_t size)
{
	struct far *f = far_of(t);
	const uint8_t *at = f ? find(f, from, size) : NULL;

	if (!at)
		return -EFAULT;
	memcpy(to, at, size);
	return 0;
}

int far_write(struct task *t, uint64_t to, const void *from, size_t size)
{
	struct far *f = far_of(t);
	struct far_piece *p = f ? piece(f, to, size) : NULL;

	if (!p)
		return -EFAULT;
	memcpy(p->bytes, from, size);
	list_add_tail(&f->writes, &p->link);
	return 0;
}

/* Adds a piece of the window to the list the cell works through. */
static void add_out(struct task *t, uint64_t addr, uint32_t off, uint32_t size)
{
	struct slot_out *o = &t->slot->out[t->outs++];

	atomic_store_explicit(&o->addr, addr, memory_order_relaxed);
	atomic_store_explicit(&o->off, off, memory_order_relaxed);
	atomic_store_explicit(&o->size, size, memory_order_relaxed);
}

/* Hands the slot back for an intermediate step. */
static void step(struct task *t, enum slot_action action)
{
	struct slot *s = t->slot;

	t->in_call = false;
	t->state = TASK_RUNNING;
	if (slot_finish(s, (struct slot_answer){0, action, t->outs}))
		syscall(SYS_futex, &s->state, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* What the window holds of the call's arguments moves to our own memory. */
static bool save_stages(struct task *t, struct far *f)
{
	for (size_t i = 0; i < ARRAY_LEN(t->req.stage); i++) {
		uint32_t size = t->req.stage[i].size;
		struct far_piece *p;

		if (size == 0)
			continue;
		p = piece(f, t->req.arg[i], size);
		if (!p)
			return false;
		memcpy(p->bytes, window(t) + t->req.stage[i].off, size);
		list_add_tail(&f->reads, &p->link);
		t->req.stage[i].size = 0;
	}
	return true;
}

static void ask_wanted(struct task *t, struct far *f)
{
	struct far_piece *p = f->wanted;
	size_t size = MIN(p->size - p->done, (size_t)CHANNEL_WINDOW);

	t->outs = 0;
	add_out(t, p->addr + p->done, 0, (uint32_t)size);
	step(t, SLOT_FETCH);
}

bool far_wants(const struct task *t)
{
	return t->far && t->far->wanted;
}

bool far_fetch(struct task *t)
{
	struct far *f = t->far;

	if (!f || !f->wanted || !save_stages(t, f))
		return false;
	f->req = t->req;
	f->fetching = true;
	ask_wanted(t, f);
	return true;
}

/* Fills the window with what is to go; the answer itself if that is all. */
static void write_some(struct task *t, struct far *f)
{
	uint32_t off = 0;

	t->outs = 0;
	while (!list_empty(&f->writes) && t->outs < SLOT_OUTS &&
	       off < CHANNEL_WINDOW) {
		struct far_piece *p = list_first(&f->writes, struct far_piece,
		                                 link);
		size_t size = MIN(p->size - p->done,
		                  (size_t)(CHANNEL_WINDOW - off));

		memcpy(window(t) + off, p->bytes + p->done, size);
		add_out(t, p->addr + p->done, off, (uint32_t)size);
		off += (uint32_t)size;
		p->done += size;
		if (p->done == p->size) {
			list_del(&p->link);
			free(p);
		}
	}
	step(t, SLOT_MORE);
}

bool far_answer(struct task *t, long result, enum slot_action action)
{
	struct far *f = t->far;

	if (!f || f->answering || list_empty(&f->writes))
		return false;
	f->req = t->req;
	f->result = result;
	f->action = action;
	f->answering = true;
	/* What the window holds goes first; it is needed for the rest. */
	step(t, SLOT_MORE);
	return true;
}

/* The cell wrote what we asked for into the window.  True: all is there. */
static bool fetched(struct task *t, struct far *f, const struct request *next)
{
	struct far_piece *p = f->wanted;
	size_t size = MIN(p->size - p->done, (size_t)CHANNEL_WINDOW);

	if (next->arg[0] != 0) {
		/* The guest's memory is not there: next time it is -EFAULT. */
		f->wanted = NULL;
		free(p);
		syscall_answer(t, -EFAULT, SLOT_RETURN);
		return false;
	}
	memcpy(p->bytes + p->done, window(t), size);
	p->done += size;
	if (p->done < p->size) {
		ask_wanted(t, f);
		return false;
	}
	list_add_tail(&f->reads, &p->link);
	f->wanted = NULL;
	return true;
}

bool far_continue(struct task *t, const struct request *next)
{
	struct far *f = t->far;

	if (next->nr != OP_fetched || !(f->fetching || f->answering)) {
		/* Not what we agreed on: whatever it was is over. */
		far_drop(t);
		return true;
	}
	t->req = f->req;
	t->in_call = true;
	if (f->answering) {
		if (!list_empty(&f->writes)) {
			write_some(t, f);
		} else {
			t->outs = 0;
			syscall_answer(t, f->result, f->action);
		}
		return false;
	}
	if (!fetched(t, f, next))
		return false;
	f->fetching = false;
	return true;
}

void far_drop(struct task *t)
{
	struct far *f = t->far;

	if (!f)
		return;
	t->far = NULL;
	list_for_each_safe (at, &f->reads)
		free(list_entry(at, struct far_piece, link));
	list_for_each_safe (at, &f->writes)
		free(list_entry(at, struct far_piece, link));
	free(f->wanted);
	free(f);
}

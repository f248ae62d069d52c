/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/memory.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/visible.h"
#include "kernel/fs/mount.h"
#include "kernel/owner.h"
#include "kernel/task/cellpool.h"

#define LOOK_NS (250ull * 1000000) /* between looks, while guests run */
#define PAGE    4096u

struct memory {
	struct kernel *kernel;
	struct timer timer;
};

/* A cell's statm, held open once the owner has opened it for us. */
struct memory_watch {
	struct owner_request request;
	int fd; /* -1: asked for, or refused */
};

static void answered(struct owner_request *r, int fd)
{
	struct memory_watch *w = container_of(r, struct memory_watch, request);

	if (fd >= 0)
		w->fd = fd;
}

static void ask(struct kernel *k, struct cell *c)
{
	struct memory_watch *w = calloc(1, sizeof(*w));
	int pidfd;

	if (!w)
		return;
	w->fd = -1;
	list_init(&w->request.link);
	w->request.answered = answered;
	c->watch = w;
	pidfd = (int)syscall(SYS_pidfd_open, c->host_pid, 0);
	if (pidfd < 0)
		return;
	(void)!owner_ask_statm(k, pidfd, &w->request);
	close(pidfd);
}

void memory_forget(struct cell *c)
{
	struct memory_watch *w = c->watch;

	if (!w)
		return;
	c->watch = NULL;
	owner_forget(&w->request);
	base_close(&w->fd);
	free(w);
}

int memory_parse(const char *text, uint64_t *pages)
{
	uint64_t size, resident, shared;

	if (sscanf(text, "%lu %lu %lu", &size, &resident, &shared) != 3)
		return -EPROTO;
	*pages = resident > shared ? resident - shared : 0;
	return 0;
}

/* Bytes that only this cell has, or 0 while that is not known. */
static uint64_t own_bytes(struct kernel *k, struct cell *c)
{
	char text[128];
	uint64_t pages;
	ssize_t n;

	if (!c->watch && cellpool_hello(c))
		ask(k, c);
	if (!c->watch || c->watch->fd < 0)
		return 0;
	n = pread(c->watch->fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return memory_parse(text, &pages) == 0 ? pages * PAGE : 0;
}

static void kill_one(struct kernel *k, struct cell *c)
{
	struct task *t = list_first(&c->tasks, struct task, in_cell);
	char name[sizeof(t->comm)];

	memcpy(name, t->comm, sizeof(name));
	visible_line(name);
	if (k->verbose || k->lasts)
		(void)fprintf(stderr,
		              "bento: out of memory: killed process %d (%s)\n",
		              t->process->pid, name);
	process_kill(t->process, SIGKILL);
}

/* The sum, and which cell has the most. */
static uint64_t add_up(struct kernel *k, struct cell **largest)
{
	uint64_t sum = k->limits.memory_used;
	uint64_t most = 0;

	*largest = NULL;
	if (!k->cells)
		return sum;
	list_for_each (at, &k->cells->live) {
		struct cell *c = list_entry(at, struct cell, link);
		uint64_t own;

		if (c->doomed || list_empty(&c->tasks))
			continue;
		own = own_bytes(k, c);
		sum += own;
		if (own > most) {
			most = own;
			*largest = c;
		}
	}
	return sum;
}

uint64_t memory_used(struct kernel *k)
{
	struct cell *largest;

	return add_up(k, &largest);
}

/* File systems whose limits guests can pass behind our back. */
static void look_at_files(struct kernel *k)
{
	for (struct mount *m = mount_next(k, NULL); m; m = mount_next(k, m))
		if (m->sb->ops->look)
			m->sb->ops->look(m->sb);
}

static void look(struct timer *timer)
{
	struct memory *m = container_of(timer, struct memory, timer);
	struct kernel *k = m->kernel;
	struct cell *largest;
	uint64_t sum = add_up(k, &largest);

	if (largest && sum > k->limits.total)
		kill_one(k, largest);
	look_at_files(k);
	/* Guest code may allocate for long without calling us. */
	if (!k->paused && cells_busy(k, 1) > 0)
		memory_active(k);
}

void memory_active(struct kernel *k)
{
	struct memory *m = k->memory;

	if (m && !timer_is_set(&m->timer))
		(void)!timer_set(&k->loop.timers, &m->timer,
		                 timer_now() + LOOK_NS);
}

int memory_create(struct kernel *k)
{
	struct memory *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->kernel = k;
	m->timer.fire = look;
	k->memory = m;
	return 0;
}

void memory_destroy(struct kernel *k)
{
	if (!k->memory)
		return;
	timer_stop(&k->loop.timers, &k->memory->timer);
	free(k->memory);
	k->memory = NULL;
}

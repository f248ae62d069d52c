/* SPDX-License-Identifier: Apache-2.0 */
#include "cell/stub/spawn.h"

#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/sched.h>

#include "cell/stub/ask.h"
#include "cell/stub/x86_64/entry.h"
#include "cell/stub/x86_64/host.h"

#define SIGCHLD_NR 17

void spawn_become_cell(int32_t sock, int32_t bell)
{
	host(SYS_prctl, PR_SET_PDEATHSIG, SIG_KILL);
	host(SYS_dup3, sock, CELL_FD_SOCKET, 0);
	host(SYS_dup3, bell, CELL_FD_BELL, 0);
	host(SYS_close, sock);
	host(SYS_close, bell);
	/* If the kernel died before PDEATHSIG was set, this fails. */
	ask_hello();
}

static uint64_t other_window(const struct process *p)
{
	return p->channel == LAYOUT_CHANNEL ? LAYOUT_CHANNEL + LAYOUT_PARITY
	                                    : LAYOUT_CHANNEL;
}

/* The child's half: becomes a cell of its own with the channel at `window`. */
static void enter_child(struct area *a, uint64_t window, const int32_t fd[3])
{
	struct process *p = area_process();
	uint64_t old = p->channel;

	a->slot = (struct slot *)(window + (uint64_t)a->index * CHANNEL_STRIDE);
	a->leader = true;
	p->channel = window;
	host(SYS_munmap, old, CHANNEL_SIZE);
	area_forget_others(a);
	if (a->vfork_child) {
		/* The table is of the process whose memory this was. */
		for (size_t i = 0; i < ARRAY_LEN(p->lease); i++)
			atomic_store_explicit(&p->lease[i], 0,
			                      memory_order_relaxed);
		a->vfork_child = false;
	}
	a->clear_tid = 0;
	a->robust = 0;
	lock_give(&p->memory);
	ask_unlock_threads(a);
	ask_unlock_socket(a);
	spawn_become_cell(fd[1], fd[2]);
}

/* Maps the child's channel and clones.  Returns as clone(2). */
static long clone_cell(const struct area *a, uint64_t window, int32_t channel)
{
	struct slot *slot;
	long got;

	got = host(SYS_mmap, window, CHANNEL_SIZE, PROT_READ | PROT_WRITE,
	           MAP_SHARED | MAP_FIXED, channel, 0);
	if (got != (long)window)
		return -ENOMEM;
	slot = (struct slot *)(window + (uint64_t)a->index * CHANNEL_STRIDE);
	atomic_store(&slot->sigmask, atomic_load(&a->slot->sigmask));
	got = host(SYS_clone, SPAWN_CELL_FLAGS, 0, 0, &slot->host_tid, 0);
	if (got != 0)
		host(SYS_munmap, window, CHANNEL_SIZE);
	return got;
}

/* Returns the child's pid, 0 in the child, or an errno. */
static long fork_cell(struct area *a, const uint64_t arg[6])
{
	struct process *p = area_process();
	uint64_t window = other_window(p);
	int32_t fd[3] = {-1, -1, -1};
	long pid, got;
	int count;

	ask_lock_socket(a);
	ask_lock_threads(a);
	pid = ask(a, OP_fork, arg);
	if (pid <= 0)
		goto unlock;
	count = ask_receive(fd, 3, false);
	/* Another thread may hold it: the child must not find it so. */
	lock_take(&p->memory);
	got = count == 3 ? clone_cell(a, window, fd[0]) : -ENFILE;
	for (int i = 0; i < count; i++)
		if (got != 0 || i == 0)
			host(SYS_close, fd[i]);
	if (got == 0) {
		enter_child(a, window, fd);
		return 0;
	}
	lock_give(&p->memory);
	if (got < 0) {
		ask_op(a, OP_fork_fail, (uint64_t)pid);
		pid = got;
	}
unlock:
	ask_unlock_threads(a);
	ask_unlock_socket(a);
	return pid;
}

/* Waits until the host thread that last had this slot is gone. */
static void await_free(struct slot *s)
{
	uint32_t tid;

	while ((tid = atomic_load(&s->host_tid)) != 0)
		host(SYS_futex, &s->host_tid, FUTEX_WAIT, tid, 0);
}

static void put_tid(uint64_t addr, long tid)
{
	int32_t id = (int32_t)tid;

	if (guard_copy((void *)addr, &id, sizeof(id)))
		return; /* as Linux: nobody is told */
}

/* Copies the caller's frame to the top of a new area, for its first steps. */
static struct context *first_context(struct area *n, const struct context *c,
                                     uint64_t stack)
{
	const uint32_t *size_at = (const uint32_t *)(c->fp + 468);
	const uint32_t *magic_at = (const uint32_t *)(c->fp + 464);
	uint64_t top = n->stack_top & ~63ULL;
	struct context *first;
	uint64_t size = 0;

	if (c->fp)
		size = *magic_at == 0x46505853 ? *size_at : 512;
	top = (top - 64 - size) & ~63ULL;
	__builtin_memcpy((void *)top, (const void *)c->fp, size);
	first = (struct context *)((top - sizeof(*first)) & ~63ULL);
	*first = *c;
	first->fp = size ? top : 0;
	first->rax = 0;
	first->rcx = c->rip;
	first->r11 = c->eflags;
	if (stack)
		first->rsp = stack;
	first->stack = (struct altstack){
		.sp = (uint64_t)n + AREA_STACK,
		.size = LAYOUT_THREAD_SIZE - AREA_STACK,
	};
	return first;
}

/* Starts the host thread of a prepared thread or vfork child. */
static long start_thread(struct area *a, const struct context *c,
                         const uint64_t arg[6], uint32_t index)
{
	struct process *p = area_process();
	uint64_t flags = arg[0];
	bool thread = flags & CLONE_THREAD;
	uint64_t fs = flags & CLONE_SETTLS ? arg[4] : host_fs();
	uint64_t gs = host_gs();
	const struct context *first;
	struct area *n;
	long got;

	if (index >= CHANNEL_THREADS)
		return -EAGAIN;
	await_free(
		(struct slot *)(p->channel + (uint64_t)index * CHANNEL_STRIDE));
	n = area_make(index, p->channel);
	if (!n)
		return -ENOMEM;
	n->vfork_child = !thread || a->vfork_child;
	if (flags & CLONE_VFORK)
		n->alt = a->alt;
	if (flags & CLONE_CHILD_CLEARTID)
		n->clear_tid = arg[3];
	atomic_store(&n->slot->sigmask, atomic_load(&a->slot->sigmask));
	first = first_context(n, c, arg[1]);
	got = entry_clone(SPAWN_THREAD_FLAGS, (uint64_t)first - 64,
	                  &n->slot->host_tid, fs,
	                  gs == (uint64_t)a ? (uint64_t)n : gs, first);
	return got < 0 ? got : 0;
}

/* A thread, or a process in this memory.  Returns its id or an errno. */
static long share_memory(struct area *a, const struct context *c,
                         const uint64_t arg[6])
{
	uint64_t flags = arg[0];
	bool thread = flags & CLONE_THREAD;
	uint32_t index;
	long id, err;

	ask_lock_threads(a);
	if (thread)
		id = ask(a, OP_thread, arg);
	else
		id = ask_op(a, OP_vfork, flags, flags & CSIGNAL, arg[2]);
	if (id <= 0)
		goto unlock;
	index = (uint32_t)atomic_load(&a->slot->arg[0]);
	/* Both are there before the child can run. */
	if (flags & CLONE_PARENT_SETTID)
		put_tid(arg[2], id);
	if (flags & CLONE_CHILD_SETTID)
		put_tid(arg[3], id);
	err = start_thread(a, c, arg, index);
	if (err < 0) {
		ask_op(a, OP_thread_fail, (uint64_t)id);
		id = err;
	}
unlock:
	ask_unlock_threads(a);
	if (id > 0 && (flags & CLONE_VFORK))
		ask_op(a, OP_vfork_wait, (uint64_t)id);
	return id;
}

long spawn_clone(struct area *a, struct context *c, const uint64_t arg[6])
{
	uint64_t flags = arg[0];
	long pid;

	if ((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND))
		return -EINVAL;
	if ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM))
		return -EINVAL;
	if (flags & CLONE_VM)
		return share_memory(a, c, arg);

	pid = fork_cell(a, (const uint64_t[6]){flags, arg[1], arg[2], arg[3],
	                                       arg[4], flags & CSIGNAL});
	if (pid > 0 && (flags & CLONE_PARENT_SETTID))
		put_tid(arg[2], pid);
	if (pid > 0 && (flags & CLONE_VFORK))
		ask_op(a, OP_vfork_wait, (uint64_t)pid);
	if (pid != 0)
		return pid;

	if (flags & CLONE_CHILD_SETTID)
		put_tid(arg[3], atomic_load(&a->slot->tid));
	if (flags & CLONE_CHILD_CLEARTID)
		a->clear_tid = arg[3];
	if (flags & CLONE_SETTLS)
		host_set_fs(arg[4]);
	if (arg[1])
		c->rsp = arg[1];
	return 0;
}

long spawn_fork(struct area *a, struct context *c)
{
	return spawn_clone(a, c, (const uint64_t[6]){SIGCHLD_NR});
}

long spawn_vfork(struct area *a, struct context *c)
{
	return spawn_clone(
		a, c, (const uint64_t[6]){CLONE_VFORK | CLONE_VM | SIGCHLD_NR});
}

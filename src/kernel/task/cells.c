/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/cells.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#include "base/memfile.h"
#include "kernel/fs/lease.h"
#include "kernel/syscall.h"
#include "kernel/task/cellpool.h"
#include "kernel/task/cred.h"
#include "kernel/task/far.h"
#include "kernel/task/signal.h"

#define LOOK_MAX 32 /* requests of one cell served before others' turn */

int cells_create(struct kernel *k, int exe_fd)
{
	return cellpool_create(k, exe_fd, &k->cells);
}

void cells_destroy(struct kernel *k)
{
	cellpool_destroy(k->cells);
	k->cells = NULL;
}

/* Guest memory. */

/*
 * Which host thread to reach the memory through.  Any thread of the process
 * will do; its first may have ended, and then the task's own is used.  That
 * number comes from memory the guest writes, so the host must agree that it is
 * a thread of this very process.
 */
static int32_t memory_tid(struct task *t, bool first_gone)
{
	uint32_t tid;

	if (!cellpool_hello(t->cell))
		return -1;
	if (!first_gone)
		return t->cell->host_pid;
	tid = atomic_load_explicit(&t->slot->host_tid, memory_order_relaxed);
	if (tid > INT32_MAX ||
	    syscall(SYS_tgkill, t->cell->host_pid, tid, 0) < 0)
		return -1;
	return (int32_t)tid;
}

typedef ssize_t transfer_fn(pid_t pid, const struct iovec *local,
                            unsigned long local_count,
                            const struct iovec *remote,
                            unsigned long remote_count, unsigned long flags);

static int transfer(struct task *t, transfer_fn *fn, void *local,
                    uint64_t remote, size_t size)
{
	struct iovec here = {local, size};
	struct iovec there = {(void *)remote, size}; /* never dereferenced */

	for (int first_gone = 0; first_gone < 2; first_gone++) {
		int32_t tid = memory_tid(t, first_gone);
		ssize_t n;

		if (tid < 0)
			return -EFAULT;
		n = fn(tid, &here, 1, &there, 1, 0);
		if (n == (ssize_t)size)
			return 0;
		if (n < 0 && errno == EPERM)
			return -EPERM;
		if (n >= 0 || errno != ESRCH)
			return -EFAULT;
	}
	return -EFAULT;
}

void cells_go_far(struct kernel *k)
{
	k->cells->far = true;
}

/*
 * The host forbids it: from now on the stubs copy, each for its own call.
 * Memory of other tasks than the one being served stays out of reach.
 */
static bool forbidden(struct task *t, int err)
{
	if (err == -EPERM)
		cells_go_far(t->kernel);
	return t->kernel->cells->far && t == t->kernel->current;
}

/* A unit test's guest memory is its own. */
static int own(struct task *t, transfer_fn *fn, void *local, uint64_t remote,
               size_t size)
{
	struct iovec here = {local, size};
	struct iovec there = {(void *)remote, size};
	uint64_t lo = t->kernel->guest_lo, hi = t->kernel->guest_hi;
	ssize_t n;

	if (hi && (remote < lo || remote > hi || size > hi - remote))
		return -EFAULT;
	n = fn(getpid(), &here, 1, &there, 1, 0);
	return n == (ssize_t)size ? 0 : -EFAULT;
}

int cells_read(struct task *t, uint64_t from, void *to, size_t size)
{
	int err = -EPERM;

	if (from < 4096)
		return -EFAULT;
	if (!t->cell)
		return own(t, process_vm_readv, to, from, size);
	if (!t->kernel->cells->far)
		err = transfer(t, process_vm_readv, to, from, size);
	return forbidden(t, err) ? far_read(t, from, to, size) : err;
}

bool cells_ready(struct task *t, uint64_t from, size_t size)
{
	return !t->cell || !t->kernel->cells->far || far_has(t, from, size);
}

int cells_write(struct task *t, uint64_t to, const void *from, size_t size)
{
	int err = -EPERM;

	if (to < 4096)
		return -EFAULT;
	if (!t->cell)
		return own(t, process_vm_writev, (void *)(uintptr_t)from, to,
		           size);
	if (!t->kernel->cells->far)
		err = transfer(t, process_vm_writev, (void *)(uintptr_t)from,
		               to, size);
	return forbidden(t, err) ? far_write(t, to, from, size) : err;
}

/* Slots that are looked at without a bell. */

static bool asks(const struct task *t)
{
	uint32_t state;

	if (t->in_call || t->state != TASK_RUNNING)
		return false;
	state = atomic_load(&t->slot->state);
	return state == SLOT_REQUEST || state == SLOT_SLEEPING;
}

static void ring_self(struct cell *c)
{
	static const uint64_t one = 1;

	(void)!write(c->bell.fd, &one, sizeof(one));
}

static void cool(struct cells *cs, size_t i)
{
	struct task *t = cs->hot[i].task;

	cs->hot[i].task = NULL;
	if (!t)
		return;
	atomic_store(&t->slot->polled, 0);
	if (asks(t)) /* it saw `polled` before we took it back */
		ring_self(t->cell);
}

/* The task was active: polls its slot, at the cost of the least active. */
static void heat(struct cells *cs, struct task *t)
{
	size_t oldest = 0;

	for (size_t i = 0; i < CELLPOOL_HOT; i++) {
		if (cs->hot[i].task == t) {
			cs->hot[i].stamp = ++cs->stamp;
			return;
		}
		if (!cs->hot[i].task)
			oldest = i;
		else if (cs->hot[oldest].task &&
		         cs->hot[i].stamp < cs->hot[oldest].stamp)
			oldest = i;
	}
	cool(cs, oldest);
	cs->hot[oldest].task = t;
	cs->hot[oldest].stamp = ++cs->stamp;
	atomic_store(&t->slot->polled, 1);
}

static void forget_hot(struct cells *cs, const struct task *t)
{
	for (size_t i = 0; i < CELLPOOL_HOT; i++)
		if (cs->hot[i].task == t)
			cs->hot[i].task = NULL;
}

bool cells_poll(struct kernel *k)
{
	struct cells *cs = k->cells;
	bool ran = false;

	for (size_t i = 0; i < CELLPOOL_HOT; i++) {
		struct task *t = cs->hot[i].task;

		if (!t || !asks(t))
			continue;
		cs->hot[i].stamp = ++cs->stamp;
		task_get(t);
		syscall_serve(t);
		task_put(t);
		ran = true;
	}
	return ran;
}

bool cells_spin(struct kernel *k, unsigned turns)
{
	struct cells *cs = k->cells;

	while (turns-- > 0) {
		for (size_t i = 0; i < CELLPOOL_HOT; i++)
			if (cs->hot[i].task && asks(cs->hot[i].task))
				return true;
		__builtin_ia32_pause();
	}
	return false;
}

bool cells_unpoll(struct kernel *k)
{
	struct cells *cs = k->cells;
	bool quiet = true;

	for (size_t i = 0; i < CELLPOOL_HOT; i++)
		if (cs->hot[i].task)
			atomic_store(&cs->hot[i].task->slot->polled, 0);
	for (size_t i = 0; i < CELLPOOL_HOT; i++)
		if (cs->hot[i].task && asks(cs->hot[i].task))
			quiet = false;
	for (size_t i = 0; i < CELLPOOL_HOT; i++) {
		struct task *t = cs->hot[i].task;

		if (t && !quiet)
			atomic_store(&t->slot->polled, 1);
		else
			cs->hot[i].task = NULL;
	}
	return quiet;
}

/* Threads whose tasks have gone: whatever they ask, they must end. */
static void dismiss(struct cell *c)
{
	for (uint32_t i = 0; i < CHANNEL_THREADS; i++) {
		struct slot *s = cellpool_slot(c, i);
		struct request r;

		if (!(c->leaving[i / 64] >> (i % 64) & 1)) {
			if (c->leaving[i / 64] == 0)
				i |= 63;
			continue;
		}
		if (slot_take(s, &r) < 0)
			continue;
		c->leaving[i / 64] &= ~(1ull << (i % 64));
		if (slot_finish(s, (struct slot_answer){
					   .action = SLOT_EXIT_THREAD}))
			syscall(SYS_futex, &s->state, 1 /* FUTEX_WAKE */, 1,
			        NULL, NULL, 0);
	}
}

void cells_look(struct cell *c)
{
	struct cells *cs = c->kernel->cells;
	struct task *asking[LOOK_MAX];
	size_t count = 0;

	dismiss(c);
	list_for_each (at, &c->tasks) {
		struct task *t = list_entry(at, struct task, in_cell);

		if (!asks(t))
			continue;
		if (count == LOOK_MAX) {
			ring_self(c);
			break;
		}
		asking[count++] = task_get(t);
	}
	/* Serving one may end others, or the cell. */
	for (size_t i = 0; i < count; i++) {
		if (asking[i]->cell && asks(asking[i])) {
			heat(cs, asking[i]);
			syscall_serve(asking[i]);
		}
		task_put(asking[i]);
	}
}

static bool busy(const struct task *t)
{
	return !t->in_call && t->state == TASK_RUNNING &&
	       !atomic_load_explicit(&t->slot->idle, memory_order_relaxed);
}

unsigned cells_busy(struct kernel *k, unsigned enough)
{
	unsigned count = 0;

	list_for_each (at, &k->cells->live) {
		struct cell *c = list_entry(at, struct cell, link);

		list_for_each (in, &c->tasks) {
			count += busy(list_entry(in, struct task, in_cell));
			if (count == enough)
				return count;
		}
	}
	return count;
}

bool cells_awaited(struct kernel *k)
{
	struct cells *cs = k->cells;

	for (size_t i = 0; i < CELLPOOL_HOT; i++)
		if (cs->hot[i].task && busy(cs->hot[i].task))
			return true;
	return false;
}

void cells_set_spin(struct kernel *k, uint32_t turns)
{
	atomic_store_explicit(&k->cells->notice->cell_spin, turns,
	                      memory_order_relaxed);
}

void cells_recall_leases(struct kernel *k)
{
	if (k->cells)
		atomic_fetch_add(&k->cells->notice->lease_age, 1);
}

void cells_set_shared(struct kernel *k, uint32_t cpu)
{
	_Atomic uint32_t *shares = &k->cells->notice->shares;

	if (atomic_load_explicit(shares, memory_order_relaxed) != cpu)
		atomic_store_explicit(shares, cpu, memory_order_relaxed);
}

bool cells_idle(struct kernel *k)
{
	return cellpool_refill(k->cells);
}

/* Tasks come and go. */

void cells_publish(struct task *t)
{
	struct slot *s = t->slot;

	atomic_store_explicit(&s->tgid, t->process->pid, memory_order_relaxed);
	atomic_store_explicit(&s->tid, t->tid, memory_order_relaxed);
	atomic_store_explicit(&s->ppid,
	                      t->process->parent ? t->process->parent->pid : 0,
	                      memory_order_relaxed);
	atomic_store_explicit(&s->uid, t->cred->uid, memory_order_relaxed);
	atomic_store_explicit(&s->euid, t->cred->euid, memory_order_relaxed);
	atomic_store_explicit(&s->gid, t->cred->gid, memory_order_relaxed);
	atomic_store_explicit(&s->egid, t->cred->egid, memory_order_relaxed);
}

static void attach(struct task *t, struct cell *c, uint32_t index,
                   uint64_t sigmask)
{
	if (list_empty(&c->tasks))
		c->pid = t->process->pid;
	t->cell = c;
	t->slot_index = index;
	t->slot = cellpool_slot(c, index);
	c->used[index / 64] |= 1ull << (index % 64);
	list_add_tail(&c->tasks, &t->in_cell);
	atomic_store_explicit(&t->slot->sigmask, sigmask, memory_order_relaxed);
	cells_publish(t);
}

/* What /proc says about the program stays true for its copy. */
static void copy_places(const struct slot *from, struct slot *to)
{
	atomic_store(&to->stack_start, atomic_load(&from->stack_start));
	atomic_store(&to->brk_start, atomic_load(&from->brk_start));
	atomic_store(&to->auxv_start, atomic_load(&from->auxv_start));
}

long cells_prepare_fork(struct task *t, struct task *child)
{
	struct cell *c;
	long err;

	if (!t->cell)
		return 0;
	c = cellpool_take(t->kernel->cells);
	if (!c)
		return -ENOMEM;
	attach(child, c, t->slot_index,
	       atomic_load_explicit(&t->slot->sigmask, memory_order_relaxed));
	lease_inherit(c, t->cell);
	copy_places(t->slot, child->slot);
	err = cellpool_send_parts(t->cell->sock, c);
	if (err < 0)
		cells_abort(child);
	return err;
}

static int free_slot(struct cell *c)
{
	for (uint32_t i = 0; i < CHANNEL_THREADS; i++) {
		uint64_t taken = c->used[i / 64] | c->leaving[i / 64];

		if (taken >> (i % 64) & 1)
			continue;
		if (atomic_load(&cellpool_slot(c, i)->host_tid) == 0)
			return (int)i;
	}
	return -EAGAIN;
}

long cells_prepare_thread(struct task *t, struct task *child)
{
	struct slot *s;
	int index;

	if (!t->cell)
		return 0;
	index = free_slot(t->cell);
	if (index < 0)
		return index;
	s = cellpool_slot(t->cell, (uint32_t)index);
	atomic_store(&s->state, SLOT_IDLE);
	atomic_store(&s->attention, 0);
	atomic_store(&s->polled, 0);
	atomic_store(&s->pending, 0);
	attach(child, t->cell, (uint32_t)index,
	       atomic_load_explicit(&t->slot->sigmask, memory_order_relaxed));
	return 0;
}

static uint64_t clock_ns(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

/* The cell's CPU time so far, by the clocks of its host process. */
static void add_cpu(struct cell *c, struct usage *u)
{
	enum { PROF, VIRT, SCHED };
	struct timespec prof, virt, sched;
	uint64_t all, ticks, user;
	clockid_t clock;

	if (!cellpool_hello(c))
		return;
	clock = (clockid_t)(~(unsigned)c->host_pid << 3);
	if (clock_gettime(clock | VIRT, &virt) < 0 ||
	    clock_gettime(clock | PROF, &prof) < 0 ||
	    clock_gettime(clock | SCHED, &sched) < 0)
		return;
	/* The two may be counted in ticks: they share what is exact. */
	all = clock_ns(&sched);
	ticks = clock_ns(&prof);
	user = ticks == 0 ? all
	                  : (uint64_t)((double)all * (double)clock_ns(&virt) /
	                               (double)ticks);
	user = MIN(user, all);
	u->utime_ns += user;
	u->stime_ns += all - user;
}

static uint64_t to_ns(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_usec * 1000u;
}

void cells_total(struct kernel *k, struct usage *out)
{
	static const int whose[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
	struct rusage host;

	*out = (struct usage){0};
	for (size_t i = 0; i < ARRAY_LEN(whose); i++) {
		if (getrusage(whose[i], &host) < 0)
			continue;
		out->utime_ns += to_ns(host.ru_utime);
		out->stime_ns += to_ns(host.ru_stime);
	}
	if (!k->cells)
		return;
	list_for_each (at, &k->cells->live)
		add_cpu(list_entry(at, struct cell, link), out);
}

static void stop_all(struct list *cells, bool stop)
{
	list_for_each (at, cells) {
		struct cell *c = list_entry(at, struct cell, link);

		if (cellpool_hello(c))
			(void)kill(c->host_pid, stop ? SIGSTOP : SIGCONT);
	}
}

void cells_stop(struct kernel *k, bool stop)
{
	struct cells *cs = k->cells;

	if (!cs)
		return;
	stop_all(&cs->live, stop);
	stop_all(&cs->pool, stop);
	stop_all(&cs->warm, stop);
}

void cells_usage(struct process *p, struct usage *out)
{
	struct cell *seen = NULL;

	list_for_each (at, &p->tasks) {
		struct task *t = list_entry(at, struct task, in_process);

		if (t->cell && t->cell != seen)
			add_cpu(t->cell, out);
		seen = t->cell;
	}
}

static struct cell *detach(struct task *t)
{
	struct cell *c = t->cell;

	forget_hot(t->kernel->cells, t);
	list_del(&t->in_cell);
	c->used[t->slot_index / 64] &= ~(1ull << (t->slot_index % 64));
	t->cell = NULL;
	return c;
}

static void end_thread(struct task *t, struct cell *c)
{
	struct slot *s = t->slot;
	uint32_t index = t->slot_index;

	c->leaving[index / 64] |= 1ull << (index % 64);
	atomic_store(&s->polled, 0);
	atomic_store(&s->attention, 1);
	dismiss(c);
	if (c->leaving[index / 64] >> (index % 64) & 1 && cellpool_hello(c))
		syscall(SYS_tgkill, c->host_pid, atomic_load(&s->host_tid),
		        CELL_KICK_SIGNAL);
}

void cells_leave(struct task *t)
{
	struct cell *c;

	if (!t->cell)
		return;
	c = detach(t);
	far_drop(t);
	if (list_empty(&c->tasks)) {
		add_cpu(c, &t->process->usage);
		cellpool_doom(c);
	} else {
		end_thread(t, c);
	}
	t->slot = &t->kernel->cells->nowhere;
}

void cells_abort(struct task *child)
{
	struct cell *c;

	if (!child->cell)
		return;
	c = detach(child);
	if (list_empty(&c->tasks))
		cellpool_free(c);
}

void cells_kick(struct task *t)
{
	uint32_t tid;

	if (!t->cell || !cellpool_hello(t->cell))
		return;
	tid = atomic_load_explicit(&t->slot->host_tid, memory_order_relaxed);
	syscall(SYS_tgkill, t->cell->host_pid,
	        tid ? (int32_t)tid : t->cell->host_pid, CELL_KICK_SIGNAL);
}

long cells_send(struct task *t, const int *fds, size_t count)
{
	return t->cell ? cellpool_send(t->cell->sock, fds, count) : -ENODEV;
}

/* Images. */

static long send_image(struct cell *c, struct slot *s, struct image *img,
                       const char *strings, const int elf[2])
{
	uint8_t *window = (uint8_t *)s + CHANNEL_DATA;
	autoclose int file = -1;
	int fds[3];
	size_t count = 0;

	img->strings_sent = img->strings_size > CHANNEL_WINDOW - IMAGE_STRINGS;
	img->has_interp = elf[1] >= 0;
	if (img->strings_sent) {
		file = memfile_make("strings",
		                    (struct span){(const uint8_t *)strings,
		                                  img->strings_size});
		if (file < 0)
			return file;
		fds[count++] = file;
	} else {
		memcpy(window + IMAGE_STRINGS, strings, img->strings_size);
	}
	memcpy(window, img, sizeof(*img));
	fds[count++] = elf[0];
	if (img->has_interp)
		fds[count++] = elf[1];
	return cellpool_send(c->sock, fds, count);
}

/* Moves the task out of the cell it execs from, into this one. */
static void move(struct task *t, struct cell *c)
{
	uint64_t mask = 0;

	if (t->slot)
		mask = atomic_load_explicit(&t->slot->sigmask,
		                            memory_order_relaxed);
	cells_leave(t);
	attach(t, c, 0, mask);
	t->in_call = false;
	t->state = TASK_RUNNING;
	t->outs = 0;
	if (signal_pending(t) & ~mask)
		atomic_store(&t->slot->attention, 1);
	heat(t->kernel->cells, t);
	/* Its OP_hello may have come before anyone looked. */
	list_del(&t->ready_link);
	list_add_tail(&t->kernel->ready, &t->ready_link);
}

long cells_load(struct task *t, struct image *img, const char *strings,
                int exe_fd, int interp_fd, bool in_place)
{
	const int elf[2] = {exe_fd, interp_fd};
	struct cell *c = t->cell;
	long err;

	if (!t->kernel->cells)
		return -ENODEV;
	img->in_place = in_place;
	if (in_place) {
		err = send_image(c, t->slot, img, strings, elf);
		if (err < 0)
			return err;
		syscall_answer(t, 0, SLOT_LOAD);
		return -ENOANSWER;
	}
	c = cellpool_take_warm(t->kernel->cells);
	if (!c)
		return -ENOMEM;
	err = send_image(c, cellpool_slot(c, 0), img, strings, elf);
	if (err < 0) {
		cellpool_doom(c);
		return err;
	}
	move(t, c);
	return -ENOANSWER;
}

long cells_hello(struct task *t)
{
	syscall_answer(t, 0, SLOT_LOAD);
	return -ENOANSWER;
}

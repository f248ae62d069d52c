/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel just good enough to try the stub: it forwards what a guest asks to
 * the host as it is, so run it with programs you trust.
 *
 * All guests share the server's descriptors, and a call that blocks blocks
 * everybody.  Processes, threads, exec, wait and signals are done far enough
 * for tests/guest programs that ask about the stub.
 *
 *	cell-server STUB PROGRAM [ARGUMENT...]
 */
#include <elf.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "cell/stub/marshal.h"
#include "channel/abi.h"
#include "channel/image.h"
#include "channel/ops.h"
#include "channel/slot.h"

#define MAX_CELLS 64
#define MAX_TASKS 256

struct cell {
	bool used;
	pid_t host_pid;
	int channel, sock; /* our ends */
	uint8_t *window;
	int next_key;
};

struct task {
	bool used, dead, waiting_child;
	struct cell *cell;
	uint32_t index;
	int tgid, tid, ppid;
	int status;
	bool vfork_child;
	struct task *vfork_waiter;
	uint64_t pending;
	abi_sigaction *act; /* of the process: 65 */
	uint64_t wait_arg[6];
};

struct server {
	int zygote, bell;
	struct notice *notice;
	struct cell cell[MAX_CELLS];
	struct task task[MAX_TASKS];
	int next_id;
	int status;
	bool over;
	bool trace;
};

static struct slot *slot_of(const struct task *t)
{
	return (struct slot *)(void *)(t->cell->window +
	                               (size_t)t->index * CHANNEL_STRIDE);
}

static uint8_t *data_of(const struct task *t)
{
	return (uint8_t *)slot_of(t) + CHANNEL_DATA;
}

static void die(const char *what)
{
	perror(what);
	exit(125);
}

static void send_fds(int sock, const int *fd, size_t count)
{
	char byte = 0;
	struct iovec iov = {&byte, 1};
	union {
		char buf[CMSG_SPACE(sizeof(int) * 4)];
		struct cmsghdr align;
	} u = {.buf = {0}};
	struct msghdr m = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = u.buf,
		.msg_controllen = CMSG_SPACE(sizeof(int) * count),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * count);
	memcpy(CMSG_DATA(c), fd, sizeof(int) * count);
	if (sendmsg(sock, &m, MSG_NOSIGNAL) < 0)
		die("send descriptors");
}

static void answer(struct server *v, struct task *t, long result,
                   enum slot_action action)
{
	struct slot *s = slot_of(t);

	if (v->trace)
		fprintf(stderr, "[%d] = %ld (%d)\n", t->tid, result, action);
	atomic_store(&s->result, result);
	atomic_store(&s->action, action);
	if (slot_finish(s))
		syscall(SYS_futex, &s->state, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* A cell's channel, socket and window; the cell's ends go to end[]. */
static struct cell *make_cell(struct server *v, int end[3])
{
	int pair[2];
	int on = 1;

	for (size_t i = 0; i < MAX_CELLS; i++) {
		struct cell *c = &v->cell[i];

		if (c->used)
			continue;
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
			die("socketpair");
		setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
		*c = (struct cell){.used = true, .sock = pair[0]};
		c->channel = memfd_create("channel", MFD_CLOEXEC);
		if (c->channel < 0 || ftruncate(c->channel, CHANNEL_SIZE))
			die("channel");
		c->window = mmap(NULL, CHANNEL_SIZE, PROT_READ | PROT_WRITE,
		                 MAP_SHARED, c->channel, 0);
		if (c->window == MAP_FAILED)
			die("map channel");
		end[0] = c->channel;
		end[1] = pair[1];
		end[2] = v->bell;
		return c;
	}
	die("too many cells");
	return NULL;
}

static void drop_cell(struct cell *c)
{
	munmap(c->window, CHANNEL_SIZE);
	close(c->channel);
	close(c->sock);
	c->used = false;
}

static void read_hello(struct cell *c)
{
	char byte;
	struct iovec iov = {&byte, 1};
	union {
		char buf[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} u;
	struct msghdr m = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = u.buf,
		.msg_controllen = sizeof(u.buf),
	};
	struct ucred who;

	if (recvmsg(c->sock, &m, 0) != 1)
		die("hello");
	memcpy(&who, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(who));
	c->host_pid = who.pid;
}

static struct task *make_task(struct server *v, struct cell *c, uint32_t index)
{
	for (size_t i = 0; i < MAX_TASKS; i++) {
		struct task *t = &v->task[i];
		struct slot *s;

		if (t->used)
			continue;
		*t = (struct task){.used = true, .cell = c, .index = index};
		t->tid = t->tgid = ++v->next_id;
		s = slot_of(t);
		atomic_store(&s->state, SLOT_IDLE);
		atomic_store(&s->tid, t->tid);
		atomic_store(&s->tgid, t->tgid);
		return t;
	}
	die("too many tasks");
	return NULL;
}

/* Starts the image of `path` in t's cell. */
static void load(struct server *v, struct task *t, const char *path,
                 const char *strings, size_t size, uint32_t argc, uint32_t envc)
{
	struct image im = {
		.argc = argc,
		.envc = envc,
		.strings_size = (uint32_t)size,
		.stack_size = 8 << 20,
	};
	char interp[256] = "";
	int fd[3];
	size_t n = 0;
	Elf64_Ehdr eh;
	Elf64_Phdr ph[32];

	if (size > CHANNEL_WINDOW - IMAGE_STRINGS) {
		int mem = memfd_create("strings", MFD_CLOEXEC);

		if (write(mem, strings, size) != (ssize_t)size)
			die("strings");
		im.strings_sent = 1;
		fd[n++] = mem;
	} else {
		memcpy(data_of(t) + IMAGE_STRINGS, strings, size);
	}
	fd[n] = open(path, O_RDONLY | O_CLOEXEC);
	if (pread(fd[n], &eh, sizeof(eh), 0) != sizeof(eh) ||
	    pread(fd[n], ph, sizeof(ph), (off_t)eh.e_phoff) < 0)
		die(path);
	for (int i = 0; i < eh.e_phnum && i < 32; i++)
		if (ph[i].p_type == PT_INTERP &&
		    pread(fd[n], interp, sizeof(interp) - 1,
		          (off_t)ph[i].p_offset) > 0)
			im.has_interp = 1;
	n++;
	if (im.has_interp)
		fd[n++] = open(interp, O_RDONLY | O_CLOEXEC);
	memcpy(data_of(t), &im, sizeof(im));
	for (int i = 1; i <= 64; i++)
		if (t->act[i].handler > 1)
			t->act[i].handler = 0;
	send_fds(t->cell->sock, fd, n);
	while (n--)
		close(fd[n]);
	answer(v, t, 0, SLOT_LOAD);
}

static void copy_guest(const struct task *t, void *to, uint64_t from,
                       size_t size, bool out)
{
	struct iovec here = {to, size};
	struct iovec there = {(void *)from, size};
	ssize_t got;

	if (out)
		got = process_vm_writev(t->cell->host_pid, &here, 1, &there, 1,
		                        0);
	else
		got = process_vm_readv(t->cell->host_pid, &here, 1, &there, 1,
		                       0);
	(void)got;
}

/* Does a call on the host with the guest's arguments. */
static long forward(struct task *t, const struct request *r)
{
	uint64_t arg[6];
	void *buf[6] = {NULL};
	size_t size[6] = {0};
	const struct marshal_row *row = &marshal_table[r->nr];
	struct slot *s = slot_of(t);
	uint32_t outs = 0;
	long got;

	for (int i = 0; i < 6; i++) {
		const struct marshal_arg *m = &row->arg[i];

		arg[i] = r->arg[i];
		if (m->kind == MARSHAL_NUM || !arg[i])
			continue;
		size[i] = m->kind == MARSHAL_PATH ? 4096
		          : m->count == MARSHAL_ONE
		                  ? m->unit
		                  : m->unit * r->arg[m->count];
		buf[i] = calloc(1, size[i] + 1);
		arg[i] = (uint64_t)buf[i];
		if (m->kind == MARSHAL_OUT)
			continue;
		if (r->stage[i].size)
			memcpy(buf[i], data_of(t) + r->stage[i].off,
			       r->stage[i].size);
		else
			copy_guest(t, buf[i], r->arg[i], size[i], false);
	}
	got = syscall(r->nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
	if (got < 0)
		got = -errno;
	for (int i = 0; i < 6; i++) {
		size_t n = size[i];

		if (buf[i] && (row->arg[i].kind & MARSHAL_OUT) && got >= 0) {
			if (row->arg[i].kind == MARSHAL_OUT &&
			    row->arg[i].unit == 1)
				n = MIN(n, (size_t)got);
			if (r->stage[i].size >= n) {
				memcpy(data_of(t) + r->stage[i].off, buf[i], n);
				s->out[outs].addr = r->arg[i];
				s->out[outs].off = r->stage[i].off;
				s->out[outs].size = (uint32_t)n;
				outs++;
			} else {
				copy_guest(t, buf[i], r->arg[i], n, true);
			}
		}
		free(buf[i]);
	}
	atomic_store(&s->out_count, outs);
	return got;
}

static void put_int(struct task *t, uint64_t addr, int value)
{
	if (addr)
		copy_guest(t, &value, addr, sizeof(value), true);
}

/* Answers a parent's wait4 if a child is dead.  Returns whether it did. */
static bool try_wait(struct server *v, struct task *t)
{
	bool any = false;

	for (size_t i = 0; i < MAX_TASKS; i++) {
		struct task *c = &v->task[i];

		if (!c->used || c->ppid != t->tgid || c->tid != c->tgid)
			continue;
		any = true;
		if (!c->dead)
			continue;
		put_int(t, t->wait_arg[1], c->status);
		c->used = false;
		answer(v, t, c->tgid, SLOT_RETURN);
		return true;
	}
	if (!any) {
		answer(v, t, -ECHILD, SLOT_RETURN);
		return true;
	}
	if (t->wait_arg[2] & WNOHANG) {
		answer(v, t, 0, SLOT_RETURN);
		return true;
	}
	return false;
}

/* The process of `t` is over. */
static void end_process_of(struct server *v, struct task *t, int status)
{
	int tgid = t->tgid;

	for (size_t i = 0; i < MAX_TASKS; i++) {
		struct task *o = &v->task[i];

		if (!o->used || o->tgid != tgid)
			continue;
		o->dead = true;
		o->status = status;
		if (o->tid != tgid)
			o->used = false;
		if (o->vfork_waiter) {
			answer(v, o->vfork_waiter, 0, SLOT_RETURN);
			o->vfork_waiter = NULL;
		}
	}
	if (tgid == 1) {
		v->status = status;
		v->over = true;
	}
	for (size_t i = 0; i < MAX_TASKS; i++) {
		struct task *p = &v->task[i];

		if (p->used && !p->dead && p->waiting_child && try_wait(v, p))
			p->waiting_child = false;
	}
}

static void raise_signal(struct task *t, int sig, struct task *by)
{
	struct slot *s = slot_of(t);

	t->pending |= 1ULL << (sig - 1);
	atomic_store(&s->pending, t->pending);
	if (!(t->pending & ~atomic_load(&s->sigmask)))
		return;
	atomic_store(&s->attention, 1);
	if (t != by)
		syscall(SYS_tgkill, t->cell->host_pid, s->host_tid,
		        CELL_KICK_SIGNAL);
}

static void do_signal(struct server *v, struct task *t)
{
	struct slot *s = slot_of(t);
	uint64_t mask = atomic_load(&s->sigmask);
	struct sigorder o;
	abi_sigaction *a;
	int sig;

	for (sig = 1; sig <= 64; sig++) {
		if (!(t->pending & ~mask & 1ULL << (sig - 1)))
			continue;
		t->pending &= ~(1ULL << (sig - 1));
		atomic_store(&s->pending, t->pending);
		a = &t->act[sig];
		if (a->handler == 1 ||
		    (a->handler == 0 &&
		     (sig == SIGCHLD || sig == SIGURG || sig == SIGWINCH)))
			continue;
		if (a->handler == 0) {
			end_process_of(v, t, sig);
			answer(v, t, 0, SLOT_EXIT_PROCESS);
			return;
		}
		o = (struct sigorder){.handler = a->handler,
		                      .flags = a->flags,
		                      .restorer = a->restorer,
		                      .add_mask = a->mask,
		                      .old_mask = mask};
		if (!(a->flags & SA_NODEFER))
			o.add_mask |= 1ULL << (sig - 1);
		if (sig == SIGSEGV || sig == SIGBUS || sig == SIGILL ||
		    sig == SIGFPE || sig == SIGTRAP)
			memcpy(o.info, data_of(t) + 4096, 128);
		else
			memcpy(o.info, &sig, sizeof(sig));
		if (a->flags & SA_RESETHAND)
			a->handler = 0;
		memcpy(data_of(t), &o, sizeof(o));
		answer(v, t, sig, SLOT_RETURN);
		return;
	}
	answer(v, t, 0, SLOT_RETURN);
}

static void do_fault(struct server *v, struct task *t, int sig)
{
	uint64_t bit = 1ULL << (sig - 1);

	memcpy(data_of(t) + 4096, data_of(t), 128);
	if ((atomic_load(&slot_of(t)->sigmask) & bit) ||
	    t->act[sig].handler <= 1) {
		t->act[sig].handler = 0;
		atomic_fetch_and(&slot_of(t)->sigmask, ~bit);
	}
	t->pending |= bit;
	answer(v, t, 0, SLOT_RETURN);
}

static void do_exec(struct server *v, struct task *t, const struct request *r)
{
	char path[256], proc[64];
	char *strings = malloc(r->arg[3]);
	struct task *n = t;
	int fd[3];

	if (r->stage[2].size)
		memcpy(strings, data_of(t) + r->stage[2].off, r->arg[3]);
	else
		copy_guest(t, strings, r->arg[2], r->arg[3], false);
	snprintf(path, sizeof(path), "%s", strings);
	(void)proc;
	if (access(path, X_OK) < 0) {
		answer(v, t, -errno, SLOT_RETURN);
		goto out;
	}
	if (t->vfork_child) {
		struct cell *c = make_cell(v, fd);
		struct task *w = t->vfork_waiter;
		struct task old = *t;

		send_fds(v->zygote, fd, 3);
		close(fd[1]);
		read_hello(c);
		t->cell = c;
		t->index = 0;
		t->vfork_child = false;
		t->vfork_waiter = NULL;
		while (atomic_load(&slot_of(t)->state) != SLOT_REQUEST &&
		       atomic_load(&slot_of(t)->state) != SLOT_SLEEPING)
			;
		atomic_store(&slot_of(t)->tid, t->tid);
		atomic_store(&slot_of(t)->tgid, t->tgid);
		answer(v, &old, 0, SLOT_EXIT_THREAD);
		if (w)
			answer(v, w, 0, SLOT_RETURN);
	}
	load(v, n, path, strings, r->arg[3], (uint32_t)r->arg[4],
	     (uint32_t)r->arg[5]);
out:
	free(strings);
}

static void do_fork(struct server *v, struct task *t)
{
	int fd[3];
	struct cell *c = make_cell(v, fd);
	struct task *n = make_task(v, c, t->index);

	n->ppid = t->tgid;
	n->act = malloc(65 * sizeof(*n->act));
	memcpy(n->act, t->act, 65 * sizeof(*n->act));
	c->next_key = t->cell->next_key;
	send_fds(t->cell->sock, fd, 3);
	close(fd[1]);
	answer(v, t, n->tid, SLOT_RETURN);
	read_hello(c);
}

static void do_thread(struct server *v, struct task *t, bool vfork_child)
{
	struct task *n;
	uint32_t index = 0;
	bool taken;

	do {
		taken = false;
		index++;
		for (size_t i = 0; i < MAX_TASKS; i++)
			if (v->task[i].used && !v->task[i].dead &&
			    v->task[i].cell == t->cell &&
			    v->task[i].index == index)
				taken = true;
	} while (taken);
	n = make_task(v, t->cell, index);
	n->act = t->act;
	n->vfork_child = vfork_child;
	if (vfork_child) {
		n->ppid = t->tgid;
		n->act = malloc(65 * sizeof(*n->act));
		memcpy(n->act, t->act, 65 * sizeof(*n->act));
	} else {
		n->tgid = t->tgid;
		atomic_store(&slot_of(n)->tgid, t->tgid);
	}
	atomic_store(&slot_of(t)->arg[0], index);
	answer(v, t, n->tid, SLOT_RETURN);
}

static struct task *find(struct server *v, int tid)
{
	for (size_t i = 0; i < MAX_TASKS; i++)
		if (v->task[i].used && v->task[i].tid == tid)
			return &v->task[i];
	return NULL;
}

static void do_object(struct server *v, struct task *t, int fd)
{
	if (fcntl(fd, F_GETFD) < 0) {
		answer(v, t, -EBADF, SLOT_RETURN);
		return;
	}
	send_fds(t->cell->sock, &fd, 1);
	answer(v, t,
	       (long)(OP_KEY_SENT | OP_KEY_WRITABLE) + ++t->cell->next_key,
	       SLOT_RETURN);
}

static void do_sigaction(struct server *v, struct task *t,
                         const struct request *r)
{
	abi_sigaction old;
	size_t sig = r->arg[0];

	if (sig < 1 || sig > 64) {
		answer(v, t, -EINVAL, SLOT_RETURN);
		return;
	}
	old = t->act[sig];
	if (r->arg[1])
		copy_guest(t, &t->act[sig], r->arg[1], sizeof(old), false);
	if (r->arg[2])
		copy_guest(t, &old, r->arg[2], sizeof(old), true);
	answer(v, t, 0, SLOT_RETURN);
}

static void do_kill(struct server *v, struct task *t, int tid, int sig)
{
	struct task *to = find(v, tid);

	if (to && sig)
		raise_signal(to, sig, t);
	answer(v, t, to ? 0 : -ESRCH, SLOT_RETURN);
}

static bool serve_op(struct server *v, struct task *t, const struct request *r)
{
	struct task *c;

	switch (r->nr) {
	case OP_object:
	case OP_lease:
		do_object(v, t, (int)r->arg[0]);
		return true;
	case OP_fork:
		do_fork(v, t);
		return true;
	case OP_thread:
		do_thread(v, t, false);
		return true;
	case OP_vfork:
		do_thread(v, t, true);
		return true;
	case OP_vfork_wait:
		c = find(v, (int)r->arg[0]);
		if (c && !c->dead && c->vfork_child)
			c->vfork_waiter = t;
		else
			answer(v, t, 0, SLOT_RETURN);
		return true;
	case OP_exec:
		do_exec(v, t, r);
		return true;
	case OP_signal:
		do_signal(v, t);
		return true;
	case OP_fault:
		do_fault(v, t, (int)r->arg[0]);
		return true;
	default:
		return false;
	}
}

static void serve(struct server *v, struct task *t, const struct request *r)
{
	if (v->trace)
		fprintf(stderr, "[%d] %u(%lx, %lx, %lx, %lx)\n", t->tid, r->nr,
		        r->arg[0], r->arg[1], r->arg[2], r->arg[3]);
	atomic_store(&slot_of(t)->out_count, 0);
	if (serve_op(v, t, r))
		return;
	switch (r->nr) {
	case SYS_exit:
	case SYS_exit_group:
		if (r->nr == SYS_exit && t->tid != t->tgid) {
			t->used = false;
			answer(v, t, 0, SLOT_EXIT_THREAD);
			return;
		}
		end_process_of(v, t, (int)(r->arg[0] & 0xff) << 8);
		answer(v, t, (long)r->arg[0],
		       t->vfork_child ? SLOT_EXIT_THREAD : SLOT_EXIT_PROCESS);
		return;
	case SYS_wait4:
		memcpy(t->wait_arg, r->arg, sizeof(t->wait_arg));
		t->waiting_child = !try_wait(v, t);
		return;
	case SYS_getppid:
		answer(v, t, t->ppid, SLOT_RETURN);
		return;
	case SYS_rt_sigaction:
		do_sigaction(v, t, r);
		return;
	case SYS_kill:
		do_kill(v, t, (int)r->arg[0], (int)r->arg[1]);
		return;
	case SYS_tkill:
		do_kill(v, t, (int)r->arg[0], (int)r->arg[1]);
		return;
	case SYS_tgkill:
		do_kill(v, t, (int)r->arg[1], (int)r->arg[2]);
		return;
	case SYS_prctl:
		answer(v, t, 0, SLOT_RETURN);
		return;
	case SYS_close:
		if (r->arg[0] <= 2) {
			answer(v, t, 0, SLOT_RETURN);
			return;
		}
		answer(v, t, forward(t, r), SLOT_RETURN);
		return;
	default:
		if (r->nr >= marshal_count)
			answer(v, t, -ENOSYS, SLOT_RETURN);
		else
			answer(v, t, forward(t, r), SLOT_RETURN);
	}
}

static void set_polled(struct server *v, uint32_t on)
{
	for (size_t i = 0; i < MAX_TASKS; i++)
		if (v->task[i].used && !v->task[i].dead)
			atomic_store(&slot_of(&v->task[i])->polled, on);
}

static bool scan(struct server *v)
{
	struct request r;
	bool any = false;

	for (size_t i = 0; i < MAX_TASKS; i++) {
		struct task *t = &v->task[i];

		if (!t->used || t->dead || t->waiting_child)
			continue;
		if (slot_take(slot_of(t), &r) < 0)
			continue;
		/* One that waits in vfork is not asked again. */
		if (r.nr == OP_vfork_wait) {
			struct task *c = find(v, (int)r.arg[0]);

			if (c && c->vfork_waiter == t)
				continue;
		}
		serve(v, t, &r);
		any = true;
	}
	return any;
}

/* A cell that died by itself takes its process along. */
static void reap(struct server *v)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
		for (size_t i = 0; i < MAX_CELLS; i++) {
			struct cell *c = &v->cell[i];

			if (!c->used || c->host_pid != pid)
				continue;
			for (size_t k = 0; k < MAX_TASKS; k++) {
				struct task *t = &v->task[k];

				if (!t->used || t->dead || t->cell != c)
					continue;
				fprintf(stderr, "cell died: %x\n", status);
				end_process_of(v, t, status);
			}
			drop_cell(c);
		}
	}
}

static void run(struct server *v, unsigned long spin)
{
	unsigned long idle = 0;
	uint64_t rings;

	while (!v->over) {
		if (scan(v)) {
			idle = 0;
			continue;
		}
		if (idle++ < spin)
			continue;
		set_polled(v, 0);
		if (scan(v))
			continue;
		if (poll(&(struct pollfd){.fd = v->bell, .events = POLLIN}, 1,
		         100) > 0 &&
		    read(v->bell, &rings, sizeof(rings)) < 0)
			die("bell");
		reap(v);
		if (spin)
			set_polled(v, 1);
		idle = 0;
	}
}

static void start_zygote(struct server *v, const char *stub)
{
	int pair[2];
	int page = memfd_create("notice", 0);
	pid_t pid;

	if (ftruncate(page, 4096))
		die("notice");
	v->notice = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, page,
	                 0);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		die("socketpair");
	v->zygote = pair[0];
	pid = fork();
	if (pid == 0) {
		int keep = dup(2);

		dup2(page, 20);
		dup2(pair[1], 0);
		dup2(v->bell, 1);
		dup2(keep, 2);
		dup2(20, 3);
		close_range(4, ~0U, 0);
		execl(stub, "bento-cell", NULL);
		_exit(127);
	}
	close(pair[1]);
	close(page);
}

static unsigned long number(const char *name, unsigned long usual)
{
	const char *s = getenv(name);

	return s ? strtoul(s, NULL, 10) : usual;
}

int main(int argc, char *argv[])
{
	static struct server v;
	static char strings[1 << 20];
	size_t size;
	uint32_t envc = 0;
	struct cell *c;
	struct task *t;
	int fd[3];

	if (argc < 3)
		return 125;
	v.bell = eventfd(0, EFD_CLOEXEC);
	v.trace = number("TRACE", 0);
	start_zygote(&v, argv[1]);
	v.notice->cell_spin = (uint32_t)number("CELL_SPIN", 2000);
	v.notice->patch_hits = (uint32_t)number("PATCH", 6);

	c = make_cell(&v, fd);
	t = make_task(&v, c, 0);
	t->act = calloc(65, sizeof(*t->act));
	send_fds(v.zygote, fd, 3);
	close(fd[1]);
	read_hello(c);
	while (atomic_load(&slot_of(t)->state) != SLOT_REQUEST &&
	       atomic_load(&slot_of(t)->state) != SLOT_SLEEPING)
		;
	size = strlen(argv[2]) + 1;
	memcpy(strings, argv[2], size);
	for (int i = 2; i < argc; i++) {
		memcpy(strings + size, argv[i], strlen(argv[i]) + 1);
		size += strlen(argv[i]) + 1;
	}
	for (char **e = environ; *e; e++, envc++) {
		memcpy(strings + size, *e, strlen(*e) + 1);
		size += strlen(*e) + 1;
	}
	load(&v, t, argv[2], strings, size, (uint32_t)argc - 2, envc);
	run(&v, number("SPIN", 2000));
	return WIFEXITED(v.status) ? WEXITSTATUS(v.status)
	                           : 128 + WTERMSIG(v.status);
}

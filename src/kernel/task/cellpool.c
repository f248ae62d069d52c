/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/cellpool.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/rights.h"
#include "kernel/fs/lease.h"
#include "kernel/task/memory.h"

#define POOL_WANT 2

#define SPARE_TASKS 64 /* ours beside the guest's: kernel, zygote, warm cells */

#define PATCH_HITS 6 /* from here on a rewritten call site pays */

#define ZYGOTE_FD_STDERR 2
#define ZYGOTE_FD_NOTICE 3

long cellpool_send(int sock, const int *fds, size_t count)
{
	static const uint8_t byte = 0;
	ssize_t n;

	assert(count > 0 && count <= CELLS_SEND_MAX);
	n = rights_send(sock, (struct span){&byte, 1}, fds, count,
	                MSG_DONTWAIT);
	return n < 0 ? (long)n : 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

long cellpool_send_parts(int sock, struct cell *c)
{
	int fds[] = {c->channel_fd, c->peer, c->bell.fd};
	long err = cellpool_send(sock, fds, ARRAY_LEN(fds));

	if (err < 0)
		return err;
	close_fd(&c->channel_fd);
	close_fd(&c->peer);
	return 0;
}

void cellpool_free(struct cell *c)
{
	struct loop *loop = &c->kernel->loop;

	list_del(&c->link);
	loop_remove(loop, &c->bell);
	loop_remove(loop, &c->sock_event);
	lease_forget(c);
	if (c->channel)
		munmap(c->channel, CHANNEL_SIZE);
	close_fd(&c->channel_fd);
	close_fd(&c->peer);
	close_fd(&c->sock);
	close_fd(&c->bell.fd);
	memory_forget(c);
	free(c);
}

void cellpool_doom(struct cell *c)
{
	c->doomed = true;
	if (cellpool_hello(c))
		kill(c->host_pid, SIGKILL);
}

bool cellpool_hello(struct cell *c)
{
	char byte;
	struct iovec iov = {&byte, 1};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct msghdr m = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct ucred who;

	if (c->host_pid > 0)
		return true;
	if (recvmsg(c->sock, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
		return false;
	/* The credentials are the host's word, not the cell's. */
	if (m.msg_controllen < CMSG_LEN(sizeof(who)) ||
	    control.head.cmsg_type != SCM_CREDENTIALS)
		return false;
	memcpy(&who, CMSG_DATA(&control.head), sizeof(who));
	c->host_pid = who.pid;
	c->kernel->cells->cold = false;
	/* It was being made when the others were stopped. */
	if (c->kernel->paused)
		(void)kill(c->host_pid, SIGSTOP);
	loop_remove(&c->kernel->loop, &c->sock_event);
	c->sock_event.fd = -1;
	return true;
}

static void sock_ready(struct event *e, uint32_t events);

/* Which of its threads rang is not said: all that may have are looked at. */
static void bell_ready(struct event *e, uint32_t events)
{
	struct cell *c = container_of(e, struct cell, bell);

	(void)events;
	cells_look(c);
}

static struct cell *make(struct cells *cs)
{
	struct cell *c = calloc(1, sizeof(*c));
	int pair[2] = {-1, -1};
	int one = 1;

	if (!c)
		return NULL;
	c->kernel = cs->kernel;
	list_init(&c->link);
	list_init(&c->tasks);
	c->sock = c->peer = c->sock_event.fd = -1;
	c->sock_event.ready = sock_ready;
	c->bell.ready = bell_ready;
	c->bell.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->channel_fd = memfd_create("channel", MFD_CLOEXEC);
	if (c->channel_fd < 0 || c->bell.fd < 0 ||
	    ftruncate(c->channel_fd, (off_t)CHANNEL_SIZE) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		goto fail;
	c->sock = pair[0];
	c->peer = pair[1];
	c->sock_event.fd = c->sock;
	if (setsockopt(c->sock, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) < 0)
		goto fail;
	c->channel = mmap(NULL, CHANNEL_SIZE, PROT_READ | PROT_WRITE,
	                  MAP_SHARED, c->channel_fd, 0);
	if (c->channel == MAP_FAILED) {
		c->channel = NULL;
		goto fail;
	}
	if (loop_add(&cs->kernel->loop, &c->bell, EPOLLIN | EPOLLET) < 0 ||
	    loop_add(&cs->kernel->loop, &c->sock_event, EPOLLIN) < 0)
		goto fail;
	return c;

fail:
	cellpool_free(c);
	return NULL;
}

struct cell *cellpool_take(struct cells *cs)
{
	struct cell *c;

	if (list_empty(&cs->pool)) {
		c = make(cs);
	} else {
		c = list_first(&cs->pool, struct cell, link);
		cs->pool_count--;
	}
	if (c) {
		list_del(&c->link);
		list_add_tail(&cs->live, &c->link);
	}
	return c;
}

/* Asks the zygote for a process.  The cell is in no list afterwards. */
static struct cell *spawn(struct cells *cs)
{
	struct cell *c = cellpool_take(cs);

	if (!c)
		return NULL;
	if (cellpool_send_parts(cs->zygote_sock, c) < 0) {
		cellpool_free(c);
		return NULL;
	}
	c->used[0] = 1;
	list_del(&c->link);
	return c;
}

struct cell *cellpool_take_warm(struct cells *cs)
{
	struct cell *c;

	if (list_empty(&cs->warm))
		c = spawn(cs);
	else
		c = list_first(&cs->warm, struct cell, link);
	if (c) {
		list_del(&c->link);
		list_add_tail(&cs->live, &c->link);
	}
	return c;
}

bool cellpool_refill(struct cells *cs)
{
	struct cell *c;

	/* Where the host gives no more processes, none is asked for ahead. */
	if (list_empty(&cs->warm) && !cs->cold) {
		c = spawn(cs);
		if (!c)
			return false;
		list_add_tail(&cs->warm, &c->link);
		return true;
	}
	if (cs->pool_count < POOL_WANT) {
		c = make(cs);
		if (!c)
			return false;
		list_add_tail(&cs->pool, &c->link);
		cs->pool_count++;
		return true;
	}
	return false;
}

/* A cell's process ended by itself or by our hand. */
static void ended(struct cell *c, int status)
{
	while (!list_empty(&c->tasks)) {
		struct task *t = list_first(&c->tasks, struct task, in_cell);

		/* Takes this task, and its process's others, off the list. */
		process_kill(t->process, (uint32_t)status);
		if (!list_empty(&c->tasks) && c->tasks.next == &t->in_cell)
			cells_leave(t);
	}
	cellpool_free(c);
}

/* The hello; or nobody is left who could say it. */
static void sock_ready(struct event *e, uint32_t events)
{
	struct cell *c = container_of(e, struct cell, sock_event);

	if (cellpool_hello(c)) {
		if (c->doomed)
			kill(c->host_pid, SIGKILL);
	} else if (events & (EPOLLHUP | EPOLLERR)) {
		c->kernel->cells->cold = true;
		ended(c, SIGKILL);
	}
}

static struct cell *find(struct list *l, int32_t pid)
{
	list_for_each (at, l) {
		struct cell *c = list_entry(at, struct cell, link);

		if (cellpool_hello(c) && c->host_pid == pid)
			return c;
	}
	return NULL;
}

/* Nothing can be started any more: the qube ends, and says why. */
static void zygote_ended(struct cells *cs, int status)
{
	(void)fprintf(stderr, "the zygote ended: wait status %x\n",
	              (unsigned)status);
	cs->zygote_pid = 0;
	cs->kernel->loop.stop = true;
}

static void reap(struct event *e, uint32_t events)
{
	struct cells *cs = container_of(e, struct cells, sigchld);
	struct signalfd_siginfo drained[8];
	int status;
	pid_t pid;

	(void)events;
	while (read(e->fd, drained, sizeof(drained)) > 0)
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct cell *c = find(&cs->live, pid);

		if (!c)
			c = find(&cs->warm, pid);
		if (c)
			ended(c, status);
		else if (pid == cs->zygote_pid)
			zygote_ended(cs, status);
	}
}

/* The child's side of starting the zygote: only plain host calls. */
static void exec_zygote(int exe_fd, int sock, int bell, int notice)
{
	static const int target[] = {CELL_FD_SOCKET, CELL_FD_BELL,
	                             ZYGOTE_FD_STDERR, ZYGOTE_FD_NOTICE, 4};
	char *argv[] = {(char[]){"bento-cell"}, NULL};
	char *envp[] = {NULL};
	int high[5] = {sock, bell, STDERR_FILENO, notice, exe_fd};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* Out of the way first: a source may be another's target. */
	for (size_t i = 0; i < ARRAY_LEN(high); i++) {
		high[i] = fcntl(high[i], F_DUPFD, 64);
		if (high[i] < 0)
			_exit(127);
	}
	for (size_t i = 0; i < ARRAY_LEN(high); i++)
		if (dup2(high[i], target[i]) < 0)
			_exit(127);
	(void)fcntl(4, F_SETFD, FD_CLOEXEC);
	(void)syscall(SYS_close_range, 5u, ~0u, 0u);
	(void)syscall(SYS_execveat, 4, "", argv, envp, AT_EMPTY_PATH);
	_exit(127);
}

/* No process alone has more private memory than the qube may. */
static void limit_data(uint64_t bytes)
{
	const struct rlimit limit = {bytes, bytes};

	if (setrlimit(RLIMIT_DATA, &limit) < 0)
		_exit(127);
}

/*
 * A guest can clone its cell behind our back.  In a user namespace of our own
 * the host counts our processes only, and so can hold all of them to a number.
 */
static void limit_processes(uint64_t count)
{
	const struct rlimit limit = {count + SPARE_TASKS, count + SPARE_TASKS};

	if (setrlimit(RLIMIT_NPROC, &limit) < 0)
		_exit(127);
}

static int start_zygote(struct cells *cs, int exe_fd, int notice_ro)
{
	bool namespaced = getpid() == 1;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		limit_data(cs->kernel->limits.total);
		if (namespaced)
			limit_processes(cs->kernel->limits.tasks);
		exec_zygote(exe_fd, pair[1], pair[1], notice_ro);
	}
	close(pair[1]);
	cs->zygote_sock = pair[0];
	cs->zygote_pid = pid;
	return pid < 0 ? -errno : 0;
}

/* A page we write and cells can only read: they get a read-only opening. */
static int make_notice(struct cells *cs, int *read_only)
{
	autoclose int fd = memfd_create("notice", MFD_CLOEXEC);
	char path[64];

	if (fd < 0 || ftruncate(fd, 4096) < 0)
		return -errno;
	cs->notice = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	                  0);
	if (cs->notice == MAP_FAILED)
		return -errno;
	atomic_store(&cs->notice->patch_hits, PATCH_HITS);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	*read_only = open(path, O_RDONLY | O_CLOEXEC);
	return *read_only < 0 ? -errno : 0;
}

int cellpool_create(struct kernel *k, int exe_fd, struct cells **out)
{
	struct cells *cs = calloc(1, sizeof(*cs));
	autoclose int notice_ro = -1;
	sigset_t chld;
	int err;

	if (!cs)
		return -ENOMEM;
	cs->kernel = k;
	cs->zygote_sock = -1;
	list_init(&cs->live);
	list_init(&cs->pool);
	list_init(&cs->warm);
	cs->sigchld.ready = reap;
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	cs->sigchld.fd = signalfd(-1, &chld, SFD_NONBLOCK | SFD_CLOEXEC);
	err = cs->sigchld.fd < 0 ? -errno : make_notice(cs, &notice_ro);
	if (err == 0)
		err = loop_add(&k->loop, &cs->sigchld, EPOLLIN);
	if (err == 0)
		err = start_zygote(cs, exe_fd, notice_ro);
	if (err < 0) {
		cellpool_destroy(cs);
		return err;
	}
	*out = cs;
	return 0;
}

static void end_host(pid_t pid)
{
	if (kill(pid, SIGKILL) == 0)
		(void)waitpid(pid, NULL, 0);
}

static void free_all(struct list *l)
{
	while (!list_empty(l)) {
		struct cell *c = list_first(l, struct cell, link);

		if (cellpool_hello(c))
			end_host(c->host_pid);
		cellpool_free(c);
	}
}

void cellpool_destroy(struct cells *cs)
{
	if (!cs)
		return;
	if (cs->zygote_pid > 0)
		end_host(cs->zygote_pid);
	free_all(&cs->live);
	free_all(&cs->warm);
	free_all(&cs->pool);
	/*
	 * Others are copies that a guest made behind our back.  They are not
	 * waited for: as process 1 of a namespace we take them along.
	 */
	loop_remove(&cs->kernel->loop, &cs->sigchld);
	close_fd(&cs->sigchld.fd);
	close_fd(&cs->zygote_sock);
	if (cs->notice && cs->notice != MAP_FAILED)
		munmap(cs->notice, 4096);
	free(cs);
}

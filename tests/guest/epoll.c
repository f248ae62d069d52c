/* SPDX-License-Identifier: Apache-2.0 */
/* epoll(7): level, edge, one-shot, nesting, exclusive waking, closing. */
#include "check.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

static struct epoll_event ev[16];

static void watch(int ep, int op, int fd, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.u64 = (uint64_t)fd};

	OK(epoll_ctl(ep, op, fd, &e));
}

static int ready(int ep)
{
	return epoll_wait(ep, ev, 16, 0);
}

static void errors(void)
{
	struct epoll_event e = {.events = EPOLLIN};
	int ep = epoll_create1(EPOLL_CLOEXEC), p[2], f;

	OK(ep);
	EQ(fcntl(ep, F_GETFD), FD_CLOEXEC);
	OK(pipe(p));
	FAILS(epoll_create(0), EINVAL);
	FAILS(epoll_create1(1), EINVAL);
	FAILS(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &e), ENOENT);
	FAILS(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], &e), ENOENT);
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e));
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e), EEXIST);
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &e), EINVAL);
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, -1, &e), EBADF);
	FAILS(epoll_ctl(p[0], EPOLL_CTL_ADD, p[1], &e), EINVAL);
	FAILS(epoll_ctl(ep, 77, p[0], &e), EINVAL);
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, p[1], NOWHERE), EFAULT);
	FAILS(epoll_wait(ep, ev, 0, 0), EINVAL);
	FAILS(epoll_wait(ep, ev, -1, 0), EINVAL);
	FAILS(epoll_wait(p[0], ev, 1, 0), EINVAL);
	FAILS(epoll_wait(-1, ev, 1, 0), EBADF);
	f = open("/etc/passwd", O_RDONLY);
	OK(f);
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, f, &e), EPERM);
	OK(close(f));
	OK(close(ep));
	OK(close(p[0]));
	OK(close(p[1]));
}

static void triggers(void)
{
	int ep = epoll_create1(0), p[2];

	OK(pipe(p));
	watch(ep, EPOLL_CTL_ADD, p[0], EPOLLIN);
	watch(ep, EPOLL_CTL_ADD, p[1], EPOLLOUT | EPOLLET);
	EQ(ready(ep), 1);
	EQ(ev[0].data.u64, p[1]);
	EQ(ev[0].events, EPOLLOUT);
	EQ(ready(ep), 0); /* the edge was told */
	tell(p[1]);
	EQ(ready(ep), 1);
	EQ(ev[0].data.u64, p[0]);
	EQ(ready(ep), 1); /* the level stays */
	await(p[0]);
	ready(ep); /* room again may count as a new edge for the writer */
	EQ(ready(ep), 0);
	/* Edge on the reader: each write is news. */
	watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET);
	EQ(ready(ep), 0);
	tell(p[1]);
	EQ(ready(ep), 1);
	EQ(ready(ep), 0);
	tell(p[1]);
	EQ(ready(ep), 1);
	await(p[0]);
	EQ(ready(ep), 0);
	/* Re-arming reports what is there. */
	watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET);
	EQ(ready(ep), 1);
	await(p[0]);
	/* One-shot: once, until armed again. */
	watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT);
	tell(p[1]);
	EQ(ready(ep), 1);
	EQ(ready(ep), 0);
	watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT);
	EQ(ready(ep), 1);
	/* Closing the other end comes unasked. */
	watch(ep, EPOLL_CTL_MOD, p[0], 0);
	OK(close(p[1]));
	EQ(ready(ep), 1);
	EQ(ev[0].events, EPOLLHUP);
	/* A closed descriptor leaves by itself. */
	OK(close(p[0]));
	EQ(ready(ep), 0);
	OK(close(ep));
}

/* The registration follows the open file, not the number. */
static void duplicates(void)
{
	int ep = epoll_create1(0), p[2], d;

	OK(pipe(p));
	watch(ep, EPOLL_CTL_ADD, p[0], EPOLLIN);
	d = dup(p[0]);
	watch(ep, EPOLL_CTL_ADD, d, EPOLLIN);
	tell(p[1]);
	EQ(ready(ep), 2);
	OK(close(p[0]));
	EQ(ready(ep), 2); /* still open through the other number */
	OK(close(d));
	EQ(ready(ep), 0);
	OK(close(ep));
	OK(close(p[1]));
}

static void nesting(void)
{
	int outer = epoll_create1(0), inner = epoll_create1(0), e;

	e = eventfd(0, EFD_NONBLOCK);
	watch(inner, EPOLL_CTL_ADD, e, EPOLLIN);
	watch(outer, EPOLL_CTL_ADD, inner, EPOLLIN);
	EQ(ready(outer), 0);
	OK(eventfd_write(e, 1));
	EQ(ready(outer), 1);
	EQ(ev[0].data.u64, inner);
	EQ(ready(inner), 1);
	FAILS(epoll_ctl(inner, EPOLL_CTL_ADD, outer,
	                &(struct epoll_event){.events = EPOLLIN}),
	      ELOOP);
	OK(close(e));
	EQ(ready(outer), 0);
	OK(close(inner));
	OK(close(outer));
}

/* More is ready than fits: everyone gets a turn. */
static void fairness(void)
{
	int ep = epoll_create1(0), fd[8], seen[8] = {0};

	for (int i = 0; i < 8; i++) {
		struct epoll_event e = {.events = EPOLLIN,
		                        .data.u64 = (uint64_t)i};

		fd[i] = eventfd(1, 0);
		OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd[i], &e));
	}
	for (int i = 0; i < 4; i++) {
		EQ(epoll_wait(ep, ev, 2, -1), 2);
		seen[ev[0].data.u64]++;
		seen[ev[1].data.u64]++;
	}
	for (int i = 0; i < 8; i++) {
		EQ(seen[i], 1);
		OK(close(fd[i]));
	}
	OK(close(ep));
}

struct waiter {
	int ep;
	int out;
};

static void wait_once(void *arg)
{
	struct waiter *w = arg;

	EQ(epoll_wait(w->ep, ev, 16, -1), 1);
	tell(w->out);
}

static void blocking(void)
{
	struct waiter w = {.ep = epoll_create1(0)};
	int e = eventfd(0, 0), p[2];
	pid_t pid;

	OK(pipe(p));
	w.out = p[1];
	watch(w.ep, EPOLL_CTL_ADD, e, EPOLLIN | EPOLLEXCLUSIVE);
	FAILS(epoll_ctl(w.ep, EPOLL_CTL_MOD, e,
	                &(struct epoll_event){.events = EPOLLIN}) == -1
	              ? -1
	              : 0,
	      EINVAL);
	pid = child(wait_once, &w);
	OK(eventfd_write(e, 1));
	await(p[0]);
	passes(pid);
	EQ(epoll_wait(w.ep, ev, 16, 0), 1);
	/* A time-out that passes. */
	{
		eventfd_t v;

		OK(eventfd_read(e, &v));
	}
	EQ(epoll_wait(w.ep, ev, 16, 1), 0);
	OK(close(w.ep));
	OK(close(e));
}

static void sockets(void)
{
	int ep = epoll_create1(0), s[2];

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	watch(ep, EPOLL_CTL_ADD, s[0], EPOLLIN | EPOLLRDHUP | EPOLLOUT);
	EQ(ready(ep), 1);
	EQ(ev[0].events, EPOLLOUT);
	EQ(send(s[1], "x", 1, 0), 1);
	EQ(ready(ep), 1);
	EQ(ev[0].events, EPOLLIN | EPOLLOUT);
	OK(shutdown(s[1], SHUT_WR));
	EQ(ready(ep), 1);
	EQ(ev[0].events, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
	OK(close(s[1]));
	EQ(ready(ep), 1);
	CHECK(ev[0].events & EPOLLHUP);
	OK(close(s[0]));
	OK(close(ep));
}

static volatile sig_atomic_t hit;

static void note(int sig)
{
	(void)sig;
	hit++;
}

static void with_mask(void)
{
	sigset_t set, old, none;
	int ep = epoll_create1(0);

	signal(SIGUSR1, note);
	sigemptyset(&none);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	OK(sigprocmask(SIG_BLOCK, &set, &old));
	OK(raise(SIGUSR1));
	FAILS(epoll_pwait(ep, ev, 1, -1, &none), EINTR);
	EQ(hit, 1);
	OK(sigprocmask(SIG_SETMASK, &old, NULL));
	OK(close(ep));
}

/* More events than fit into any buffer of ours. */
static void thousands(void)
{
	enum { MANY = 25000 };
	static struct epoll_event got[MANY + 1];
	static bool seen[MANY + 64];
	struct rlimit files;
	int ep = epoll_create1(0), e = eventfd(1, 0), last = e;

	OK(getrlimit(RLIMIT_NOFILE, &files));
	if (files.rlim_max < COUNT(seen))
		return; /* nobody lets us */
	files.rlim_cur = files.rlim_max;
	OK(setrlimit(RLIMIT_NOFILE, &files));
	watch(ep, EPOLL_CTL_ADD, e, EPOLLIN);
	for (int i = 1; i < MANY; i++) {
		last = dup(e);
		OK(last);
		watch(ep, EPOLL_CTL_ADD, last, EPOLLIN);
	}
	EQ(epoll_wait(ep, got, MANY + 1, 0), MANY);
	for (int i = 0; i < MANY; i++) {
		CHECK(got[i].data.u64 < COUNT(seen));
		CHECK(!seen[got[i].data.u64]);
		seen[got[i].data.u64] = true;
	}
	OK(close(ep));
	for (int fd = e; fd <= last; fd++)
		OK(close(fd));
}

int main(void)
{
	errors();
	triggers();
	duplicates();
	nesting();
	fairness();
	blocking();
	sockets();
	with_mask();
	thousands();
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* News by signal: O_ASYNC, F_SETOWN and F_SETSIG. */
#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>

static sigset_t news;

static void tells(int fd, int sig)
{
	OK(fcntl(fd, F_SETOWN, getpid()));
	OK(fcntl(fd, F_SETSIG, sig));
	OK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC));
	CHECK(fcntl(fd, F_GETFL) & O_ASYNC);
}

/* Nothing is pending. */
static void silence(void)
{
	struct timespec none = {0};

	FAILS(sigtimedwait(&news, NULL, &none), EAGAIN);
}

/* The next signal is about that descriptor and has that code. */
static void hears(int sig, int fd, int code)
{
	siginfo_t info;

	EQ(sigwaitinfo(&news, &info), sig);
	EQ(info.si_code, code);
	if (code == SI_KERNEL)
		return;
	EQ(info.si_fd, fd);
	CHECK(info.si_band & (code == POLL_IN    ? POLLIN
	                      : code == POLL_PRI ? POLLPRI
	                                         : POLLOUT));
}

static void pipes(void)
{
	char room[4096] = {0};
	int ends[2];

	OK(pipe2(ends, O_NONBLOCK));
	FAILS(fcntl(ends[0], F_SETOWN, 0x3fffffff), ESRCH);
	FAILS(fcntl(ends[0], F_SETSIG, 65), EINVAL);
	tells(ends[0], 0);
	EQ(fcntl(ends[0], F_GETOWN), getpid());
	silence();
	EQ(write(ends[1], "x", 1), 1);
	hears(SIGIO, 0, SI_KERNEL);
	silence();
	EQ(read(ends[0], room, 1), 1);
	silence();
	/* The signal of one's choice says more. */
	OK(fcntl(ends[0], F_SETSIG, SIGRTMIN));
	EQ(write(ends[1], "x", 1), 1);
	hears(SIGRTMIN, ends[0], POLL_IN);
	silence();
	OK(fcntl(ends[0], F_SETFL, O_NONBLOCK));
	EQ(read(ends[0], room, 1), 1);
	EQ(write(ends[1], "x", 1), 1);
	silence();
	EQ(read(ends[0], room, 1), 1);
	/* Room again. */
	while (write(ends[1], room, sizeof(room)) > 0)
		;
	tells(ends[1], SIGRTMIN + 1);
	while (read(ends[0], room, sizeof(room)) > 0)
		;
	hears(SIGRTMIN + 1, ends[1], POLL_OUT);
	OK(close(ends[1]));
	OK(close(ends[0]));
	OK(pipe(ends));
	tells(ends[0], SIGRTMIN);
	OK(close(ends[1]));
	hears(SIGRTMIN, ends[0], POLL_IN); /* its end */
	OK(close(ends[0]));
}

static void sockets(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(a);
	int ends[2], fd, on = 1, me = getpid();

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	OK(fcntl(ends[0], F_SETSIG, SIGRTMIN));
	OK(ioctl(ends[0], FIOSETOWN, &me));
	OK(ioctl(ends[0], FIOASYNC, &on));
	EQ(write(ends[1], "x", 1), 1);
	hears(SIGRTMIN, ends[0], POLL_IN);
	OK(close(ends[1]));
	while (sigtimedwait(&news, NULL, &(struct timespec){0}) > 0)
		; /* its end may be told twice */
	OK(close(ends[0]));
	/* Somebody calls. */
	OK(fd = socket(AF_INET, SOCK_STREAM, 0));
	OK(bind(fd, (struct sockaddr *)&a, size));
	OK(getsockname(fd, (struct sockaddr *)&a, &size));
	tells(fd, SIGRTMIN);
	OK(listen(fd, 1));
	OK(ends[1] = socket(AF_INET, SOCK_STREAM, 0));
	OK(connect(ends[1], (struct sockaddr *)&a, size));
	hears(SIGRTMIN, fd, POLL_IN);
	OK(ends[0] = accept(fd, NULL, NULL));
	tells(ends[0], SIGRTMIN);
	EQ(send(ends[1], "x", 1, 0), 1);
	hears(SIGRTMIN, ends[0], POLL_IN);
	OK(close(ends[1]));
	OK(close(ends[0]));
	OK(close(fd));
	while (sigtimedwait(&news, NULL, &(struct timespec){0}) > 0)
		;
}

static void terminals(void)
{
	int master, slave;
	char c[4];

	OK(openpty(&master, &slave, NULL, NULL, NULL));
	tells(slave, SIGRTMIN);
	EQ(write(master, "a\n", 2), 2);
	hears(SIGRTMIN, slave, POLL_IN);
	while (sigtimedwait(&news, NULL, &(struct timespec){0}) > 0)
		;
	EQ(read(slave, c, sizeof(c)), 2);
	OK(close(slave));
	OK(close(master));
	while (sigtimedwait(&news, NULL, &(struct timespec){0}) > 0)
		;
}

/* A file that cannot tell: the flag means nothing. */
static void others(void)
{
	int fd;

	OK(fd = eventfd(0, 0));
	OK(fcntl(fd, F_SETOWN, getpid()));
	OK(fcntl(fd, F_SETFL, O_ASYNC));
	EQ(write(fd, &(uint64_t){1}, 8), 8);
	silence();
	OK(close(fd));
}

struct hearer {
	int fd, ready[2];
};

static void *hear(void *arg)
{
	struct hearer *h = arg;
	struct f_owner_ex me = {F_OWNER_TID, gettid()};

	OK(fcntl(h->fd, F_SETOWN_EX, &me));
	tell(h->ready[1]);
	hears(SIGRTMIN, h->fd, POLL_IN);
	return NULL;
}

static void one_thread(void)
{
	struct hearer h;
	pthread_t id;
	int ends[2];

	OK(pipe(ends));
	OK(pipe(h.ready));
	h.fd = ends[0];
	tells(ends[0], SIGRTMIN);
	PTHREAD(pthread_create(&id, NULL, hear, &h));
	await(h.ready[0]);
	EQ(write(ends[1], "x", 1), 1);
	PTHREAD(pthread_join(id, NULL));
	silence();
	OK(close(ends[0]));
	OK(close(ends[1]));
}

static void member(void *arg)
{
	int *ready = arg;

	tell(ready[1]);
	hears(SIGRTMIN, ready[4], POLL_IN);
}

static void whole_group(void *arg)
{
	int ready[5], *ends = ready + 4;
	pid_t a, b;
	int both[2];

	(void)arg;
	OK(setpgid(0, 0));
	OK(pipe(ready));
	OK(pipe(both));
	ends[0] = both[0];
	a = child(member, ready);
	b = child(member, ready);
	await(ready[0]);
	await(ready[0]);
	tells(both[0], SIGRTMIN);
	OK(fcntl(both[0], F_SETOWN, -getpgrp()));
	EQ(fcntl(both[0], F_GETOWN), -getpgrp());
	EQ(write(both[1], "x", 1), 1);
	passes(a);
	passes(b);
	hears(SIGRTMIN, both[0], POLL_IN);
}

/* Who may not send signals to a process cannot make the kernel do it. */
static void stranger(void *arg)
{
	int *ends = arg;

	OK(setresuid(1234, 1234, 1234));
	OK(fcntl(ends[0], F_SETOWN, getppid()));
	OK(fcntl(ends[0], F_SETSIG, SIGRTMIN));
	OK(fcntl(ends[0], F_SETFL, O_ASYNC));
	EQ(write(ends[1], "x", 1), 1);
}

int main(void)
{
	int ends[2];

	sigemptyset(&news);
	sigaddset(&news, SIGIO);
	sigaddset(&news, SIGRTMIN);
	sigaddset(&news, SIGRTMIN + 1);
	OK(sigprocmask(SIG_BLOCK, &news, NULL));
	pipes();
	sockets();
	terminals();
	others();
	one_thread();
	apart(whole_group, NULL);
	if (getuid() == 0) {
		OK(pipe(ends));
		apart(stranger, ends);
		silence();
	}
	return 0;
}

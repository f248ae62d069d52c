/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data on the move between many: rings of processes and threads over every
 * kind of descriptor, with signals coming in between.  Nothing is lost, and
 * nobody sleeps for ever.
 */
#include "check.h"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { MEMBERS = 6, ROUNDS = 200, BLOCKS = 64, BLOCK = 30000 };

static volatile sig_atomic_t ticks;

static void tick(int sig)
{
	(void)sig;
	ticks++;
}

/* Signals every millisecond from here on; calls go on after them. */
static void alarms(int flags)
{
	struct sigaction sa = {.sa_handler = tick, .sa_flags = flags};
	struct itimerval it = {{0, 1000}, {0, 1000}};

	OK(sigaction(SIGALRM, &sa, NULL));
	OK(setitimer(ITIMER_REAL, &it, NULL));
}

static void no_alarms(void)
{
	struct itimerval it = {{0, 0}, {0, 0}};

	OK(setitimer(ITIMER_REAL, &it, NULL));
}

static void wait_poll(int fd)
{
	struct pollfd p = {fd, POLLIN, 0};

	while (poll(&p, 1, -1) < 0)
		EQ(errno, EINTR);
	EQ(p.revents & POLLIN, POLLIN);
}

static void wait_select(int fd)
{
	fd_set in;
	int n;

	do {
		FD_ZERO(&in);
		FD_SET(fd, &in);
		n = select(fd + 1, &in, NULL, NULL, NULL);
		if (n < 0)
			EQ(errno, EINTR);
	} while (n < 0);
	EQ(n, 1);
}

static void wait_epoll(int fd)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLET};
	int ep = epoll_create1(0), n;

	OK(ep);
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	do
		n = epoll_wait(ep, &e, 1, -1);
	while (n < 0 && errno == EINTR);
	EQ(n, 1);
	OK(close(ep));
}

static void wait_not(int fd)
{
	(void)fd; /* the read waits */
}

static void (*const waits[])(int) = {wait_not, wait_poll, wait_select,
                                     wait_epoll};

struct member {
	int in, out;
	int which;
};

/* Takes the token, counts it up, passes it on. */
static void pass_on(void *arg)
{
	struct member *m = arg;
	uint64_t v;

	alarms(SA_RESTART);
	for (int i = 0; i < ROUNDS; i++) {
		waits[(m->which + i) % COUNT(waits)](m->in);
		EQ(read(m->in, &v, 8), 8);
		v++;
		EQ(write(m->out, &v, 8), 8);
	}
	no_alarms();
}

static void make_pipe(int fd[2])
{
	OK(pipe(fd));
}

static void make_sockets(int fd[2])
{
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
}

static void make_counter(int fd[2])
{
	fd[0] = eventfd(0, 0);
	OK(fd[0]);
	fd[1] = dup(fd[0]);
	OK(fd[1]);
}

static void make_fifo(int fd[2])
{
	OK(mkfifo("ring", 0600));
	fd[0] = open("ring", O_RDWR);
	OK(fd[0]);
	fd[1] = open("ring", O_WRONLY);
	OK(fd[1]);
	OK(unlink("ring"));
}

static void (*const makers[])(int[2]) = {make_pipe, make_sockets, make_counter,
                                         make_fifo};

static void ring(void)
{
	struct member m[MEMBERS];
	int link[MEMBERS][2];
	pid_t pid[MEMBERS];
	uint64_t v = 1;

	for (int i = 0; i < MEMBERS; i++)
		makers[i % COUNT(makers)](link[i]);
	for (int i = 1; i < MEMBERS; i++) {
		m[i] = (struct member){link[i - 1][0], link[i][1], i};
		pid[i] = child(pass_on, &m[i]);
	}
	for (int i = 0; i < ROUNDS; i++) {
		EQ(write(link[0][1], &v, 8), 8);
		EQ(read(link[MEMBERS - 1][0], &v, 8), 8);
	}
	EQ(v, 1 + ROUNDS * (MEMBERS - 1));
	for (int i = 1; i < MEMBERS; i++)
		passes(pid[i]);
	for (int i = 0; i < MEMBERS; i++) {
		OK(close(link[i][0]));
		OK(close(link[i][1]));
	}
}

static void *pass_in_thread(void *arg)
{
	struct member *m = arg;
	uint64_t v;

	for (int i = 0; i < ROUNDS; i++) {
		waits[(m->which + i) % COUNT(waits)](m->in);
		EQ(read(m->in, &v, 8), 8);
		v++;
		EQ(write(m->out, &v, 8), 8);
	}
	return NULL;
}

static void ring_of_threads(void)
{
	struct member m[MEMBERS];
	int link[MEMBERS][2];
	pthread_t t[MEMBERS];
	uint64_t v = 1;

	for (int i = 0; i < MEMBERS; i++)
		makers[i % COUNT(makers)](link[i]);
	for (int i = 1; i < MEMBERS; i++) {
		m[i] = (struct member){link[i - 1][0], link[i][1], i};
		PTHREAD(pthread_create(&t[i], NULL, pass_in_thread, &m[i]));
	}
	for (int i = 0; i < ROUNDS; i++) {
		EQ(write(link[0][1], &v, 8), 8);
		EQ(read(link[MEMBERS - 1][0], &v, 8), 8);
	}
	EQ(v, 1 + ROUNDS * (MEMBERS - 1));
	for (int i = 1; i < MEMBERS; i++)
		PTHREAD(pthread_join(t[i], NULL));
	for (int i = 0; i < MEMBERS; i++) {
		OK(close(link[i][0]));
		OK(close(link[i][1]));
	}
}

static unsigned char at(long i)
{
	return (unsigned char)(i * 31 + i / 257);
}

/* Writes much, in pieces a signal may cut. */
static void pour(void *arg)
{
	static unsigned char block[BLOCK];
	int fd = *(int *)arg;
	long sent = 0;

	alarms(0);
	while (sent < (long)BLOCKS * BLOCK) {
		ssize_t n;

		for (int i = 0; i < BLOCK; i++)
			block[i] = at(sent + i);
		n = write(fd, block, BLOCK);
		if (n < 0)
			EQ(errno, EINTR);
		else
			sent += n;
		if (sent > (long)BLOCKS * BLOCK - BLOCK)
			break;
	}
	no_alarms();
	while (sent < (long)BLOCKS * BLOCK) {
		unsigned char c = at(sent);

		EQ(write(fd, &c, 1), 1);
		sent++;
	}
}

static void stream(int fd[2])
{
	static unsigned char buf[70001];
	long got = 0;
	ssize_t n;
	pid_t pid;

	pid = child(pour, &fd[1]);
	OK(close(fd[1]));
	alarms(0);
	for (;;) {
		n = read(fd[0], buf, sizeof(buf));
		if (n < 0) {
			EQ(errno, EINTR);
			continue;
		}
		if (n == 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			EQ(buf[i], at(got + i));
		got += n;
	}
	no_alarms();
	EQ(got, (long)BLOCKS * BLOCK);
	passes(pid);
	OK(close(fd[0]));
}

/* Many writers into one set of pipes, one reader with epoll. */
static void write_marks(void *arg)
{
	int *fd = arg;

	for (int i = 0; i < ROUNDS; i++)
		EQ(write(fd[i % MEMBERS], "m", 1), 1);
}

static void gather(uint32_t how)
{
	struct epoll_event e[4];
	int in[MEMBERS], out[MEMBERS], p[2], ep = epoll_create1(0);
	long got = 0;
	pid_t pid[3];
	char buf[7];

	for (int i = 0; i < MEMBERS; i++) {
		OK(pipe2(p, O_NONBLOCK));
		in[i] = p[0];
		out[i] = p[1];
		e[0] = (struct epoll_event){.events = EPOLLIN | how,
		                            .data.fd = p[0]};
		OK(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e[0]));
	}
	for (int i = 0; i < 3; i++)
		pid[i] = child(write_marks, out);
	while (got < 3 * ROUNDS) {
		int n = epoll_wait(ep, e, 4, -1);

		CHECK(n > 0);
		for (int i = 0; i < n; i++) {
			ssize_t r;

			while ((r = read(e[i].data.fd, buf, 7)) > 0)
				got += r;
			EQ(errno, EAGAIN);
			if (how & EPOLLONESHOT)
				OK(epoll_ctl(ep, EPOLL_CTL_MOD, e[i].data.fd,
				             &(struct epoll_event){
						     .events = EPOLLIN | how,
						     .data = e[i].data}));
		}
	}
	EQ(got, 3 * ROUNDS);
	for (int i = 0; i < 3; i++)
		passes(pid[i]);
	EQ(epoll_wait(ep, e, 4, 0), 0);
	for (int i = 0; i < MEMBERS; i++) {
		OK(close(in[i]));
		OK(close(out[i]));
	}
	OK(close(ep));
}

int main(void)
{
	int fd[2];

	scratch();
	ring();
	ring_of_threads();
	OK(pipe(fd));
	stream(fd);
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	stream(fd);
	gather(0);
	gather(EPOLLET);
	gather(EPOLLONESHOT);
	return 0;
}

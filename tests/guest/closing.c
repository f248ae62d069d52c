/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A descriptor closed by one thread while another waits in a call on it: the
 * call keeps the file, and ends as if nothing had happened.
 */
#include "check.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

struct wait_on {
	int fd;
	_Atomic pid_t tid;
	long result;
};

static void *reads(void *arg)
{
	struct wait_on *w = arg;
	char c = 0;

	w->tid = gettid();
	w->result = read(w->fd, &c, 1);
	return (void *)(long)c;
}

static void *polls(void *arg)
{
	struct wait_on *w = arg;
	struct pollfd pf = {w->fd, POLLIN, 0};

	w->tid = gettid();
	w->result = poll(&pf, 1, -1);
	return (void *)(long)pf.revents;
}

static void *accepts(void *arg)
{
	struct wait_on *w = arg;

	w->tid = gettid();
	w->result = accept(w->fd, NULL, NULL);
	return NULL;
}

/* Starts a thread, and returns once it sleeps in its call. */
static pthread_t start(struct wait_on *w, void *run(void *))
{
	char path[64], stat[512];
	pthread_t t;

	w->tid = 0;
	EQ(pthread_create(&t, NULL, run, w), 0);
	while (w->tid == 0)
		OK(sched_yield());
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", w->tid);
	do
		get_file(path, stat, sizeof(stat));
	while (strrchr(stat, ')')[2] != 'S');
	return t;
}

static long end(pthread_t t)
{
	void *ret;

	EQ(pthread_join(t, &ret), 0);
	return (long)ret;
}

static void reading(void)
{
	struct wait_on w;
	pthread_t t;
	int p[2];

	OK(pipe(p));
	w.fd = p[0];
	t = start(&w, reads);
	OK(close(p[0]));
	FAILS(fcntl(p[0], F_GETFD), EBADF);
	EQ(write(p[1], "x", 1), 1); /* somebody still reads */
	EQ(end(t), 'x');
	EQ(w.result, 1);
	FAILS(write(p[1], "x", 1), EPIPE);
	OK(close(p[1]));
}

/* The number means another file by now. */
static void replaced(void)
{
	struct wait_on w;
	int p[2], q[2];
	pthread_t t;

	OK(pipe(p));
	OK(pipe(q));
	w.fd = p[0];
	t = start(&w, reads);
	OK(dup2(q[0], p[0]));
	EQ(write(q[1], "q", 1), 1);
	EQ(write(p[1], "p", 1), 1);
	EQ(end(t), 'p');
	OK(close(p[0]));
	OK(close(p[1]));
	OK(close(q[0]));
	OK(close(q[1]));
}

static void polling(void)
{
	struct wait_on w;
	pthread_t t;
	int p[2];

	OK(pipe(p));
	w.fd = p[0];
	t = start(&w, polls);
	OK(close(p[0]));
	/* It waits for the file, and then asks what the number means. */
	EQ(write(p[1], "x", 1), 1);
	EQ(end(t), POLLNVAL);
	EQ(w.result, 1);
	OK(close(p[1]));
}

static void accepting(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(at);
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	int c = socket(AF_UNIX, SOCK_STREAM, 0);
	struct wait_on w = {.fd = s};
	pthread_t t;

	/* A name that nobody else has. */
	OK(bind(s, (struct sockaddr *)&at, sizeof(at.sun_family)));
	OK(getsockname(s, (struct sockaddr *)&at, &size));
	OK(listen(s, 1));
	t = start(&w, accepts);
	OK(close(s));
	OK(connect(c, (struct sockaddr *)&at, size));
	end(t);
	OK(close((int)w.result));
	OK(close(c));
}

int main(void)
{
	OK(signal(SIGPIPE, SIG_IGN) == SIG_ERR ? -1 : 0);
	reading();
	replaced();
	polling();
	accepting();
	return 0;
}

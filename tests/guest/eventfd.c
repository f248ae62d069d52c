/* SPDX-License-Identifier: Apache-2.0 */
/* eventfd(2), timerfd_create(2), signalfd(2). */
#include "check.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>

static short state(int fd)
{
	struct pollfd pf = {fd, POLLIN | POLLOUT, 0};

	OK(poll(&pf, 1, 0));
	return pf.revents;
}

static void read_event(void *arg)
{
	eventfd_t v;

	OK(eventfd_read(*(int *)arg, &v));
	EQ(v, 3);
}

static void events(void)
{
	uint64_t v = 0;
	int fd = eventfd(2, EFD_NONBLOCK | EFD_CLOEXEC);
	pid_t pid;

	OK(fd);
	EQ(state(fd), POLLIN | POLLOUT);
	EQ(read(fd, &v, 8), 8);
	EQ(v, 2);
	FAILS(read(fd, &v, 8), EAGAIN);
	EQ(state(fd), POLLOUT);
	FAILS(read(fd, &v, 4), EINVAL);
	FAILS(write(fd, &v, 4), EINVAL);
	v = UINT64_MAX;
	FAILS(write(fd, &v, 8), EINVAL);
	v = UINT64_MAX - 1;
	EQ(write(fd, &v, 8), 8);
	EQ(state(fd), POLLIN);
	v = 1;
	FAILS(write(fd, &v, 8), EAGAIN);
	OK(close(fd));
	FAILS(eventfd(0, 0x100), EINVAL);

	fd = eventfd(3, EFD_SEMAPHORE);
	for (int i = 0; i < 3; i++) {
		EQ(read(fd, &v, 8), 8);
		EQ(v, 1);
	}
	EQ(state(fd), POLLOUT);
	OK(close(fd));

	fd = eventfd(0, 0);
	pid = child(read_event, &fd);
	OK(eventfd_write(fd, 3));
	passes(pid);
	OK(close(fd));
}

static void timers(void)
{
	struct itimerspec set = {{0, 0}, {0, 1000000}}, got;
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct timespec now;
	uint64_t v;

	OK(fd);
	OK(timerfd_gettime(fd, &got));
	EQ(got.it_value.tv_sec + got.it_value.tv_nsec, 0);
	OK(timerfd_settime(fd, 0, &set, NULL));
	EQ(read(fd, &v, 8), 8); /* waits for it */
	EQ(v, 1);
	EQ(state(fd), 0);
	/* An interval: several may have passed. */
	set.it_interval.tv_nsec = 1000000;
	OK(timerfd_settime(fd, 0, &set, NULL));
	EQ(read(fd, &v, 8), 8);
	CHECK(v >= 1);
	EQ(read(fd, &v, 8), 8);
	CHECK(v >= 1);
	/* Disarmed, with what was set before. */
	memset(&set, 0, sizeof(set));
	OK(timerfd_settime(fd, 0, &set, &got));
	EQ(got.it_interval.tv_nsec, 1000000);
	OK(fcntl(fd, F_SETFL, O_NONBLOCK));
	FAILS(read(fd, &v, 8), EAGAIN);
	/* A moment that has passed: at once, or as soon as the host's clock can. */
	OK(clock_gettime(CLOCK_MONOTONIC, &now));
	set.it_value = now;
	OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &set, NULL));
	EQ(poll(&p, 1, -1), 1);
	EQ(read(fd, &v, 8), 8);
	EQ(v, 1);
	/* Far away: what is left can be seen. */
	set.it_value.tv_sec = 1000;
	set.it_value.tv_nsec = 0;
	OK(timerfd_settime(fd, 0, &set, NULL));
	OK(timerfd_gettime(fd, &got));
	CHECK(got.it_value.tv_sec <= 1000 && got.it_value.tv_sec > 900);
	FAILS(read(fd, &v, 4), EINVAL);
	FAILS(write(fd, &v, 8), EINVAL);
	set.it_value.tv_nsec = 1000000000;
	FAILS(timerfd_settime(fd, 0, &set, NULL), EINVAL);
	FAILS(timerfd_settime(0x7fff, 0, &got, NULL), EBADF);
	FAILS(timerfd_create(99, 0), EINVAL);
	FAILS(timerfd_create(CLOCK_MONOTONIC, 0x1), EINVAL);
	OK(close(fd));
	fd = timerfd_create(CLOCK_REALTIME, 0);
	OK(fd);
	OK(close(fd));
}

static void send_to_parent(void *arg)
{
	(void)arg;
	OK(sigqueue(getppid(), SIGRTMIN, (union sigval){.sival_int = 55}));
}

static void signals(void)
{
	struct signalfd_siginfo si[2];
	sigset_t set, old;
	pid_t pid;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	OK(sigprocmask(SIG_BLOCK, &set, &old));
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	OK(fd);
	FAILS(read(fd, si, sizeof(si)), EAGAIN);
	FAILS(read(fd, si, 10), EINVAL);
	EQ(state(fd), 0);
	OK(raise(SIGUSR1));
	EQ(state(fd), POLLIN);
	OK(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 44}));
	EQ(read(fd, si, sizeof(si)), sizeof(si));
	EQ(si[0].ssi_signo, SIGUSR1);
	EQ(si[0].ssi_pid, getpid());
	EQ(si[1].ssi_signo, SIGRTMIN);
	EQ(si[1].ssi_int, 44);
	EQ(si[1].ssi_code, SI_QUEUE);
	EQ(state(fd), 0);
	OK(fcntl(fd, F_SETFL, 0));
	pid = child(send_to_parent, NULL);
	EQ(read(fd, si, sizeof(si)), sizeof(si[0]));
	EQ(si[0].ssi_int, 55);
	EQ(si[0].ssi_pid, pid);
	passes(pid);
	/* The set can be changed later. */
	sigdelset(&set, SIGUSR1);
	EQ(signalfd(fd, &set, 0), fd);
	OK(raise(SIGUSR1));
	EQ(state(fd), 0);
	sigaddset(&set, SIGUSR1);
	EQ(signalfd(fd, &set, 0), fd);
	EQ(state(fd), POLLIN);
	EQ(read(fd, si, sizeof(si)), sizeof(si[0]));
	FAILS(signalfd(-1, &set, 0x7), EINVAL);
	FAILS(signalfd(0, &set, 0) == -1 ? -1 : 0, EINVAL);
	OK(close(fd));
	OK(sigprocmask(SIG_SETMASK, &old, NULL));
}

int main(void)
{
	events();
	timers();
	signals();
	return 0;
}

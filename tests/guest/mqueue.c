/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX message queues. */
#include "check.h"

#include <mqueue.h>
#include <poll.h>
#include <time.h>

static char name[64];

static void clean(void)
{
	mq_unlink(name);
}

static void order(void)
{
	struct mq_attr a = {.mq_maxmsg = 4, .mq_msgsize = 16}, got;
	char buf[16];
	unsigned prio;
	mqd_t q;

	FAILS(mq_open(name, O_RDWR), ENOENT);
	q = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600, &a);
	if (q < 0 && errno == ENOSYS)
		SKIP("no message queues in this kernel");
	OK(q);
	FAILS(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &a), EEXIST);
	OK(mq_getattr(q, &got));
	EQ(got.mq_maxmsg, 4);
	EQ(got.mq_msgsize, 16);
	EQ(got.mq_curmsgs, 0);
	EQ(got.mq_flags, O_NONBLOCK);
	FAILS(mq_receive(q, buf, 16, NULL), EAGAIN);
	OK(mq_send(q, "low", 3, 1));
	OK(mq_send(q, "high", 4, 9));
	OK(mq_send(q, "low too", 7, 1));
	OK(mq_send(q, "", 0, 5));
	FAILS(mq_send(q, "full", 4, 1), EAGAIN);
	FAILS(mq_send(q, "much too long for it", 20, 1), EMSGSIZE);
	FAILS(mq_send(q, "x", 1, 32768), EINVAL);
	FAILS(mq_receive(q, buf, 15, NULL), EMSGSIZE);
	EQ(mq_receive(q, buf, 16, &prio), 4);
	EQ(prio, 9);
	CHECK(!memcmp(buf, "high", 4));
	EQ(mq_receive(q, buf, 16, &prio), 0);
	EQ(prio, 5);
	EQ(mq_receive(q, buf, 16, &prio), 3);
	EQ(mq_receive(q, buf, 16, &prio), 7);
	CHECK(!memcmp(buf, "low too", 7));
	OK(mq_close(q));
	FAILS(mq_send(q, "x", 1, 1), EBADF);
}

static void answer(void *arg)
{
	mqd_t q = mq_open(name, O_RDWR);
	char buf[16];

	(void)arg;
	OK(q);
	EQ(mq_receive(q, buf, 16, NULL), 4);
	CHECK(!memcmp(buf, "ping", 4));
	for (int i = 0; i < 20; i++)
		OK(mq_send(q, "pong", 4, 0));
}

static void waiting(void)
{
	mqd_t q = mq_open(name, O_RDWR);
	struct timespec past = {1, 0};
	struct pollfd p = {q, POLLIN, 0};
	char buf[16];
	pid_t pid;

	OK(q);
	EQ(poll(&p, 1, 0), 0);
	FAILS(mq_timedreceive(q, buf, 16, NULL, &past), ETIMEDOUT);
	OK(mq_send(q, "ping", 4, 0));
	pid = child(answer, NULL);
	while (mq_receive(q, buf, 16, NULL) == 4 && !memcmp(buf, "ping", 4))
		OK(mq_send(q, "ping", 4, 0)); /* it was for the child */
	CHECK(!memcmp(buf, "pong", 4));
	for (int i = 1; i < 20; i++)
		EQ(mq_receive(q, buf, 16, NULL), 4);
	passes(pid);
	OK(mq_close(q));
}

static volatile sig_atomic_t told;

static void on_message(int sig, siginfo_t *si, void *uc)
{
	(void)sig, (void)uc;
	told = si->si_value.sival_int;
}

static void notification(void)
{
	struct sigaction sa = {.sa_sigaction = on_message,
	                       .sa_flags = SA_SIGINFO};
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL,
	                      .sigev_signo = SIGUSR1,
	                      .sigev_value.sival_int = 42};
	mqd_t q = mq_open(name, O_RDWR);
	char buf[16];

	OK(q);
	OK(sigaction(SIGUSR1, &sa, NULL));
	OK(mq_notify(q, &ev));
	FAILS(mq_notify(q, &ev), EBUSY);
	OK(mq_send(q, "a", 1, 0));
	EQ(told, 42);
	told = 0;
	EQ(mq_receive(q, buf, 16, NULL), 1);
	OK(mq_send(q, "b", 1, 0)); /* only once */
	EQ(told, 0);
	EQ(mq_receive(q, buf, 16, NULL), 1);
	OK(mq_notify(q, &ev));
	OK(mq_notify(q, NULL));
	OK(mq_send(q, "c", 1, 0));
	EQ(told, 0);
	OK(mq_unlink(name));
	FAILS(mq_open(name, O_RDWR), ENOENT);
	EQ(mq_receive(q, buf, 16, NULL), 1); /* lives while it is open */
	OK(mq_close(q));
	FAILS(mq_unlink(name), ENOENT);
}

int main(void)
{
	snprintf(name, sizeof(name), "/guest.%d", getpid());
	order();
	atexit(clean);
	waiting();
	notification();
	return 0;
}

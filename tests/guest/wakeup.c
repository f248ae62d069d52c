/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signal that comes just before a thread goes to sleep wakes it all the
 * same: in futex(2), natively or not, and in calls that wait elsewhere.
 */
#include "check.h"

#include <linux/futex.h>
#include <pthread.h>
#include <time.h>

#define TURNS 300

static _Atomic int word;
static _Atomic int handled;
static _Atomic int ready;

static void handler(int sig)
{
	(void)sig;
	handled++;
}

static void *sleeper(void *arg)
{
	struct timespec long_time = {.tv_sec = 60};
	bool timed = arg != NULL;

	for (int i = 0; i < TURNS; i++) {
		ready = i + 1;
		/* Only a signal ends this. */
		FAILS(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0,
		              timed ? &long_time : NULL, NULL, 0),
		      EINTR);
		while (handled < i + 1)
			;
	}
	return NULL;
}

static void race(bool timed)
{
	pthread_t t;

	handled = ready = 0;
	PTHREAD(pthread_create(&t, NULL, sleeper, timed ? &word : NULL));
	for (int i = 0; i < TURNS; i++) {
		while (ready < i + 1)
			;
		/* From "at once" to "surely asleep". */
		for (volatile int k = 0; k < i * 20; k++)
			;
		/*
		 * Between its readiness and its wait a signal may be handled
		 * first; then the wait has to be ended by another.
		 */
		while (handled < i + 1 || ready < i + 2) {
			if (pthread_kill(t, SIGUSR1))
				break;
			sched_yield();
			if (i + 1 == TURNS && handled >= TURNS)
				break;
		}
	}
	pthread_kill(t, SIGUSR1);
	for (;;) {
		struct timespec soon;

		clock_gettime(CLOCK_REALTIME, &soon);
		soon.tv_nsec += 1000000;
		if (soon.tv_nsec >= 1000000000) {
			soon.tv_sec++;
			soon.tv_nsec -= 1000000000;
		}
		if (pthread_timedjoin_np(t, NULL, &soon) == 0)
			break;
		pthread_kill(t, SIGUSR1);
	}
}

/* With SA_RESTART an endless wait goes on, and a wake still ends it. */
static void *restarted(void *arg)
{
	(void)arg;
	ready = 1;
	EQ(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), 0);
	return NULL;
}

static void restarts(void)
{
	struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART};
	pthread_t t;

	OK(sigaction(SIGUSR1, &sa, NULL));
	ready = handled = 0;
	PTHREAD(pthread_create(&t, NULL, restarted, NULL));
	while (!ready)
		;
	for (int i = 0; i < 50; i++) {
		PTHREAD(pthread_kill(t, SIGUSR1));
		while (handled <= i)
			;
	}
	while (syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL,
	               0) != 1)
		sched_yield();
	PTHREAD(pthread_join(t, NULL));
}

int main(void)
{
	struct sigaction sa = {.sa_handler = handler};

	OK(sigaction(SIGUSR1, &sa, NULL));
	race(false);
	race(true);
	restarts();
	return 0;
}

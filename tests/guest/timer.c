/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, sleeping, interval timers and POSIX timers. */
#include "check.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

static volatile sig_atomic_t hits;
static volatile int value, code;

static void note(int sig, siginfo_t *si, void *uc)
{
	(void)sig, (void)uc;
	hits++;
	value = si->si_value.sival_int;
	code = si->si_code;
}

static void handle(int sig)
{
	struct sigaction sa = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};

	sigemptyset(&sa.sa_mask);
	OK(sigaction(sig, &sa, NULL));
	hits = 0;
}

static long nanos(struct timespec t)
{
	return t.tv_sec * 1000000000 + t.tv_nsec;
}

static void clocks(void)
{
	static const clockid_t ids[] = {
		CLOCK_REALTIME,           CLOCK_MONOTONIC,
		CLOCK_MONOTONIC_RAW,      CLOCK_REALTIME_COARSE,
		CLOCK_MONOTONIC_COARSE,   CLOCK_BOOTTIME,
		CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
	};
	struct timespec a, b;
	struct timeval tv;
	struct tms tms;

	for (size_t i = 0; i < COUNT(ids); i++) {
		OK(clock_gettime(ids[i], &a));
		OK(syscall(SYS_clock_gettime, ids[i], &b));
		CHECK(nanos(b) >= nanos(a) - 20000000);
		OK(clock_getres(ids[i], &b));
		CHECK(nanos(b) > 0);
	}
	FAILS(syscall(SYS_clock_gettime, 77, &a), EINVAL);
	FAILS(syscall(SYS_clock_gettime, 0, NOWHERE), EFAULT);
	OK(clock_gettime(CLOCK_REALTIME, &a));
	OK(gettimeofday(&tv, NULL));
	CHECK(labs(tv.tv_sec - a.tv_sec) < 100);
	CHECK(labs(time(NULL) - a.tv_sec) < 100);
	CHECK(times(&tms) != (clock_t)-1);
	EQ(clock_settime(CLOCK_MONOTONIC, &a), -1);
}

static void sleeping(void)
{
	struct timespec ms = {0, 2000000}, a, b, rem, bad = {0, 1000000000};

	OK(clock_gettime(CLOCK_MONOTONIC, &a));
	OK(nanosleep(&ms, NULL));
	OK(clock_gettime(CLOCK_MONOTONIC, &b));
	CHECK(nanos(b) - nanos(a) >= 2000000);
	FAILS(nanosleep(&bad, NULL), EINVAL);
	bad.tv_nsec = -1;
	FAILS(nanosleep(&bad, NULL), EINVAL);
	FAILS(nanosleep(NOWHERE, NULL), EFAULT);
	/* Up to a moment; one that has passed is no wait. */
	a = b;
	a.tv_nsec += 2000000;
	if (a.tv_nsec >= 1000000000) {
		a.tv_nsec -= 1000000000;
		a.tv_sec++;
	}
	EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &a, NULL), 0);
	OK(clock_gettime(CLOCK_MONOTONIC, &b));
	CHECK(nanos(b) >= nanos(a));
	EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &a, NULL), 0);
	EQ(clock_nanosleep(77, 0, &a, NULL), EINVAL);
	/* A handler cuts a sleep short, and the rest is told. */
	handle(SIGALRM);
	{
		struct itimerval soon = {{0, 0}, {0, 2000}};

		OK(setitimer(ITIMER_REAL, &soon, NULL));
	}
	a = (struct timespec){1000, 0};
	FAILS(nanosleep(&a, &rem), EINTR);
	EQ(hits, 1);
	CHECK(rem.tv_sec <= 999 && rem.tv_sec > 900);
}

static void interval(void)
{
	struct itimerval it = {{0, 1000}, {0, 1000}}, got;
	sigset_t none, block, old;

	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGALRM);
	OK(sigprocmask(SIG_BLOCK, &block, &old));
	handle(SIGALRM);
	OK(setitimer(ITIMER_REAL, &it, NULL));
	while (hits < 5)
		FAILS(sigsuspend(&none), EINTR);
	OK(getitimer(ITIMER_REAL, &got));
	EQ(got.it_interval.tv_usec, 1000);
	memset(&it, 0, sizeof(it));
	OK(setitimer(ITIMER_REAL, &it, &got));
	EQ(got.it_interval.tv_usec, 1000);
	OK(getitimer(ITIMER_REAL, &got));
	EQ(got.it_value.tv_sec + got.it_value.tv_usec, 0);
	EQ(alarm(1000), 0);
	CHECK(alarm(0) > 900);
	it.it_value.tv_usec = 1000000;
	FAILS(setitimer(ITIMER_REAL, &it, NULL), EINVAL);
	FAILS(setitimer((__itimer_which_t)9, &got, NULL), EINVAL);
	OK(sigprocmask(SIG_SETMASK, &old, NULL));
}

static void burn(int which, int sig)
{
	struct itimerval it = {{0, 0}, {0, 20000}};

	handle(sig);
	OK(setitimer((__itimer_which_t)which, &it, NULL));
	while (!hits)
		;
	EQ(hits, 1);
}

static void posix_timers(void)
{
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL,
	                      .sigev_signo = SIGRTMIN,
	                      .sigev_value.sival_int = 4711};
	struct itimerspec it = {{0, 0}, {0, 1000000}}, got;
	sigset_t none, block, old;
	timer_t id, two;

	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGRTMIN);
	OK(sigprocmask(SIG_BLOCK, &block, &old));
	handle(SIGRTMIN);
	OK(timer_create(CLOCK_MONOTONIC, &ev, &id));
	OK(timer_gettime(id, &got));
	EQ(nanos(got.it_value), 0);
	OK(timer_settime(id, 0, &it, NULL));
	FAILS(sigsuspend(&none), EINTR);
	EQ(hits, 1);
	EQ(value, 4711);
	EQ(code, SI_TIMER);
	EQ(timer_getoverrun(id), 0);
	/* While it is blocked, later ones are counted, not queued. */
	it.it_interval.tv_nsec = 1000000;
	OK(timer_settime(id, 0, &it, NULL));
	OK(nanosleep(&(struct timespec){0, 20000000}, NULL));
	FAILS(sigsuspend(&none), EINTR);
	CHECK(timer_getoverrun(id) > 0);
	OK(timer_delete(id));
	ev.sigev_notify = SIGEV_NONE;
	OK(timer_create(CLOCK_REALTIME, &ev, &two));
	it = (struct itimerspec){{0, 0}, {1000, 0}};
	OK(timer_settime(two, 0, &it, NULL));
	OK(timer_gettime(two, &got));
	CHECK(got.it_value.tv_sec > 900 && got.it_value.tv_sec <= 1000);
	OK(timer_delete(two));
	FAILS(syscall(SYS_timer_delete, 99), EINVAL);
	FAILS(syscall(SYS_timer_create, 77, NULL, &id), EINVAL);
	OK(sigprocmask(SIG_SETMASK, &old, NULL));
}

static void no_timers(void *arg)
{
	struct itimerval got;

	(void)arg;
	OK(getitimer(ITIMER_REAL, &got));
	EQ(got.it_value.tv_sec, 0);
}

static void across_fork(void)
{
	struct itimerval it = {{0, 0}, {1000, 0}};

	OK(setitimer(ITIMER_REAL, &it, NULL));
	apart(no_timers, NULL);
	OK(getitimer(ITIMER_REAL, &it));
	CHECK(it.it_value.tv_sec > 900);
	alarm(0);
}

static long cpu_time(clockid_t clock)
{
	struct timespec now;

	OK(clock_gettime(clock, &now));
	return nanos(now);
}

/* Uses 30 ms by its own clock. */
static void *use_time(void *arg)
{
	struct rusage ru;

	while (cpu_time(CLOCK_THREAD_CPUTIME_ID) < 30000000)
		;
	OK(getrusage(RUSAGE_THREAD, &ru));
	CHECK(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec > 0 ||
	      ru.ru_utime.tv_usec + ru.ru_stime.tv_usec >= 29000);
	return arg;
}

static void threads_apart(void)
{
	long own = cpu_time(CLOCK_THREAD_CPUTIME_ID);
	long all = cpu_time(CLOCK_PROCESS_CPUTIME_ID);
	pthread_t t;

	EQ(pthread_create(&t, NULL, use_time, NULL), 0);
	EQ(pthread_join(t, NULL), 0);
	own = cpu_time(CLOCK_THREAD_CPUTIME_ID) - own;
	all = cpu_time(CLOCK_PROCESS_CPUTIME_ID) - all;
	CHECK(own >= 0 && all > own + 20000000);
	FAILS(syscall(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, NOWHERE),
	      EFAULT);
}

int main(void)
{
	clocks();
	threads_apart();
	sleeping();
	interval();
	burn(ITIMER_VIRTUAL, SIGVTALRM);
	burn(ITIMER_PROF, SIGPROF);
	posix_timers();
	across_fork();
	return 0;
}

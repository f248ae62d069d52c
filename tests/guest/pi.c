/* SPDX-License-Identifier: Apache-2.0 */
/* Locks with priority inheritance, and robust lists. */
#include "check.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>

#define THREADS 8
#define TURNS   2000

static pthread_mutex_t mutex;
static long total;

static void make(pthread_mutex_t *m, int type, bool robust, bool shared)
{
	pthread_mutexattr_t attr;

	PTHREAD(pthread_mutexattr_init(&attr));
	PTHREAD(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT));
	PTHREAD(pthread_mutexattr_settype(&attr, type));
	if (robust)
		PTHREAD(pthread_mutexattr_setrobust(&attr,
		                                    PTHREAD_MUTEX_ROBUST));
	if (shared)
		PTHREAD(pthread_mutexattr_setpshared(&attr,
		                                     PTHREAD_PROCESS_SHARED));
	PTHREAD(pthread_mutex_init(m, &attr));
	PTHREAD(pthread_mutexattr_destroy(&attr));
}

static void *count(void *arg)
{
	for (int i = 0; i < TURNS; i++) {
		PTHREAD(pthread_mutex_lock(&mutex));
		total++;
		if (i % 64 == 0)
			sched_yield(); /* so that the others must wait */
		PTHREAD(pthread_mutex_unlock(&mutex));
	}
	return arg;
}

static void *timed(void *arg)
{
	struct timespec soon;

	OK(clock_gettime(CLOCK_REALTIME, &soon));
	EQ(pthread_mutex_trylock(&mutex), EBUSY);
	EQ(pthread_mutex_timedlock(&mutex, &soon), ETIMEDOUT);
	OK(clock_gettime(CLOCK_MONOTONIC, &soon));
	EQ(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &soon), ETIMEDOUT);
	EQ(pthread_mutex_unlock(&mutex), EPERM);
	return arg;
}

static void in(void *(*work)(void *))
{
	pthread_t t;

	PTHREAD(pthread_create(&t, NULL, work, NULL));
	PTHREAD(pthread_join(t, NULL));
}

static void threads(void)
{
	pthread_t t[THREADS];

	make(&mutex, PTHREAD_MUTEX_NORMAL, false, false);
	for (int i = 0; i < THREADS; i++)
		PTHREAD(pthread_create(&t[i], NULL, count, NULL));
	for (int i = 0; i < THREADS; i++)
		PTHREAD(pthread_join(t[i], NULL));
	EQ(total, THREADS * TURNS);
	PTHREAD(pthread_mutex_destroy(&mutex));

	make(&mutex, PTHREAD_MUTEX_ERRORCHECK, false, false);
	PTHREAD(pthread_mutex_lock(&mutex));
	EQ(pthread_mutex_lock(&mutex), EDEADLK);
	in(timed);
	PTHREAD(pthread_mutex_unlock(&mutex));
	EQ(pthread_mutex_unlock(&mutex), EPERM);
	PTHREAD(pthread_mutex_destroy(&mutex));
}

static void *lock_and_go(void *arg)
{
	PTHREAD(pthread_mutex_lock(&mutex));
	return arg;
}

static void owners_that_die(void)
{
	make(&mutex, PTHREAD_MUTEX_NORMAL, true, false);
	in(lock_and_go);
	EQ(pthread_mutex_lock(&mutex), EOWNERDEAD);
	PTHREAD(pthread_mutex_consistent(&mutex));
	PTHREAD(pthread_mutex_unlock(&mutex));
	PTHREAD(pthread_mutex_lock(&mutex));
	PTHREAD(pthread_mutex_unlock(&mutex));
	PTHREAD(pthread_mutex_destroy(&mutex));
}

/* Somebody waits in another process while the owner dies. */
static void between_processes(void)
{
	pthread_mutex_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int ready[2];
	char byte;
	pid_t pid;

	CHECK(shared != MAP_FAILED);
	make(shared, PTHREAD_MUTEX_NORMAL, true, true);
	OK(pipe(ready));
	pid = fork();
	OK(pid);
	if (pid == 0) {
		PTHREAD(pthread_mutex_lock(shared));
		EQ(write(ready[1], "x", 1), 1);
		/* Until somebody waits for it. */
		while (!(*(volatile uint32_t *)shared & FUTEX_WAITERS))
			sched_yield();
		_exit(0);
	}
	EQ(read(ready[0], &byte, 1), 1);
	EQ(pthread_mutex_lock(shared), EOWNERDEAD);
	PTHREAD(pthread_mutex_consistent(shared));
	PTHREAD(pthread_mutex_unlock(shared));
	EQ(reap(pid), 0);
	OK(munmap(shared, 4096));
}

static long futex(uint32_t *word, int op)
{
	return syscall(SYS_futex, word, op, 0, NULL, NULL, 0);
}

static void words(void)
{
	uint32_t tid = (uint32_t)gettid(), word = 0;

	OK(futex(&word, FUTEX_LOCK_PI));
	EQ(word & FUTEX_TID_MASK, tid);
	FAILS(futex(&word, FUTEX_LOCK_PI), EDEADLK);
	FAILS(futex(&word, FUTEX_TRYLOCK_PI), EDEADLK);
	OK(futex(&word, FUTEX_UNLOCK_PI));
	EQ(word, 0);
	FAILS(futex(&word, FUTEX_UNLOCK_PI), EPERM);
	OK(futex(&word, FUTEX_TRYLOCK_PI));
	EQ(word, tid);
	OK(futex(&word, FUTEX_UNLOCK_PI));
	FAILS(futex((uint32_t *)((char *)&word + 1), FUTEX_LOCK_PI), EINVAL);
	FAILS(futex(NOWHERE, FUTEX_LOCK_PI), EFAULT);
	FAILS(futex(NOWHERE, FUTEX_UNLOCK_PI), EFAULT);
}

static void *my_list(void *arg)
{
	struct robust_list_head *head = NULL, other;
	size_t size = 0;

	/* libc gives every thread one. */
	OK(syscall(SYS_get_robust_list, 0, &head, &size));
	CHECK(head);
	EQ(size, sizeof(*head));
	OK(syscall(SYS_set_robust_list, &other, sizeof(other)));
	FAILS(syscall(SYS_set_robust_list, &other, 8), EINVAL);
	size = 0;
	OK(syscall(SYS_get_robust_list, gettid(), arg, &size));
	CHECK(*(struct robust_list_head **)arg == &other);
	EQ(size, sizeof(other));
	FAILS(syscall(SYS_get_robust_list, 0, NOWHERE, &size), EFAULT);
	FAILS(syscall(SYS_get_robust_list, 0, &arg, NOWHERE), EFAULT);
	FAILS(syscall(SYS_get_robust_list, 0x3fffffff, &arg, &size), ESRCH);
	OK(syscall(SYS_set_robust_list, head, sizeof(*head)));
	return NULL;
}

static void lists(void)
{
	void *found = NULL;
	pthread_t t;

	PTHREAD(pthread_create(&t, NULL, my_list, &found));
	PTHREAD(pthread_join(t, NULL));
	CHECK(found);
	my_list(&found);
}

int main(void)
{
	threads();
	owners_that_die();
	between_processes();
	words();
	lists();
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Threads: many of them, their locks, their deaths. */
#include "check.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static __thread long local = 7;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static long total;

static void *add(void *arg)
{
	EQ(local, 7);
	local = (long)arg;
	for (int i = 0; i < 1000; i++) {
		PTHREAD(pthread_mutex_lock(&mutex));
		total++;
		PTHREAD(pthread_mutex_unlock(&mutex));
	}
	EQ(local, (long)arg);
	return arg;
}

static void many(void)
{
	pthread_t t[16];
	void *ret;

	for (int round = 0; round < 10; round++) {
		total = 0;
		for (size_t i = 0; i < COUNT(t); i++)
			PTHREAD(pthread_create(&t[i], NULL, add, (void *)i));
		for (size_t i = 0; i < COUNT(t); i++) {
			PTHREAD(pthread_join(t[i], &ret));
			EQ((long)ret, i);
		}
		EQ(total, 16000);
	}
	EQ(local, 7);
}

static void *nothing(void *arg)
{
	return arg;
}

static void one_by_one(void)
{
	for (int i = 0; i < 500; i++) {
		pthread_t t;

		PTHREAD(pthread_create(&t, NULL, nothing, NULL));
		PTHREAD(pthread_join(t, NULL));
	}
}

static int turn;

static void *ping(void *arg)
{
	for (int i = 0; i < 1000; i++) {
		PTHREAD(pthread_mutex_lock(&mutex));
		while (turn != (arg != NULL))
			PTHREAD(pthread_cond_wait(&cond, &mutex));
		turn = !turn;
		PTHREAD(pthread_cond_broadcast(&cond));
		PTHREAD(pthread_mutex_unlock(&mutex));
	}
	return NULL;
}

static void in_turn(void)
{
	pthread_t a, b;

	PTHREAD(pthread_create(&a, NULL, ping, NULL));
	PTHREAD(pthread_create(&b, NULL, ping, &b));
	PTHREAD(pthread_join(a, NULL));
	PTHREAD(pthread_join(b, NULL));
	EQ(turn, 0);
}

static void *ids(void *arg)
{
	pid_t *out = arg;

	out[0] = getpid();
	out[1] = gettid();
	out[2] = getppid();
	return NULL;
}

static void identities(void)
{
	pid_t got[3];
	pthread_t t;

	EQ(gettid(), getpid());
	PTHREAD(pthread_create(&t, NULL, ids, got));
	PTHREAD(pthread_join(t, NULL));
	EQ(got[0], getpid());
	CHECK(got[1] != getpid());
	EQ(got[2], getppid());
	FAILS(syscall(SYS_tgkill, getpid(), got[1], 0), ESRCH);
}

static void *exit_all(void *arg)
{
	(void)arg;
	exit(21);
}

static void *wait_on(void *arg)
{
	char c;

	EQ(read(*(int *)arg, &c, 1), 1);
	return NULL;
}

static void *spin(void *arg)
{
	for (;;)
		(*(volatile long *)arg)++;
	return NULL;
}

/* One thread ends all: those who wait and those who run. */
static void group_exit(void *arg)
{
	static volatile long x;
	int p[2];
	pthread_t t;

	(void)arg;
	OK(pipe(p));
	PTHREAD(pthread_create(&t, NULL, wait_on, &p[0]));
	PTHREAD(pthread_create(&t, NULL, spin, (void *)&x));
	PTHREAD(pthread_create(&t, NULL, exit_all, NULL));
	for (;;)
		pause();
}

static void *outlive(void *arg)
{
	int *p = arg;

	/* Goes on when the first thread is gone, and sets the status. */
	await(p[0]);
	_exit(22);
}

static void leader_leaves(void *arg)
{
	static int p[2];
	pthread_t t;

	(void)arg;
	OK(pipe(p));
	PTHREAD(pthread_create(&t, NULL, outlive, p));
	tell(p[1]);
	pthread_exit(NULL);
}

static void *run_true(void *arg)
{
	execl("/bin/sh", "sh", "-c", arg, NULL);
	_exit(99);
}

/* exec from a thread: the others go, and the pid stays. */
static void thread_exec(void *arg)
{
	static volatile long x;
	char text[64];
	pthread_t t;

	(void)arg;
	snprintf(text, sizeof(text), "test $$ = %d && exit 23", getpid());
	PTHREAD(pthread_create(&t, NULL, spin, (void *)&x));
	PTHREAD(pthread_create(&t, NULL, run_true, text));
	for (;;)
		pause();
}

struct shared {
	pthread_mutex_t mutex;
	sem_t sem;
	int value;
};

static void hold_and_die(void *arg)
{
	struct shared *s = arg;

	PTHREAD(pthread_mutex_lock(&s->mutex));
	s->value = 1;
	_exit(0); /* the lock dies with us */
}

static void *hold_and_end(void *arg)
{
	PTHREAD(pthread_mutex_lock(&((struct shared *)arg)->mutex));
	return NULL;
}

static void post_all(void *arg)
{
	for (int i = 0; i < 100; i++)
		OK(sem_post(&((struct shared *)arg)->sem));
}

static void between_processes(void)
{
	struct shared *s = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attr;
	pthread_t t;
	pid_t pid;

	PTHREAD(pthread_mutexattr_init(&attr));
	PTHREAD(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	PTHREAD(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	PTHREAD(pthread_mutex_init(&s->mutex, &attr));
	apart(hold_and_die, s);
	EQ(s->value, 1);
	EQ(pthread_mutex_lock(&s->mutex), EOWNERDEAD);
	PTHREAD(pthread_mutex_consistent(&s->mutex));
	PTHREAD(pthread_mutex_unlock(&s->mutex));
	PTHREAD(pthread_create(&t, NULL, hold_and_end, s));
	PTHREAD(pthread_join(t, NULL));
	EQ(pthread_mutex_lock(&s->mutex), EOWNERDEAD);
	PTHREAD(pthread_mutex_consistent(&s->mutex));
	PTHREAD(pthread_mutex_unlock(&s->mutex));

	OK(sem_init(&s->sem, 1, 0));
	pid = child(post_all, s);
	for (int i = 0; i < 100; i++)
		OK(sem_wait(&s->sem));
	passes(pid);
	FAILS(sem_trywait(&s->sem), EAGAIN);
	OK(munmap(s, 4096));
}

static void futexes(void)
{
	uint32_t word = 5;
	struct timespec none = {0, 1000};

	FAILS(syscall(SYS_futex, &word, FUTEX_WAIT, 4, NULL, NULL, 0), EAGAIN);
	FAILS(syscall(SYS_futex, &word, FUTEX_WAIT, 5, &none, NULL, 0),
	      ETIMEDOUT);
	EQ(syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
	FAILS(syscall(SYS_futex, (char *)&word + 1, FUTEX_WAIT, 5, NULL, NULL,
	              0),
	      EINVAL);
	FAILS(syscall(SYS_futex, NOWHERE, FUTEX_WAIT, 5, NULL, NULL, 0),
	      EFAULT);
	FAILS(syscall(SYS_futex, &word, 99, 5, NULL, NULL, 0), ENOSYS);
	none.tv_nsec = -1;
	FAILS(syscall(SYS_futex, &word, FUTEX_WAIT, 5, &none, NULL, 0), EINVAL);
}

static volatile sig_atomic_t handled_by;

static void note_thread(int sig)
{
	(void)sig;
	handled_by = gettid();
}

static void *be_target(void *arg)
{
	int *p = arg;
	sigset_t none;
	pid_t me = gettid();

	EQ(write(p[1], &me, sizeof(me)), sizeof(me));
	sigemptyset(&none);
	sigsuspend(&none);
	EQ(handled_by, me);
	return NULL;
}

/* A signal to one thread, and one to the process that only one takes. */
static void to_a_thread(void)
{
	sigset_t set, old;
	pthread_t t;
	int p[2];
	pid_t tid;

	OK(pipe(p));
	signal(SIGUSR1, note_thread);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	PTHREAD(pthread_sigmask(SIG_BLOCK, &set, &old));
	for (int i = 0; i < 2; i++) {
		handled_by = 0;
		PTHREAD(pthread_create(&t, NULL, be_target, p));
		EQ(read(p[0], &tid, sizeof(tid)), sizeof(tid));
		if (i == 0)
			PTHREAD(pthread_kill(t, SIGUSR1));
		else
			OK(kill(getpid(), SIGUSR1));
		PTHREAD(pthread_join(t, NULL));
		EQ(handled_by, tid);
	}
	PTHREAD(pthread_sigmask(SIG_SETMASK, &old, NULL));
}

static void *cancel_me(void *arg)
{
	char c;

	(void)!read(*(int *)arg, &c, 1); /* a cancellation point */
	return NULL;
}

static void cancelling(void)
{
	pthread_t t;
	void *ret;
	int p[2];

	OK(pipe(p));
	PTHREAD(pthread_create(&t, NULL, cancel_me, p));
	PTHREAD(pthread_cancel(t));
	PTHREAD(pthread_join(t, &ret));
	CHECK(ret == PTHREAD_CANCELED);
}

static void *fork_here(void *arg)
{
	pid_t pid = fork();

	(void)arg;
	OK(pid);
	if (pid == 0) {
		if (gettid() != getpid())
			_exit(1);
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	passes(pid);
	return NULL;
}

static void forking(void)
{
	pthread_t t[4];

	for (size_t i = 0; i < COUNT(t); i++)
		PTHREAD(pthread_create(&t[i], NULL, fork_here, NULL));
	for (size_t i = 0; i < COUNT(t); i++)
		PTHREAD(pthread_join(t[i], NULL));
}

static void *named(void *arg)
{
	char buf[32];

	(void)arg;
	PTHREAD(pthread_setname_np(pthread_self(), "a-thread"));
	PTHREAD(pthread_getname_np(pthread_self(), buf, sizeof(buf)));
	CHECK(!strcmp(buf, "a-thread"));
	return NULL;
}

static void names(void)
{
	char buf[32];
	pthread_t t;

	PTHREAD(pthread_create(&t, NULL, named, NULL));
	PTHREAD(pthread_join(t, NULL));
	OK(prctl(PR_GET_NAME, buf));
	CHECK(!strcmp(buf, "threads"));
}

static void barrier_of_all(void)
{
	pthread_barrier_t b;

	PTHREAD(pthread_barrier_init(&b, NULL, 1));
	EQ(pthread_barrier_wait(&b), PTHREAD_BARRIER_SERIAL_THREAD);
	PTHREAD(pthread_barrier_destroy(&b));
	OK(sched_yield());
}

int main(void)
{
	many();
	one_by_one();
	in_turn();
	identities();
	EQ(WEXITSTATUS(reap(child(group_exit, NULL))), 21);
	EQ(WEXITSTATUS(reap(child(leader_leaves, NULL))), 22);
	EQ(WEXITSTATUS(reap(child(thread_exec, NULL))), 23);
	between_processes();
	futexes();
	to_a_thread();
	cancelling();
	forking();
	names();
	barrier_of_all();
	return 0;
}

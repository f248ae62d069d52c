/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vfork(2) and clones like it: the child shares memory, has ids, descriptors
 * and signals of its own, and the parent waits for exec or exit.
 */
#include "check.h"

#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>

static volatile int shared;
static volatile pid_t seen_pid, seen_ppid;

static void exits(void *arg)
{
	pid_t me = getpid(), pid;
	int status;

	(void)arg;
	for (int i = 0; i < 20; i++) {
		shared = 0;
		pid = vfork();
		OK(pid);
		if (pid == 0) {
			seen_pid = getpid();
			seen_ppid = getppid();
			shared = 42;
			_exit(7);
		}
		/* It has happened before we go on. */
		EQ(shared, 42);
		EQ(seen_pid, pid);
		EQ(seen_ppid, me);
		EQ(getpid(), me);
		status = reap(pid);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	}
}

static void execs(void *arg)
{
	char *argv[] = {"sh", "-c", "exit 9", NULL};
	char *none[] = {NULL};
	int status;
	pid_t pid;

	(void)arg;
	for (int i = 0; i < 5; i++) {
		pid = vfork();
		OK(pid);
		if (pid == 0) {
			execve("/does/not/exist", argv, none);
			shared = errno;
			execve("/bin/sh", argv, none);
			_exit(1);
		}
		EQ(shared, ENOENT);
		status = reap(pid);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 9);
	}
}

/* What the child does to its descriptors is its own. */
static void descriptors(void *arg)
{
	int fd = open("/dev/null", O_RDONLY);
	pid_t pid;

	(void)arg;
	OK(fd);
	pid = vfork();
	OK(pid);
	if (pid == 0) {
		close(fd);
		_exit(0);
	}
	OK(fcntl(fd, F_GETFD));
	reap(pid);
	close(fd);
}

static volatile int handled;

static void handler(int sig)
{
	handled = sig;
}

static void signals(void *arg)
{
	sigset_t set, old;
	pid_t pid;

	(void)arg;
	signal(SIGUSR1, handler);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	OK(sigprocmask(SIG_SETMASK, &set, NULL));
	pid = vfork();
	OK(pid);
	if (pid == 0) {
		signal(SIGUSR1, SIG_DFL);
		sigfillset(&old);
		sigprocmask(SIG_SETMASK, &old, NULL);
		_exit(0);
	}
	reap(pid);
	OK(sigprocmask(SIG_SETMASK, NULL, &old));
	EQ(sigismember(&old, SIGUSR2), 1);
	EQ(sigismember(&old, SIGTERM), 0);
	OK(raise(SIGUSR1));
	EQ(handled, SIGUSR1);
}

static int on_own_stack(void *arg)
{
	*(int *)arg = getpid();
	return 3;
}

static void own_stack(void *arg)
{
	size_t size = 65536;
	char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE,
	                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int child_pid = 0, status;
	pid_t pid;

	(void)arg;
	CHECK(stack != MAP_FAILED);
	pid = clone(on_own_stack, stack + size,
	            CLONE_VM | CLONE_VFORK | SIGCHLD, &child_pid);
	OK(pid);
	EQ(child_pid, pid);
	status = reap(pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

static void spawns(void *arg)
{
	char *argv[] = {"true", NULL};
	char *none[] = {NULL};
	pid_t pid;

	(void)arg;
	for (int i = 0; i < 10; i++) {
		EQ(posix_spawn(&pid, "/bin/true", NULL, NULL, argv, none), 0);
		passes(pid);
	}
	CHECK(posix_spawn(&pid, "/does/not/exist", NULL, NULL, argv, none) ==
	      ENOENT);
}

/* A child of a vfork child. */
static void chain(void *arg)
{
	int status;
	pid_t pid;

	(void)arg;
	pid = vfork();
	OK(pid);
	if (pid == 0) {
		pid_t inner = vfork();

		if (inner == 0)
			_exit(5);
		_exit(WEXITSTATUS(reap(inner)) + 1);
	}
	status = reap(pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 6);
}

int main(void)
{
	apart(exits, NULL);
	apart(execs, NULL);
	apart(descriptors, NULL);
	apart(signals, NULL);
	apart(own_stack, NULL);
	apart(spawns, NULL);
	apart(chain, NULL);
	return 0;
}

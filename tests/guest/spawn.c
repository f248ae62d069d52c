/* SPDX-License-Identifier: Apache-2.0 */
/* vfork(2), posix_spawn(3), system(3), popen(3). */
#include "check.h"

#include <pthread.h>
#include <spawn.h>

static volatile int mark;

static void borrowed_memory(void)
{
	pid_t me = getpid(), pid;
	int status;

	pid = vfork();
	if (pid == 0) {
		mark = getpid() != me && getppid() == me ? 1 : 2;
		_exit(5);
	}
	OK(pid);
	EQ(mark, 1); /* the child's writing is ours */
	status = reap(pid);
	EQ(WEXITSTATUS(status), 5);
	EQ(getpid(), me);
	pid = vfork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", "exit 6", NULL);
		_exit(99);
	}
	EQ(WEXITSTATUS(reap(pid)), 6);
	pid = vfork();
	if (pid == 0) {
		execl("/none/such", "x", NULL);
		mark = errno;
		_exit(7);
	}
	EQ(mark, ENOENT);
	EQ(WEXITSTATUS(reap(pid)), 7);
	/* Descriptors are the child's own. */
	pid = vfork();
	if (pid == 0) {
		close(0);
		_exit(0);
	}
	passes(pid);
	OK(fcntl(0, F_GETFD));
}

static void spawning(void)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	char *argv[] = {"sh", "-c",
	                "read x; echo got $x; test $$ = `ps -o pgid= "
	                "-p $$ 2>/dev/null || echo $$`",
	                NULL};
	char *simple[] = {"sh", "-c", "exit 9", NULL}, buf[32] = "";
	int in[2], out[2];
	sigset_t set;
	pid_t pid;

	EQ(posix_spawn(&pid, "/none/such", NULL, NULL, simple, environ),
	   ENOENT);
	EQ(posix_spawn(&pid, "/bin/sh", NULL, NULL, simple, environ), 0);
	EQ(WEXITSTATUS(reap(pid)), 9);
	OK(pipe2(in, O_CLOEXEC));
	OK(pipe2(out, O_CLOEXEC));
	EQ(posix_spawn_file_actions_init(&fa), 0);
	EQ(posix_spawn_file_actions_adddup2(&fa, in[0], 0), 0);
	EQ(posix_spawn_file_actions_adddup2(&fa, out[1], 1), 0);
	EQ(posix_spawnattr_init(&attr), 0);
	sigemptyset(&set);
	EQ(posix_spawnattr_setsigmask(&attr, &set), 0);
	EQ(posix_spawnattr_setpgroup(&attr, 0), 0);
	EQ(posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
	                                           POSIX_SPAWN_SETPGROUP),
	   0);
	argv[2] = "read x; echo got $x";
	EQ(posix_spawnp(&pid, "sh", &fa, &attr, argv, environ), 0);
	EQ(getpgid(pid), pid);
	OK(close(out[1]));
	EQ(write(in[1], "this\n", 5), 5);
	EQ(read(out[0], buf, sizeof(buf)), 9);
	CHECK(!memcmp(buf, "got this\n", 9));
	passes(pid);
}

static void *spawn_many(void *arg)
{
	char *argv[] = {"true", NULL};

	(void)arg;
	for (int i = 0; i < 20; i++) {
		pid_t pid;

		EQ(posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ),
		   0);
		passes(pid);
	}
	return NULL;
}

static void from_threads(void)
{
	pthread_t t[4];

	for (size_t i = 0; i < COUNT(t); i++)
		EQ(pthread_create(&t[i], NULL, spawn_many, NULL), 0);
	for (size_t i = 0; i < COUNT(t); i++)
		EQ(pthread_join(t[i], NULL), 0);
}

static void shells(void)
{
	char buf[64];
	FILE *f;

	EQ(WEXITSTATUS(system("exit 3")), 3);
	EQ(WTERMSIG(system("kill -TERM $$")), SIGTERM);
	f = popen("echo one; echo two", "r");
	CHECK(f);
	CHECK(fgets(buf, sizeof(buf), f) && !strcmp(buf, "one\n"));
	CHECK(fgets(buf, sizeof(buf), f) && !strcmp(buf, "two\n"));
	EQ(pclose(f), 0);
}

int main(void)
{
	int null = open("/dev/null", O_RDONLY);

	if (fcntl(0, F_GETFD) < 0)
		OK(dup2(null, 0));
	borrowed_memory();
	spawning();
	from_threads();
	shells();
	return 0;
}

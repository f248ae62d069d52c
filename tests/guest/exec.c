/* SPDX-License-Identifier: Apache-2.0 */
/* execve(2): arguments, scripts, descriptors, errors. */
#include "check.h"

#include <limits.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static char self[PATH_MAX];

/* Runs ourselves, or a path, with arguments; the child's exit status. */
static int run(const char *path, char *const argv[], char *const envp[])
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	OK(pid);
	if (pid == 0) {
		execve(path, argv, envp);
		fprintf(stderr, "execve %s: %s\n", path, strerror(errno));
		_exit(99);
	}
	status = reap(pid);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* What the program does when it finds itself started with a role. */
static int role(int argc, char **argv)
{
	char buf[64], path[PATH_MAX];
	sigset_t set;
	ssize_t n;

	if (!strcmp(argv[1], "closes")) {
		FAILS(fcntl(atoi(argv[2]), F_GETFD), EBADF);
		tell(atoi(argv[3]));
		OK(close(atoi(argv[3])));
		return 0;
	}
	if (!strcmp(argv[1], "args")) {
		EQ(argc, 5);
		CHECK(!strcmp(argv[2], "a b") && !argv[3][0]);
		CHECK(!strcmp(argv[4], "c") && !argv[5]);
		CHECK(!strcmp(getenv("KEY"), "value"));
		CHECK(!getenv("PATH"));
		return 11;
	}
	if (!strcmp(argv[1], "fds")) {
		FAILS(fcntl(atoi(argv[2]), F_GETFD), EBADF);
		EQ(fcntl(atoi(argv[3]), F_GETFD), 0);
		return 12;
	}
	if (!strcmp(argv[1], "signals")) {
		CHECK(signal(SIGUSR1, SIG_DFL) == SIG_IGN);
		CHECK(signal(SIGUSR2, SIG_DFL) == SIG_DFL);
		OK(sigprocmask(SIG_SETMASK, NULL, &set));
		CHECK(sigismember(&set, SIGHUP));
		OK(sigpending(&set));
		CHECK(sigismember(&set, SIGHUP));
		return 13;
	}
	if (!strcmp(argv[1], "names")) {
		OK(prctl(PR_GET_NAME, buf));
		/* By its name, by descriptor 3, by /proc/self/exe. */
		CHECK(!strcmp(buf, "exec") || !strcmp(buf, "3") ||
		      !strcmp(buf, "exe"));
		n = readlink("/proc/self/exe", path, sizeof(path) - 1);
		CHECK(n > 0);
		path[n] = 0;
		CHECK(!strcmp(path, argv[2]));
		return 14;
	}
	if (!strcmp(argv[1], "pid"))
		return getpid() == atoi(argv[2]) ? 15 : 1;
	/* As the interpreter of a script: argv is ours, its argument, it. */
	if (!strcmp(argv[1], "as-interp")) {
		EQ(argc, 4);
		CHECK(!strcmp(argv[2], "./script"));
		CHECK(!strcmp(argv[3], "more"));
		return 16;
	}
	if (!strcmp(argv[1], "count"))
		return argc == atoi(argv[2]) + 3 ? 17 : 1;
	return 1;
}

static void arguments(void)
{
	char *argv[] = {"name", "args", "a b", "", "c", NULL};
	char *envp[] = {"KEY=value", NULL};

	EQ(run(self, argv, envp), 11);
}

static void descriptors(void)
{
	char a[16], b[16], *argv[] = {"x", "fds", a, b, NULL};
	int kept = open("/", O_RDONLY), gone = open("/", O_RDONLY | O_CLOEXEC);

	snprintf(a, sizeof(a), "%d", gone);
	snprintf(b, sizeof(b), "%d", kept);
	EQ(run(self, argv, environ), 12);
	OK(fcntl(gone, F_SETFD, 0));
	OK(fcntl(kept, F_SETFD, FD_CLOEXEC));
	argv[2] = b;
	argv[3] = a;
	EQ(run(self, argv, environ), 12);
	OK(close(kept));
	OK(close(gone));
}

static void noop(int sig)
{
	(void)sig;
}

static void with_signals(void *arg)
{
	char *argv[] = {"x", "signals", NULL};
	sigset_t set;

	(void)arg;
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, noop);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	raise(SIGHUP); /* stays pending across the exec */
	execv(self, argv);
	_exit(99);
}

static void same_pid(void *arg)
{
	char pid[16], *argv[] = {"x", "pid", pid, NULL};

	(void)arg;
	snprintf(pid, sizeof(pid), "%d", getpid());
	execv(self, argv);
	_exit(99);
}

static void by_descriptor(void)
{
	char *argv[] = {"x", "names", self, NULL};
	int fd = open(self, O_PATH | O_CLOEXEC), status;
	pid_t pid;

	OK(fd);
	pid = fork();
	if (pid == 0) {
		fexecve(fd, argv, environ);
		_exit(99);
	}
	status = reap(pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 14);
	EQ(run("/proc/self/exe", argv, environ), 14);
	EQ(run(self, argv, environ), 14);
	OK(close(fd));
}

/* The shebang line names us, with one argument of its own. */
static void scripts(void)
{
	char text[PATH_MAX + 32], *argv[] = {"./script", "more", NULL};
	char *loop[] = {"./loop", NULL};
	int fd, status;
	pid_t pid;

	snprintf(text, sizeof(text), "#!%s as-interp\nrest\n", self);
	put_file("script", text);
	OK(chmod("script", 0755));
	EQ(run("./script", argv, environ), 16);
	snprintf(text, sizeof(text), "#!  %s   as-interp  \n", self);
	put_file("script", text);
	EQ(run("./script", argv, environ), 16);
	put_file("script", "#!/bin/sh\nexit 23\n");
	EQ(run("./script", argv, environ), 23);
	/* A script whose interpreter is a script. */
	put_file("outer", "#!./script\n");
	OK(chmod("outer", 0755));
	EQ(run("./outer", argv, environ), 23);
	put_file("loop", "#!./loop\n");
	OK(chmod("loop", 0755));
	FAILS(execv("./loop", loop), ELOOP);
	put_file("loop", "#!/none/such\n");
	FAILS(execv("./loop", loop), ENOENT);
	put_file("loop", "#!\n");
	FAILS(execv("./loop", loop), ENOEXEC);
	/* A script behind a descriptor that closes cannot be read again. */
	fd = open("script", O_RDONLY | O_CLOEXEC);
	pid = fork();
	if (pid == 0) {
		fexecve(fd, argv, environ);
		_exit(errno == ENOENT ? 31 : 1);
	}
	status = reap(pid);
	EQ(WEXITSTATUS(status), 31);
	OK(close(fd));
}

static void errors(void)
{
	char *argv[] = {"x", NULL}, *no_args[] = {NULL};

	FAILS(execv("none", argv), ENOENT);
	FAILS(execv("/", argv), EACCES);
	put_file("plain", "no magic here");
	FAILS(execv("plain", argv), EACCES);
	OK(chmod("plain", 0755));
	FAILS(execv("plain", argv), ENOEXEC);
	put_file("elf", "\177ELF then nothing");
	OK(chmod("elf", 0755));
	FAILS(execv("elf", argv), ENOEXEC);
	put_file("void", "");
	OK(chmod("void", 0755));
	FAILS(execv("void", argv), ENOEXEC);
	FAILS(execv("plain/x", argv), ENOTDIR);
	FAILS(execve(NOWHERE, argv, environ), EFAULT);
	FAILS(execve(self, NOWHERE, environ), EFAULT);
	(void)no_args;
}

static void big_args(void)
{
	enum { N = 20000 };
	char **argv = calloc(N + 4, sizeof(char *)), number[16];
	char *huge = malloc(200000), *one[] = {"x", huge, NULL};
	struct rlimit rl = {8 << 20, 8 << 20};

	snprintf(number, sizeof(number), "%d", N);
	argv[0] = "x";
	argv[1] = "count";
	argv[2] = number;
	for (int i = 3; i < N + 3; i++)
		argv[i] = "an argument";
	EQ(run(self, argv, environ), 17);
	/* One string of more than 32 pages, or a quarter of the stack. */
	memset(huge, 'h', 199999);
	huge[199999] = 0;
	FAILS(execv(self, one), E2BIG);
	huge[100000] = 0;
	(void)getrlimit(RLIMIT_STACK, &rl);
	rl.rlim_cur = 8 << 20;
	OK(setrlimit(RLIMIT_STACK, &rl));
	for (int i = 3; i < N + 3; i++)
		argv[i] = huge;
	FAILS(execv(self, argv), E2BIG);
	free(huge);
	free(argv);
}

static void at_variant(void)
{
	char *argv[] = {"x", "pid", "0", NULL};
	int fd;

	put_file("nope", "#!/bin/sh\nexit 0\n");
	OK(chmod("nope", 0755));
	OK(symlink("nope", "via"));
	fd = open(".", O_RDONLY | O_DIRECTORY);
	FAILS(execveat(fd, "via", argv, environ, AT_SYMLINK_NOFOLLOW), ELOOP);
	FAILS(execveat(fd, "", argv, environ, 0), ENOENT);
	FAILS(execveat(fd, "x", argv, environ, 0x40), EINVAL);
	if (fork() == 0) {
		execveat(fd, "via", argv, environ, 0);
		_exit(9);
	}
	{
		int status;

		OK(wait(&status));
		EQ(WEXITSTATUS(status), 0);
	}
	OK(close(fd));
}

/* A program has descriptors of its own, whoever shared them before. */
static void unshared(void)
{
	char first[16], second[16], c;
	int go[2], done[2], fd;
	pid_t pid;

	put_file("shared", "123");
	OK(pipe(go));
	OK(pipe(done));
	OK(fd = open("shared", O_RDONLY | O_CLOEXEC));
	EQ(read(fd, &c, 1), 1);
	snprintf(first, sizeof(first), "%d", fd);
	snprintf(second, sizeof(second), "%d", done[1]);
	fflush(NULL);
	pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	OK(pid);
	if (pid == 0) {
		await(go[0]);
		EQ(read(fd, &c, 1), 1);
		execl(self, "x", "closes", first, second, NULL);
		_exit(1);
	}
	tell(go[1]);
	await(done[0]);
	/* What went with that program is here still, with one position. */
	EQ(read(fd, &c, 1), 1);
	EQ(c, '3');
	OK(fcntl(done[1], F_GETFD));
	passes(pid);
}

int main(int argc, char **argv)
{
	ssize_t n;

	if (argc > 1)
		return role(argc, argv);
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	CHECK(n > 0);
	scratch();
	arguments();
	descriptors();
	EQ(WEXITSTATUS(reap(child(with_signals, NULL))), 13);
	EQ(WEXITSTATUS(reap(child(same_pid, NULL))), 15);
	by_descriptor();
	scripts();
	errors();
	big_args();
	at_variant();
	unshared();
	return 0;
}

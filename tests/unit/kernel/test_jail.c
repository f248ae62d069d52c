/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each layer of the jail alone: a captured kernel is played by a child that
 * enters the layer and then tries to get out.  What the host does not have is
 * skipped.
 */
#include "kernel/jail.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/probe.h"
#include "cmocka_all.h"

#define HELD  0 /* the attempt failed as it should */
#define OUT   1 /* it got out */
#define BROKE 2 /* the test itself is broken */

static char folder[64];
static int secret = 4711; /* in the parent's memory */
static pid_t parent;

/* ---- attempts: HELD if the host says no ---- */

static int verdict(long result)
{
	return result < 0 ? HELD : OUT;
}

static int open_shadow(void)
{
	return verdict(open("/etc/shadow", O_RDONLY));
}

static int open_passwd(void)
{
	return verdict(open("/etc/passwd", O_RDONLY));
}

static int open_parents_memory(void)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)parent);
	return verdict(open(path, O_RDONLY));
}

static int write_in_folder(void)
{
	char path[80];

	(void)snprintf(path, sizeof(path), "%s/new", folder);
	return verdict(open(path, O_WRONLY | O_CREAT, 0600));
}

static int write_elsewhere(void)
{
	return verdict(open("/tmp/bento-jail-out", O_WRONLY | O_CREAT, 0600));
}

static int run_program(void)
{
	return verdict(execl("/bin/true", "true", (char *)NULL));
}

static int connect_tcp(void)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr = {htonl(INADDR_LOOPBACK)},
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		return HELD;
	/* Nobody listens there: refused would mean that we got through. */
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return OUT;
	return errno == EACCES ? HELD : OUT;
}

static int kill_parent(void)
{
	return verdict(kill(parent, 0));
}

static int trace_parent(void)
{
	return verdict(ptrace(PTRACE_ATTACH, parent, NULL, NULL));
}

static int read_parent(void)
{
	int got;
	struct iovec to = {&got, sizeof(got)};
	struct iovec from = {&secret, sizeof(secret)};

	return verdict(process_vm_readv(parent, &to, 1, &from, 1, 0));
}

static int mount_something(void)
{
	return verdict(mount("none", folder, "tmpfs", 0, NULL));
}

static int change_root(void)
{
	return verdict(chroot(folder));
}

static int become_another(void)
{
	return verdict(setuid(1));
}

static int load_code(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? HELD : OUT;
}

static int make_process(void)
{
	return verdict(syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0));
}

static int switch_something(void)
{
	return verdict(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int make_unix_socket(void)
{
	return verdict(socket(AF_UNIX, SOCK_STREAM, 0));
}

/* ---- layers ---- */

static int enter_begin(void)
{
	struct fault f;

	return jail_begin(&f);
}

static int enter_files(void)
{
	struct fault f;
	struct landlock_place place = {
		.fd = open(folder, O_PATH | O_CLOEXEC),
		.what = LANDLOCK_READ,
	};
	int plan;

	if (place.fd < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	if (jail_plan(&place, 1, &plan, &f) < 0)
		return -1;
	return jail_files(plan, &f);
}

static int enter_calls(void)
{
	struct fault f;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return jail_calls(&f);
}

/* Forks a child that enters a layer and tries; its wait status. */
static int play(int (*enter)(void), int (*attempt)(void), unsigned long flags)
{
	int status;
	long pid;

	parent = getpid();
	pid = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0);
	if (pid == 0)
		_exit(enter && enter() < 0 ? BROKE : attempt());
	assert_true(pid > 0);
	assert_int_equal(waitpid((pid_t)pid, &status, 0), pid);
	return status;
}

struct attempt {
	const char *what;
	int (*run)(void);
	int abi; /* of Landlock, from which on it must be held */
};

static void landlock_alone_holds(void **state)
{
	static const struct attempt attempts[] = {
		{"open /etc/shadow", open_shadow, 1},
		{"open /etc/passwd", open_passwd, 1},
		{"open the memory of a stranger", open_parents_memory, 1},
		{"write where it may read", write_in_folder, 1},
		{"write elsewhere", write_elsewhere, 1},
		{"run a program", run_program, 1},
		{"trace a stranger", trace_parent, 1},
		{"read a stranger", read_parent, 1},
		{"mount", mount_something, 1},
		{"connect", connect_tcp, 4},
		{"signal a stranger", kill_parent, 6},
	};
	int abi = probe_landlock();

	(void)state;
	if (abi == 0)
		skip();
	for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
		int status;

		if (attempts[i].abi > abi)
			continue;
		status = play(enter_files, attempts[i].run, 0);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != HELD)
			fail_msg("%s: %#x", attempts[i].what, status);
	}
}

static void the_filter_alone_kills(void **state)
{
	static const struct attempt attempts[] = {
		{"open /etc/shadow", open_shadow, 0},
		{"connect", connect_tcp, 0},
		{"make a socket", make_unix_socket, 0},
		{"run a program", run_program, 0},
		{"signal a stranger", kill_parent, 0},
		{"trace a stranger", trace_parent, 0},
		{"mount", mount_something, 0},
		{"change the root", change_root, 0},
		{"become another", become_another, 0},
		{"load code", load_code, 0},
		{"make a process", make_process, 0},
		{"switch something", switch_something, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
		int status = play(enter_calls, attempts[i].run, 0);

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("%s: %#x", attempts[i].what, status);
	}
}

static void a_pid_namespace_alone_hides_strangers(void **state)
{
	static const struct attempt attempts[] = {
		{"signal a stranger", kill_parent, 0},
		{"trace a stranger", trace_parent, 0},
		{"read a stranger", read_parent, 0},
	};

	(void)state;
	if (!probe_pid_namespace())
		skip();
	for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
		int status = play(NULL, attempts[i].run,
		                  CLONE_NEWUSER | CLONE_NEWPID);

		if (!WIFEXITED(status) || WEXITSTATUS(status) != HELD)
			fail_msg("%s: %#x", attempts[i].what, status);
	}
}

/* What jail_begin() promises, looked at from inside. */
static int look_around(void)
{
	struct rlimit core;
	int signal_number = 0;

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return OUT;
	if (prctl(PR_GET_PDEATHSIG, &signal_number) < 0 ||
	    signal_number != SIGKILL)
		return OUT;
	if (getrlimit(RLIMIT_CORE, &core) < 0 || core.rlim_max != 0)
		return OUT;
	return HELD;
}

static void beginning_gives_privileges_up(void **state)
{
	static const struct attempt attempts[] = {
		{"keep something", look_around, 0},
		{"mount", mount_something, 0},
		{"change the root", change_root, 0},
		{"become another", become_another, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
		int status = play(enter_begin, attempts[i].run, 0);

		if (!WIFEXITED(status) || WEXITSTATUS(status) != HELD)
			fail_msg("%s: %#x", attempts[i].what, status);
	}
}

/* A kernel must still reach its own: it would be of no use otherwise. */
static int read_child(void)
{
	int got = 0, status;
	struct iovec to = {&got, sizeof(got)};
	struct iovec from = {&secret, sizeof(secret)};
	pid_t child = fork();
	ssize_t n;

	if (child == 0) {
		(void)pause();
		_exit(0);
	}
	n = process_vm_readv(child, &to, 1, &from, 1, 0);
	(void)kill(child, SIGKILL);
	(void)waitpid(child, &status, 0);
	return n == sizeof(got) && got == 4711 ? HELD : BROKE;
}

static void its_own_cells_stay_in_reach(void **state)
{
	int status = play(enter_files, read_child, 0);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), HELD);
}

static int make_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/bento-jail.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(landlock_alone_holds),
		cmocka_unit_test(the_filter_alone_kills),
		cmocka_unit_test(a_pid_namespace_alone_hides_strangers),
		cmocka_unit_test(beginning_gives_privileges_up),
		cmocka_unit_test(its_own_cells_stay_in_reach),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

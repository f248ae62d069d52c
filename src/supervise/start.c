/* SPDX-License-Identifier: Apache-2.0 */
#include "supervise/start.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/libexec.h"
#include "base/probe.h"
#include "supervise/warden.h"

#define NAMESPACES                                                \
	((uint64_t)(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWIPC | \
	            CLONE_NEWUTS | CLONE_NEWCGROUP))
#define FREE_FD 256 /* descriptors move up here before they move down */

/* The record as a memory file, which clone_jailed() may have to change. */
static int record_file(const struct launch *l, struct fault *f)
{
	autofree uint8_t *bytes = NULL;
	autoclose int fd = -1;
	size_t size;
	int err;

	err = launch_format(l, &bytes, &size);
	if (err < 0)
		return fault_set(f, err, "the qube has too much mounted");
	fd = memfd_create("bento-launch", MFD_CLOEXEC);
	if (fd < 0)
		return fault_errno(f, "make a memory file");
	if (write(fd, bytes, size) != (ssize_t)size)
		return fault_errno(f, "write a memory file");
	return take_fd(&fd);
}

int start_fd(struct start *s, int fd, struct fault *f)
{
	if (s->fd_count == LAUNCH_FDS_MAX)
		return fault_set(f, -E2BIG, "the qube has too much mounted");
	s->fd[s->fd_count++] = fd;
	return 0;
}

int start_mount(struct start *s, const struct launch_mount *m, const int *fds,
                struct fault *f)
{
	int err = launch_add(&s->record, m);

	if (err < 0)
		return fault_set(f, err, "the qube has too much mounted");
	for (uint32_t i = 0; i < m->fds && err == 0; i++)
		err = start_fd(s, fds[i], f);
	return err;
}

static bool write_file(pid_t pid, const char *name, const char *text)
{
	char path[64];
	autoclose int fd = -1;
	size_t len = strlen(text);

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, text, len) == (ssize_t)len;
}

/*
 * Numbers of users in the new user namespace: everyone's as they are if we may
 * say so (as root), else only our own.
 */
static int map_users(pid_t pid, bool *alone, struct fault *f)
{
	static const char everyone[] = "0 0 4294967295";
	char text[64];

	*alone = false;
	if (geteuid() == 0 && write_file(pid, "uid_map", everyone) &&
	    write_file(pid, "gid_map", everyone))
		return 0;
	*alone = true;
	(void)write_file(pid, "setgroups", "deny");
	(void)snprintf(text, sizeof(text), "%u %u 1", geteuid(), geteuid());
	if (!write_file(pid, "uid_map", text))
		return fault_errno(f, "map users into the kernel's namespace");
	(void)snprintf(text, sizeof(text), "%u %u 1", getegid(), getegid());
	if (!write_file(pid, "gid_map", text))
		return fault_errno(f, "map groups into the kernel's namespace");
	return 0;
}

/* What the child needs; all descriptors above LAST_FD. */
static_assert(FREE_FD >= LAUNCH_FDS_MAX + LAUNCH_FD_FIRST, "no overlap");

struct child {
	int exe;
	int go[2];  /* a pipe: a byte says that the record is complete */
	int cgroup; /* it is to begin in; -1: ours */
	int fd[LAUNCH_FDS_MAX + LAUNCH_FD_FIRST]; /* by number */
	int count;
};

/*
 * The user's environment holds secrets and is none of the kernel's business;
 * only what is meant for our own programs or the sanitizers goes along.
 */
static bool goes_along(const char *entry)
{
	static const char *const start[] = {"BENTO_",
	                                    "ASAN_OPTIONS=", "UBSAN_OPTIONS="};

	for (size_t i = 0; i < ARRAY_LEN(start); i++)
		if (strncmp(entry, start[i], strlen(start[i])) == 0)
			return true;
	return false;
}

static _Noreturn void become_kernel(const struct child *c)
{
	static char name[] = "bento-kernel";
	static char *const argv[] = {name, NULL};
	char *env[8] = {NULL};
	size_t count = 0;
	sigset_t none;
	char byte;

	(void)close(c->go[1]); /* or its end would never be heard */
	for (char **e = environ; *e && count + 1 < ARRAY_LEN(env); e++)
		if (goes_along(*e))
			env[count++] = *e;
	(void)setsid();
	if (getpid() != 1 && warden_start() < 0)
		_exit(125);
	(void)!chdir("/");
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (read(c->go[0], &byte, 1) != 1)
		_exit(125);
	for (int i = 0; i < c->count; i++)
		if (dup2(c->fd[i], i) < 0)
			_exit(125);
	(void)syscall(SYS_close_range, c->count, ~0u, CLOSE_RANGE_CLOEXEC);
	(void)syscall(SYS_execveat, c->exe, "", argv, env, AT_EMPTY_PATH);
	_exit(125);
}

static int move_up(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, FREE_FD);
}

static pid_t clone_kernel(const struct child *c, uint64_t flags)
{
	struct clone_args into = {
		.flags = flags | (uint64_t)CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = (__u64)c->cgroup,
	};
	long pid = c->cgroup >= 0 ? syscall(SYS_clone3, &into, sizeof(into))
	                          : syscall(SYS_clone, flags | SIGCHLD, NULL,
	                                    NULL, NULL, 0);

	if (pid == 0)
		become_kernel(c);
	return (pid_t)pid;
}

/* Clones into namespaces, as many as there are. */
static int clone_jailed(struct child *c, int record, struct launch *l,
                        pid_t *out, struct fault *f)
{
	uint64_t flags = NAMESPACES;
	pid_t pid = clone_kernel(c, flags);
	bool alone;
	int err;

	if (pid < 0) {
		flags = probe_namespaces(NAMESPACES);
		pid = clone_kernel(c, flags);
	}
	/* A host may let us make a cgroup, and not begin in it. */
	if (pid < 0 && c->cgroup >= 0) {
		c->cgroup = -1;
		pid = clone_kernel(c, flags);
	}
	if (pid < 0)
		return fault_errno(f, "start the kernel");
	*out = pid;
	if (flags == 0)
		return 0;
	err = map_users(pid, &alone, f);
	if (err < 0)
		return err;
	if (alone) {
		/* The record was written before this was known. */
		uint8_t b = (uint8_t)(l->flags | LAUNCH_ALONE);

		if (pwrite(record, &b, 1, LAUNCH_AT_FLAGS) != 1)
			return fault_errno(f, "write the launch record");
	}
	return 0;
}

static int fill_child(struct child *c, const struct start *s, int control,
                      int say, int record)
{
	/* Nobody reads from 0 or writes to 1; they are only not to be free. */
	const int first[LAUNCH_FD_FIRST] = {record, record, say, control,
	                                    record};

	for (int i = 0; i < (int)(LAUNCH_FD_FIRST + s->fd_count); i++) {
		int fd = i < LAUNCH_FD_FIRST ? first[i]
		                             : s->fd[i - LAUNCH_FD_FIRST];

		c->fd[i] = move_up(fd);
		if (c->fd[i] < 0)
			return -errno;
		c->count = i + 1;
	}
	return 0;
}

static void empty_child(struct child *c)
{
	for (int i = 0; i < c->count; i++)
		close(c->fd[i]);
	base_close(&c->exe);
	base_close(&c->go[0]);
	base_close(&c->go[1]);
}

static int start_child(struct child *c, struct start *s, int record,
                       struct started *out, struct fault *f)
{
	int ends[2], err;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fault_errno(f, "make a pipe");
	c->go[1] = ends[1];
	c->go[0] = move_up(ends[0]);
	close(ends[0]);
	if (c->go[0] < 0)
		return fault_errno(f, "move a descriptor");
	err = clone_jailed(c, record, &s->record, &out->pid, f);
	if (err == 0 && write(c->go[1], "", 1) != 1)
		err = fault_errno(f, "let the kernel go");
	if (err < 0 && out->pid > 0) {
		(void)kill(out->pid, SIGKILL);
		(void)start_reap(out->pid);
	}
	return err;
}

static int start_in_cgroup(struct child *c, struct start *s, int record,
                           struct started *out, struct fault *f)
{
	int err;

	cgroup_make(&out->cgroup, s->record.memory, s->record.tasks);
	c->cgroup = out->cgroup.dir;
	err = start_child(c, s, record, out, f);
	cgroup_settle(&out->cgroup);
	if (err < 0)
		cgroup_end(&out->cgroup);
	return err;
}

/* Our programs for qubes, in every qube.  A host may do without them. */
static int add_tools(struct start *s, int *folder, struct fault *f)
{
	static const struct launch_mount mount = {
		.kind = LAUNCH_TOOLS,
		.fds = 1,
		.at = {(const uint8_t *)"/", 1},
	};
	struct fault none;

	*folder = libexec_open(START_TOOLS, &none);
	return *folder < 0 ? 0 : start_mount(s, &mount, folder, f);
}

int start_reap(pid_t kernel)
{
	siginfo_t info;
	int how = 0;

	/* Its number stays its group's while the zombie is there. */
	while (waitid(P_PID, (id_t)kernel, &info, WEXITED | WNOWAIT) < 0 &&
	       errno == EINTR)
		;
	(void)kill(-kernel, SIGKILL);
	while (waitpid(kernel, &how, 0) < 0 && errno == EINTR)
		;
	return how;
}

int start_kernel(struct start *s, struct started *out, struct fault *f)
{
	struct child c = {.exe = -1, .go = {-1, -1}, .cgroup = -1};
	struct started got = {
		.pid = -1,
		.control = -1,
		.say = -1,
		.cgroup = CGROUP_NONE,
	};
	autoclose int record = -1, theirs = -1, mine = -1;
	autoclose int say = -1, heard = -1, exe = -1, tools = -1;
	int ends[2], err;

	if (s->fd_count != launch_descriptors(&s->record))
		return fault_set(f, -EINVAL, "descriptors do not match");
	err = add_tools(s, &tools, f);
	if (err < 0)
		return err;
	record = record_file(&s->record, f);
	if (record < 0)
		return record;
	exe = libexec_open("bento-kernel", f);
	if (exe < 0)
		return exe;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return fault_errno(f, "make a socket pair");
	mine = ends[0];
	theirs = ends[1];
	if (s->say == 0) {
		if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
			return fault_errno(f, "make a pipe");
		heard = ends[0];
		say = ends[1];
	}
	c.exe = move_up(exe);
	err = c.exe < 0 ? -errno
	                : fill_child(&c, s, theirs, s->say ? s->say : say,
	                             record);
	if (err < 0)
		err = fault_set(f, err, "move descriptors: %s", strerror(-err));
	else
		err = start_in_cgroup(&c, s, record, &got, f);
	empty_child(&c);
	if (err < 0)
		return err;
	got.control = take_fd(&mine);
	got.say = take_fd(&heard);
	*out = got;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/helper.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/buffer.h"
#include "base/hostcalls.h"
#include "base/rights.h"
#include "manager/beside.h"
#include "manager/carrier.h"
#include "manager/manager.h"

#define FILE_MAX 255u /* longer names are looked for without an argument */
#define VARS_MAX 8u
#define LINK_MAX 256u

/* Behind the streams; the steward's only. */
#define STATUS_FD 3
#define LIFE_FD   4 /* a pipe that ends with it */
#define FDS       5

#include "base/hostcalls_words.h"
static const struct hostcalls_row rows[] = {
#include "manager/helper.def"
};

struct program {
	char path[PATHS_MAX + FILE_MAX + 16];
	struct carrier *carrier; /* in its place: a socket; or NULL */
	char *argument;          /* or NULL */
	char *var[VARS_MAX];     /* NAME=VALUE; owned */
	int fd[FDS];             /* borrowed */
	rlim_t usual_files;      /* manager/manager.h */
};

static void program_end(struct program *p)
{
	for (size_t i = 0; i < VARS_MAX; i++)
		free(p->var[i]);
	free(p->argument);
	if (p->carrier)
		free((void *)(uintptr_t)p->carrier->head.at);
	free(p->carrier);
}

/* ---- in the children ---- */

static _Noreturn void be_program(const struct program *p, char *const *env)
{
	char name[sizeof(p->path)];
	char *argv[] = {name, p->argument, NULL};
	const char *home = getenv("HOME");

	memcpy(name, p->path, sizeof(name));
	if (!home || chdir(home) < 0)
		(void)!chdir("/");
	(void)execve(p->path, argv, env);
	_exit(CALLMSG_EXIT_PROBLEM);
}

/* Our environment without what is not for programs of the user's. */
static char **environment(const struct program *p)
{
	size_t count = 0, room = VARS_MAX + 1;
	char **env;

	for (char **e = environ; *e; e++)
		room++;
	env = calloc(room, sizeof(*env));
	if (!env)
		return NULL;
	for (char **e = environ; *e; e++)
		if (strncmp(*e, "QREXEC", strlen("QREXEC")) != 0)
			env[count++] = *e;
	for (size_t i = 0; i < VARS_MAX && p->var[i]; i++)
		env[count++] = p->var[i];
	return env;
}

static void usual_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		(void)signal(i, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Keeps these descriptors alone, at their numbers. */
static int settle(const struct program *p)
{
	int high[FDS];

	for (int i = 0; i < FDS; i++) {
		high[i] = fcntl(p->fd[i], F_DUPFD_CLOEXEC, FDS);
		if (high[i] < 0)
			return -errno;
	}
	for (int i = 0; i < FDS; i++)
		if (dup3(high[i], i, i < STATUS_FD ? 0 : O_CLOEXEC) < 0)
			return -errno;
	(void)syscall(SYS_close_range, FDS, ~0u, 0);
	return 0;
}

static void tell_status(uint32_t status)
{
	uint8_t wire[4] = {(uint8_t)status, (uint8_t)(status >> 8),
	                   (uint8_t)(status >> 16), (uint8_t)(status >> 24)};

	/* Whoever wanted to know may be gone. */
	(void)!write(STATUS_FD, wire, sizeof(wire));
}

static _Noreturn void be_steward(const struct program *p)
{
	char **env = environment(p);
	int how = 0;
	pid_t pid;

	(void)prctl(PR_SET_NAME, "bento-steward", 0, 0, 0);
	(void)setsid();
	usual_signals();
	rights_allow(p->usual_files);
	if (!env || settle(p) < 0)
		_exit(CALLMSG_EXIT_PROBLEM);
	pid = fork();
	if (pid == 0 && p->carrier)
		carrier_become(p->carrier, 0, 1);
	if (pid == 0)
		be_program(p, env);
	(void)signal(SIGPIPE, SIG_IGN);
	/* Its streams end when the program lets them go. */
	(void)syscall(SYS_close_range, 0, STATUS_FD - 1, 0);
	if (pid < 0 || hostcalls_enter(rows, ARRAY_LEN(rows)) < 0)
		_exit(CALLMSG_EXIT_PROBLEM);
	while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
		;
	tell_status(WIFEXITED(how) ? (uint32_t)WEXITSTATUS(how)
	                           : 128u + (uint32_t)WTERMSIG(how));
	_exit(0);
}

/* Two forks: the steward is not our child, and nobody has to wait for it. */
static int spawn(struct program *p, int *ended, struct fault *f)
{
	autoclose int to = -1, from = -1;
	int ends[2], how = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fault_errno(f, "make a pipe");
	from = ends[0];
	to = ends[1];
	p->fd[LIFE_FD] = to;
	pid = fork();
	if (pid < 0)
		return fault_errno(f, "start %s", p->path);
	if (pid == 0) {
		pid = fork();
		if (pid == 0)
			be_steward(p);
		_exit(pid < 0);
	}
	while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
		;
	if (how != 0)
		return fault_set(f, -EAGAIN, "start %s", p->path);
	*ended = take_fd(&from);
	return 0;
}

/* ---- what to start ---- */

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       access(path, X_OK) == 0;
}

/* A socket, or a link to /dev/tcp.  0; -ENOENT: it is neither; -EINVAL. */
static int carried(const char *path, struct span argument, struct carrier **out)
{
	struct carrier c = {.patience_ms = CARRIER_PATIENCE_MS};
	char link[LINK_MAX];
	ssize_t size = readlink(path, link, sizeof(link));
	struct stat st;
	int err = -ENOENT;

	if (size > 0 && size < (ssize_t)sizeof(link))
		err = service_tcp((struct span){(uint8_t *)link, (size_t)size},
		                  argument, &c.tcp);
	if (err == -ENOENT && stat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
		(void)snprintf(c.path, sizeof(c.path), "%s", path);
		err = 0;
	}
	if (err < 0)
		return err;
	*out = malloc(sizeof(c));
	if (!*out)
		return -ENOMEM;
	**out = c;
	return 0;
}

/* Number `i` of the places where a file of this name may be. */
static bool place_of(const struct manager *m, unsigned i, const char *folder,
                     struct span name, char path[PATHS_MAX + FILE_MAX + 16])
{
	char top[PATHS_MAX];

	if (name.size == 0 || name.size > FILE_MAX || !beside_place(m, i, top))
		return false;
	(void)snprintf(path, PATHS_MAX + FILE_MAX + 16, "%s/%s/%.*s", top,
	               folder, (int)name.size, (const char *)name.at);
	return true;
}

/* Looks for a service of this name.  0, -ENOENT, or what is wrong with it. */
static int find(const struct manager *m, struct span name, struct span argument,
                struct program *p)
{
	int err = -ENOENT;

	for (unsigned i = 0;
	     err == -ENOENT && place_of(m, i, HELPER_SERVICES, name, p->path);
	     i++)
		err = is_program(p->path)
		              ? 0
		              : carried(p->path, argument, &p->carrier);
	return err;
}

/* 0, also if there is none; or what is wrong. */
static int read_config(const struct manager *m, struct span name,
                       struct rpcconfig *out, bool *found, struct fault *f)
{
	char path[PATHS_MAX + FILE_MAX + 16];
	autofree uint8_t *text = malloc(RPCCONFIG_SIZE_MAX);
	uint32_t line = 0;

	if (!text)
		return fault_set(f, -ENOMEM, "out of memory");
	for (unsigned i = 0;
	     !*found && place_of(m, i, HELPER_CONFIGS, name, path); i++) {
		autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, text, RPCCONFIG_SIZE_MAX);

		if (fd < 0 && errno == ENOENT)
			continue;
		*found = true;
		if (n < 0)
			return fault_errno(f, "read %s", path);
		if (rpcconfig_parse((struct span){text, (size_t)n}, out,
		                    &line) < 0)
			return fault_set(f, -EINVAL,
			                 "%s:%u: not a service's configuration",
			                 path, line);
	}
	return 0;
}

/* As Qubes OS tells a service of dom0: "SERVICE+ARGUMENT SOURCE name TARGET". */
static int make_head(const struct helper_call *call, struct carrier *c)
{
	bool keyword = call->wanted.size > 0 && call->wanted.at[0] == '@';
	struct span wanted = span_from(call->wanted, keyword ? 1 : 0);
	struct buffer b = {0};

	if (!*c->path || c->config.skip_service_descriptor)
		return 0;
	buffer_printf(&b, "%.*s %.*s %s %.*s", (int)call->service.size,
	              (const char *)call->service.at, (int)call->source.size,
	              (const char *)call->source.at,
	              keyword ? "keyword" : "name", (int)wanted.size,
	              (const char *)wanted.at);
	buffer_put(&b, "", 1);
	c->head = buffer_span(&b);
	return b.bad || b.size > CARRIER_HEAD_MAX ? -ENOMEM : 0;
}

static int prepare_carrier(const struct manager *m,
                           const struct helper_call *call, struct span name,
                           struct carrier *c, struct fault *f)
{
	bool found = false;
	int err = read_config(m, call->service, &c->config, &found, f);

	if (err == 0 && !found)
		err = read_config(m, name, &c->config, &found, f);
	if (err == 0 && make_head(call, c) < 0)
		err = fault_set(f, -ENOMEM, "out of memory");
	return err;
}

static int add_var(struct program *p, const char *name, struct span value)
{
	size_t i = 0;

	while (p->var[i])
		i++;
	assert(i < VARS_MAX);
	if (asprintf(&p->var[i], "%s=%.*s", name, (int)value.size,
	             (const char *)value.at) < 0)
		p->var[i] = NULL;
	return p->var[i] ? 0 : -ENOMEM;
}

static int add_vars(struct program *p, const struct helper_call *call,
                    struct span argument)
{
	bool keyword = call->wanted.size > 0 && call->wanted.at[0] == '@';
	int err = add_var(p, "QREXEC_REMOTE_DOMAIN", call->source);

	if (err == 0)
		err = add_var(p, "QREXEC_SERVICE_FULL_NAME", call->service);
	if (err == 0)
		err = add_var(p, "QREXEC_SERVICE_ARGUMENT", argument);
	if (err == 0)
		err = add_var(p, "QREXEC_REQUESTED_TARGET_TYPE",
		              span_str(keyword ? "keyword" : "name"));
	if (err < 0)
		return err;
	return keyword ? add_var(p, "QREXEC_REQUESTED_TARGET_KEYWORD",
	                         span_from(call->wanted, 1))
	               : add_var(p, "QREXEC_REQUESTED_TARGET", call->wanted);
}

int helper_service(const struct manager *m, const struct helper_call *call,
                   const int streams[CALLMSG_STREAMS], int *ended,
                   struct fault *f)
{
	struct program p = {.usual_files = m->usual_files};
	struct reader name = {.rest = call->service};
	struct span argument, plain;
	size_t size = 0;
	int err;

	while (size < call->service.size && call->service.at[size] != '+')
		size++;
	plain = rd_take(&name, size);
	argument = span_from(call->service, size + 1);
	err = find(m, call->service, argument, &p);
	if (err == -ENOENT)
		err = find(m, plain, argument, &p);
	if (err < 0)
		return fault_set(f, err,
		                 err == -ENOENT ? "there is no such service"
		                                : "%s is of no use",
		                 p.path);
	if (p.carrier)
		err = prepare_carrier(m, call, plain, p.carrier, f);
	if (err < 0) {
		program_end(&p);
		return err;
	}
	if (argument.size > 0) {
		p.argument = strndup((const char *)argument.at, argument.size);
		err = p.argument ? 0 : -ENOMEM;
	}
	if (err == 0)
		err = add_vars(&p, call, argument);
	memcpy(p.fd, streams, CALLMSG_STREAMS * sizeof(p.fd[0]));
	err = err < 0 ? fault_set(f, err, "out of memory")
	              : spawn(&p, ended, f);
	program_end(&p);
	return err;
}

int helper_notify(const struct manager *m, int message, int *ended,
                  struct fault *f)
{
	struct program p = {.usual_files = m->usual_files};
	autoclose int null = -1;
	char path[PATHS_MAX];

	if (!beside_find(m, HELPER_NOTIFY, path))
		return fault_set(f, -ENOENT, "there is no " HELPER_NOTIFY);
	(void)snprintf(p.path, sizeof(p.path), "%s", path);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return fault_errno(f, "open /dev/null");
	p.fd[0] = message;
	p.fd[1] = null;
	p.fd[2] = STDERR_FILENO;
	p.fd[STATUS_FD] = null;
	return spawn(&p, ended, f);
}

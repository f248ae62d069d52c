/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/spawner_serve.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/libexec.h"
#include "base/rights.h"
#include "channel/callmsg.h"
#include "channel/wire.h"
#include "manager/beside.h"
#include "manager/confine.h"
#include "manager/helper.h"
#include "manager/spawnwire.h"
#include "manager/worker.h"
#include "supervise/cgroup.h"
#include "supervise/door.h"
#include "supervise/keeper.h"
#include "supervise/machine.h"
#include "volume/revision.h"

#define PROMPT_NAME "policy-prompt"
#define OURS        125 /* exit status for our own failure */

/* The host may know it and the headers of Debian 12 not. */
#define PEER_PIDFD 77

/* One request, and what is answered. */
struct served {
	struct manager *m;
	int sock;
	struct reader r;
	struct spawnwire_fds fds;
	uint32_t value;
	int out[2]; /* -1: none; closed behind the answer */
	char path[PATHS_MAX];
};

/* ---- children ---- */

/* In a child: what went wrong, to whoever reads the report. */
static _Noreturn void give_up(int report, const struct fault *f)
{
	(void)!write(report, f->text, strlen(f->text));
	_exit(OURS);
}

/* The log of a qube: kept from one start to the next. */
static int open_log(const struct manager *m, const char *name, struct fault *f)
{
	char file[QUBE_NAME_MAX + 8];
	struct tm tm;
	time_t now = time(NULL);
	char when[32];
	int fd;

	(void)snprintf(file, sizeof(file), "%s.log", name);
	fd = openat(m->logs, file,
	            O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
	            0600);
	if (fd < 0)
		return fault_errno(f, "open the log %s", file);
	if (gmtime_r(&now, &tm) &&
	    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
		(void)dprintf(fd, "%s start\n", when);
	return fd;
}

/* What is beside the qube's own: our programs, its door. */
static int begin_start(const struct manager *m, struct start *s,
                       const char *name, struct fault *f)
{
	char socket[QUBE_NAME_MAX + 8];
	int cell = libexec_open("bento-cell", f);
	int door, err;

	if (cell < 0)
		return cell;
	(void)snprintf(socket, sizeof(socket), "%s.sock", name);
	door = door_make(m->doors, socket, f);
	if (door < 0)
		return door;
	err = start_fd(s, cell, f);
	return err < 0 ? err : start_fd(s, door, f);
}

static int add_mounts(struct start *s, const struct launch *l,
                      const struct spawnwire_fds *fds, struct fault *f)
{
	uint32_t at = 0;
	int err = 0;

	for (uint32_t i = 0; i < l->mount_count && err == 0; i++) {
		const struct launch_mount *m = &l->mount[i];

		if (m->fds > fds->count - at)
			return fault_set(f, -EPROTO,
			                 "descriptors do not match");
		err = start_mount(s, m, fds->fd + at, f);
		at += m->fds;
	}
	return err;
}

struct keeping {
	struct launch asked;
	struct start start;
	struct machine machine;
};

/* The record is read here, in the child: a bad one harms nobody else. */
static _Noreturn void be_keeper(struct served *a, int report)
{
	bool machine = rd_le32(&a->r) != 0;
	struct keeping *k = calloc(1, sizeof(*k));
	char name[QUBE_NAME_MAX + 1] = "";
	struct fault f = {.text = "out of memory"};
	int err, log;

	if (!k)
		give_up(report, &f);
	if (a->r.bad || launch_parse(a->r.rest, &k->asked) < 0) {
		err = fault_set(&f, -EPROTO, "the launch record is damaged");
		give_up(report, &f);
	}
	memcpy(name, k->asked.name.at,
	       MIN(k->asked.name.size, sizeof(name) - 1));
	k->start.record = k->asked;
	k->start.record.mount_count = 0;
	log = open_log(a->m, name, &f);
	err = log < 0 ? log : begin_start(a->m, &k->start, name, &f);
	if (err == 0 && machine)
		err = machine_open(&k->machine, &f);
	if (err == 0 && machine)
		err = machine_add(&k->machine, &k->start, &f);
	if (err == 0)
		err = add_mounts(&k->start, &k->asked, &a->fds, &f);
	if (err < 0)
		give_up(report, &f);
	keeper_become(&k->start, log, report);
}

/* Ends with its parent, which may have gone before it asked for that. */
static void die_with(pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(OURS);
}

#define TELL_MS 100 /* how often a worker says how far it is */

struct telling {
	int report;
	int64_t told_ms;
};

static void tell_progress(void *ctx, uint64_t done, uint64_t all)
{
	struct telling *t = ctx;
	struct worker_said said = {WORKER_GOES_ON, done, all, ""};
	int64_t now = reactor_now_ms();

	if (now - t->told_ms < TELL_MS)
		return;
	t->told_ms = now;
	/* Who does not listen has gone, and so shall we. */
	(void)!write(t->report, &said, sizeof(said));
}

static _Noreturn void be_worker(struct served *a, int report)
{
	struct telling t = {report, reactor_now_ms()};
	struct revision_watch watch = {.step = tell_progress, .ctx = &t};
	struct chore w = {.fd = -1};
	struct fault f = {.text = ""};
	struct worker_said said = {0};

	said.err = chore_parse(a->r.rest, &w);
	w.fd = a->fds.count > 0 ? a->fds.fd[0] : -1;
	w.watch = &watch;
	if (said.err < 0)
		said.err = fault_set(&f, said.err, "the order is damaged");
	else
		said.err = confine_worker(a->m, &w, report, &f);
	if (said.err == 0)
		said.err = chore_do(a->m, &w, &f);
	memcpy(said.text, f.text, sizeof(said.text));
	_exit(write(report, &said, sizeof(said)) == sizeof(said) ? 0 : OURS);
}

/* Its question comes as input, its output is the report. */
static _Noreturn void be_prompt(struct served *a, int report)
{
	char *argv[] = {a->path, NULL};

	rights_allow(a->m->usual_files);
	if (a->fds.count == 1 && dup2(a->fds.fd[0], STDIN_FILENO) == 0 &&
	    dup2(report, STDOUT_FILENO) == 1)
		(void)execv(a->path, argv);
	_exit(OURS);
}

/* ---- what is asked ---- */

typedef void become(struct served *a, int report);

static int start_child(struct served *a, become *be, bool with_us,
                       struct fault *f)
{
	autoclose int heard = -1;
	autoclose int report = -1;
	pid_t parent = getpid();
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fault_errno(f, "make a pipe");
	heard = ends[0];
	report = ends[1];
	pid = fork();
	if (pid < 0)
		return fault_errno(f, "start a process");
	if (pid == 0) {
		close(a->sock);
		if (with_us)
			die_with(parent);
		be(a, report);
	}
	a->out[0] = (int)syscall(SYS_pidfd_open, pid, 0);
	if (a->out[0] < 0) {
		int err = fault_errno(f, "make a pidfd");

		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		return err;
	}
	a->out[1] = take_fd(&heard);
	a->value = (uint32_t)pid;
	return 0;
}

static int serve_keeper(struct served *a, struct fault *f)
{
	return start_child(a, be_keeper, false, f);
}

static int serve_worker(struct served *a, struct fault *f)
{
	return start_child(a, be_worker, true, f);
}

/* The user's program to ask with. */
static int serve_prompt(struct served *a, struct fault *f)
{
	if (!beside_find(a->m, PROMPT_NAME, a->path))
		return fault_set(f, -ENOENT, "there is no " PROMPT_NAME);
	return start_child(a, be_prompt, true, f);
}

/* The names are of the kind that callmsg_parse() lets pass. */
static int serve_service(struct served *a, struct fault *f)
{
	struct helper_call call;
	struct callmsg what;

	if (a->fds.count != CALLMSG_STREAMS ||
	    callmsg_parse(a->r.rest, &what) < 0)
		return fault_set(f, -EPROTO, "that is no call");
	call = (struct helper_call){what.service, what.source, what.target};
	return helper_service(a->m, &call, a->fds.fd, &a->out[0], f);
}

static int serve_notify(struct served *a, struct fault *f)
{
	if (a->fds.count != 1)
		return fault_set(f, -EPROTO, "there is no message");
	return helper_notify(a->m, a->fds.fd[0], &a->out[0], f);
}

/*
 * Whoever listens there said so in the keeper.  Where the host only has numbers
 * of processes: the kernel still being there, so is its keeper, and the number
 * its own.
 */
static int keeper_behind(int sock)
{
	struct ucred peer;
	socklen_t size = sizeof(int);
	int pidfd = -1;

	if (getsockopt(sock, SOL_SOCKET, PEER_PIDFD, &pidfd, &size) == 0)
		return pidfd;
	size = sizeof(peer);
	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ||
	    peer.uid != geteuid() || peer.pid <= 0)
		return -1;
	pidfd = (int)syscall(SYS_pidfd_open, peer.pid, 0);
	if (pidfd >= 0 && recv(sock, &size, 1, MSG_PEEK | MSG_DONTWAIT) == 0) {
		close(pidfd);
		return -1;
	}
	return pidfd;
}

static int serve_enter(struct served *a, struct fault *f)
{
	char door[QUBE_NAME_MAX + 8];
	struct span name = a->r.rest;

	if (!launch_name_ok(name) || name.size > QUBE_NAME_MAX)
		return fault_set(f, -EPROTO, "that is no name");
	(void)snprintf(door, sizeof(door), "%.*s.sock", (int)name.size,
	               (const char *)name.at);
	a->out[0] = door_enter(a->m->doors, door, f);
	if (a->out[0] < 0)
		return a->out[0];
	a->out[1] = keeper_behind(a->out[0]);
	return 0;
}

static int serve_wait(struct served *a, struct fault *f)
{
	uint32_t pid = rd_le32(&a->r);
	int status = 0;

	if (!rd_end(&a->r) || pid == 0 || pid > INT32_MAX)
		return fault_set(f, -EPROTO, "that is no process");
	while (waitpid((pid_t)pid, &status, 0) < 0)
		if (errno != EINTR)
			return fault_errno(f, "wait for %u", pid);
	a->value = (uint32_t)status;
	return 0;
}

static int serve_one(struct served *a, struct fault *f)
{
	switch (rd_le32(&a->r)) {
#define SPAWN(number, name, what, answer) \
	case SPAWNER_##name:              \
		return serve_##name(a, f);
#include "manager/spawner.def"
	default:
		return fault_set(f, -EPROTO, "the spawner knows no such thing");
	}
}

static int answer(struct served *a, int err, const struct fault *f)
{
	autobuffer struct buffer b = {0};
	uint32_t count = 0;

	wire_put_le(&b, (uint32_t)-err, 4);
	wire_put_le(&b, a->value, 4);
	if (err < 0)
		buffer_text(&b, f->text);
	while (err == 0 && count < ARRAY_LEN(a->out) && a->out[count] >= 0)
		count++;
	err = b.bad ? -ENOMEM
	            : spawnwire_send(a->sock, buffer_span(&b), a->out, count);
	for (size_t i = 0; i < ARRAY_LEN(a->out); i++)
		base_close(&a->out[i]);
	return err;
}

_Noreturn void spawner_serve(struct manager *m, int sock)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	uint8_t *room = malloc(SPAWNWIRE_SIZE_MAX);
	struct served a = {.m = m, .sock = sock};
	struct fault f;
	ssize_t n;
	int err;

	(void)prctl(PR_SET_NAME, "bento-spawner", 0, 0, 0);
	if (null < 0 || !room || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0)
		_exit(OURS);
	close(null);
	cgroup_sweep();
	do {
		n = spawnwire_receive(sock, room, &a.fds);
		if (n <= 0)
			break;
		a.value = 0;
		a.out[0] = a.out[1] = -1;
		a.r = (struct reader){.rest = {room, (size_t)n}};
		err = serve_one(&a, &f);
		spawnwire_close(&a.fds);
		/* There may be a key in it. */
		explicit_bzero(room, (size_t)n);
	} while (answer(&a, err, &f) == 0);
	_exit(n == 0 ? 0 : OURS);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/spawner.h"

#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "channel/wire.h"
#include "manager/chore.h"
#include "manager/manager.h"
#include "manager/spawner_serve.h"
#include "manager/spawnwire.h"

struct spawner {
	struct manager *m;
	struct reactor_watch watch; /* its socket, on which nothing comes */
	pid_t pid;
};

struct answer {
	uint32_t value;
	struct spawnwire_fds fds;
};

int spawner_create(struct manager *m, int start, struct fault *f)
{
	autoclose int ours = -1;
	autoclose int theirs = -1;
	struct spawner *s;
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return fault_errno(f, "make a socket pair");
	ours = ends[0];
	theirs = ends[1];
	s = calloc(1, sizeof(*s));
	if (!s)
		return fault_set(f, -ENOMEM, "out of memory");
	pid = fork();
	if (pid < 0) {
		free(s);
		return fault_errno(f, "start the spawner");
	}
	if (pid == 0) {
		close(start);
		close(take_fd(&ours));
		spawner_serve(m, theirs);
	}
	s->m = m;
	s->watch.fd = take_fd(&ours);
	s->pid = pid;
	m->spawner = s;
	return 0;
}

void spawner_destroy(struct manager *m)
{
	struct spawner *s = m->spawner;
	int fd;

	if (!s)
		return;
	fd = s->watch.fd;
	if (m->reactor)
		reactor_remove(m->reactor, &s->watch);
	base_close(&fd);
	while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(s);
	m->spawner = NULL;
}

static void gone(struct reactor_watch *w, uint32_t events)
{
	struct spawner *s = container_of(w, struct spawner, watch);

	(void)events;
	(void)fprintf(stderr, "the spawner has ended, so the manager ends\n");
	reactor_stop(s->m->reactor);
}

int spawner_watch(struct manager *m, struct fault *f)
{
	struct spawner *s = m->spawner;
	int err;

	s->watch.ready = gone;
	err = reactor_add(m->reactor, &s->watch, s->watch.fd, EPOLLIN);
	return err < 0 ? fault_set(f, err, "watch the spawner") : 0;
}

/* Reads an answer: its value, or why not. */
static int take_answer(struct span wire, struct answer *a, struct fault *f)
{
	struct reader r = {.rest = wire};
	uint32_t err = rd_le32(&r);
	uint32_t value = rd_le32(&r);

	if (r.bad || err > 4095)
		return fault_set(f, -EPROTO, "the spawner talks nonsense");
	if (err)
		return fault_set(f, -(int)err, "%.*s", (int)r.rest.size,
		                 (const char *)r.rest.at);
	a->value = value;
	return 0;
}

/* Asks, and waits for the answer: the spawner never does. */
static int ask(struct manager *m, const struct buffer *b, const int *fds,
               uint32_t count, struct answer *a, struct fault *f)
{
	autofree uint8_t *room = malloc(SPAWNWIRE_SIZE_MAX);
	ssize_t n;
	int sock, err;

	if (!m->spawner)
		return fault_set(f, -EPIPE, "there is no spawner");
	if (b->bad || !room)
		return fault_set(f, -ENOMEM, "out of memory");
	sock = m->spawner->watch.fd;
	err = spawnwire_send(sock, buffer_span(b), fds, count);
	if (err < 0)
		return fault_set(f, err, "ask the spawner: %s", strerror(-err));
	n = spawnwire_receive(sock, room, &a->fds);
	if (n <= 0)
		return fault_set(f, n < 0 ? (int)n : -EPIPE,
		                 "the spawner has ended");
	err = take_answer((struct span){room, (size_t)n}, a, f);
	if (err < 0)
		spawnwire_close(&a->fds);
	return err;
}

/* What has been started. */
static int ask_start(struct manager *m, const struct buffer *b, const int *fds,
                     uint32_t count, struct spawned *out, struct fault *f)
{
	struct answer a;
	int err = ask(m, b, fds, count, &a, f);

	if (err < 0)
		return err;
	if (a.fds.count != 2) {
		spawnwire_close(&a.fds);
		return fault_set(f, -EMFILE, "too many open files");
	}
	out->pid = (pid_t)a.value;
	out->pidfd = spawnwire_take(&a.fds, 0);
	out->report = spawnwire_take(&a.fds, 1);
	return 0;
}

int spawner_keeper(struct manager *m, const struct start *s, bool machine,
                   struct spawned *out, struct fault *f)
{
	autobuffer struct buffer b = {0};
	autofree uint8_t *record = NULL;
	size_t size;
	int err = launch_format(&s->record, &record, &size);

	if (err < 0)
		return fault_set(f, err, "the qube has too much mounted");
	wire_put_le(&b, SPAWNER_keeper, 4);
	wire_put_le(&b, machine, 4);
	buffer_put(&b, record, size);
	return ask_start(m, &b, s->fd, s->fd_count, out, f);
}

int spawner_worker(struct manager *m, const struct chore *w,
                   struct spawned *out, struct fault *f)
{
	autobuffer struct buffer b = {0};
	uint8_t order[CHORE_SIZE_MAX];

	wire_put_le(&b, SPAWNER_worker, 4);
	buffer_put(&b, order, chore_format(w, order));
	return ask_start(m, &b, &w->fd, w->fd > 0, out, f);
}

int spawner_prompt(struct manager *m, int question, struct spawned *out,
                   struct fault *f)
{
	autobuffer struct buffer b = {0};

	wire_put_le(&b, SPAWNER_prompt, 4);
	return ask_start(m, &b, &question, 1, out, f);
}

static void put_name(struct buffer *b, struct span name)
{
	buffer_text(b, " ");
	buffer_put(b, name.at, name.size);
}

/* A program that nobody waits for, but whose end is seen. */
static int ask_program(struct manager *m, const struct buffer *b,
                       const int *fds, uint32_t count, int *ended,
                       struct fault *f)
{
	struct answer a;
	int err = ask(m, b, fds, count, &a, f);

	if (err < 0)
		return err;
	*ended = spawnwire_take(&a.fds, 0);
	spawnwire_close(&a.fds);
	return *ended < 0 ? fault_set(f, -EMFILE, "too many open files") : 0;
}

int spawner_service(struct manager *m, const struct callmsg *what,
                    const int streams[CALLMSG_STREAMS], int *ended,
                    struct fault *f)
{
	autobuffer struct buffer b = {0};

	wire_put_le(&b, SPAWNER_service, 4);
	buffer_put(&b, what->service.at, what->service.size);
	put_name(&b, what->target);
	put_name(&b, what->source);
	put_name(&b, what->user);
	return ask_program(m, &b, streams, CALLMSG_STREAMS, ended, f);
}

int spawner_notify(struct manager *m, int message, int *ended, struct fault *f)
{
	autobuffer struct buffer b = {0};

	wire_put_le(&b, SPAWNER_notify, 4);
	return ask_program(m, &b, &message, 1, ended, f);
}

int spawner_enter(struct manager *m, const char *name, int *keeper,
                  struct fault *f)
{
	autobuffer struct buffer b = {0};
	struct answer a;
	int err, fd;

	wire_put_le(&b, SPAWNER_enter, 4);
	buffer_text(&b, name);
	err = ask(m, &b, NULL, 0, &a, f);
	if (err < 0)
		return err;
	fd = spawnwire_take(&a.fds, 0);
	if (fd < 0)
		return fault_set(f, -EMFILE, "too many open files");
	if (keeper)
		*keeper = spawnwire_take(&a.fds, 1);
	spawnwire_close(&a.fds);
	return fd;
}

int spawner_wait(struct manager *m, pid_t pid)
{
	autobuffer struct buffer b = {0};
	struct answer a;
	struct fault f;

	wire_put_le(&b, SPAWNER_wait, 4);
	wire_put_le(&b, (uint32_t)pid, 4);
	if (ask(m, &b, NULL, 0, &a, &f) < 0)
		return -1;
	spawnwire_close(&a.fds);
	return (int)a.value;
}

void spawner_kill(int pidfd)
{
	if (pidfd >= 0)
		(void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
}

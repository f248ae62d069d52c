/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/clients.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/memfile.h"
#include "channel/job.h"
#include "kernel/calls/callhub.h"
#include "kernel/halt.h"
#include "kernel/owner.h"
#include "kernel/program.h"
#include "kernel/task/cells.h"
#include "kernel/task/memory.h"

#define CLIENTS_MAX  64u
#define PROGRAMS_MAX 256u /* of one client */
#define OURS         125  /* exit status for our own failure */

struct client {
	struct kernel *kernel;
	struct list link; /* in clients.all */
	struct event event;
	struct soon leave; /* it has to go */
	struct list programs;
	bool owner;
};

struct clients {
	struct kernel *kernel;
	struct event listen; /* fd -1: not a qube that lasts */
	struct list all;
	uint32_t count;
	uid_t uid;
	struct path root;
	bool open;
};

struct list *clients_programs(struct client *c)
{
	return &c->programs;
}

/* ---- leaving ---- */

/* The owner has gone: so has the qube. */
static void owner_left(struct client *c)
{
	loop_remove(&c->kernel->loop, &c->event);
	c->kernel->loop.stop = true;
}

/* Frees it, but for its connection. */
static void forget(struct client *c)
{
	struct kernel *k = c->kernel;

	list_del(&c->leave.link);
	loop_remove(&k->loop, &c->event);
	list_for_each_safe (at, &c->programs)
		program_leave(program_of_client(at));
	list_del(&c->link);
	k->clients->count--;
	free(c);
}

static void leave(struct client *c)
{
	int fd = c->event.fd;

	if (c->owner) {
		owner_left(c);
		return;
	}
	forget(c);
	close(fd);
}

static void leave_soon(struct soon *s)
{
	leave(container_of(s, struct client, leave));
}

void clients_tell(struct client *c, const struct control *message)
{
	int err = c ? control_send(c->event.fd, message, NULL, 0) : 0;

	if (err >= 0)
		return;
	/* Our end follows from this: it must not be without a word. */
	if (c->owner && err != -EPIPE && err != -ECONNRESET)
		(void)fprintf(stderr, "the owner cannot be told: %s\n",
		              strerror(-err));
	/* Those who hang must not hold us up, nor fill our memory. */
	loop_soon(&c->kernel->loop, &c->leave);
}

void clients_failed(struct kernel *k, uint32_t exit_status, const char *why)
{
	struct control c = {
		.kind = CONTROL_failed,
		.value = {0, exit_status},
	};

	(void)snprintf(c.text, sizeof(c.text), "%s", why);
	if (k->clients)
		clients_tell(list_first(&k->clients->all, struct client, link),
		             &c);
}

/* ---- what clients ask ---- */

static int read_job(int fd, uint8_t **bytes, struct job *out)
{
	size_t size;
	int err = memfile_read(fd, WIRE_SIZE_MAX, bytes, &size);

	return err < 0 ? err : job_parse((struct span){*bytes, size}, out);
}

static struct program *find(struct client *c, uint64_t id)
{
	list_for_each (at, &c->programs) {
		struct program *p = program_of_client(at);

		if (program_id(p) == id)
			return p;
	}
	return NULL;
}

static bool room_for_program(struct client *c)
{
	uint32_t count = 0;

	list_for_each (at, &c->programs)
		count++;
	return count < PROGRAMS_MAX;
}

/* Is the qube such that the client may have another program, called `id`? */
static int may_have(struct client *c, uint64_t id,
                    const struct control_fds *fds, struct fault *f)
{
	if (fds->lost)
		return fault_set(f, -EMFILE,
		                 "the qube's kernel has too many open files");
	if (c->kernel->paused || c->kernel->halt)
		return fault_set(f, -EAGAIN, "the qube is %s",
		                 c->kernel->paused ? "paused" : "ending");
	if (find(c, id) || !room_for_program(c))
		return fault_set(f, -EBUSY, "too many programs");
	return 0;
}

static int run(struct client *c, const struct control *m,
               struct control_fds *fds, struct fault *f)
{
	autofree uint8_t *bytes = NULL;
	autoclose int record = control_take(fds, 0);
	struct program_streams streams;
	struct job j;
	int err = may_have(c, m->value[0], fds, f);

	if (err < 0)
		return err;
	err = read_job(record, &bytes, &j);
	if (err == 0 && fds->count != 1 + job_descriptors(&j))
		err = -EPROTO;
	if (err < 0)
		return fault_set(f, err, "read the order to run a program: %s",
		                 strerror(-err));
	program_take_streams(&streams, &j, fds);
	return program_start(c->kernel,
	                     &(struct program_order){
				     .client = c,
				     .id = m->value[0],
				     .flags = (uint32_t)m->value[1],
				     .job = &j,
				     .streams = &streams,
			     },
	                     &c->kernel->clients->root, f);
}

static int attach(struct client *c, const struct control *m,
                  struct control_fds *fds, struct fault *f)
{
	struct program_taker by = {
		.client = c,
		.id = m->value[0],
		.rows = (uint16_t)m->value[2],
		.columns = (uint16_t)m->value[3],
	};
	int err = may_have(c, by.id, fds, f);

	if (err < 0)
		return err;
	by.terminal = control_take(fds, 0);
	return program_attach(c->kernel,
	                      (int32_t)MIN(m->value[1], (uint64_t)INT32_MAX),
	                      &by, f);
}

/* To run a program, or to have one that runs. */
static void take_order(struct client *c, const struct control *m,
                       struct control_fds *fds)
{
	struct control answer = {
		.kind = CONTROL_failed,
		.value = {m->value[0], OURS},
	};
	struct fault f = {""};
	int err = m->kind == CONTROL_run ? run(c, m, fds, &f)
	                                 : attach(c, m, fds, &f);

	if (err >= 0)
		return;
	answer.value[2] = (uint64_t)-err;
	(void)snprintf(answer.text, sizeof(answer.text), "%s", f.text);
	clients_tell(c, &answer);
	program_none_left(c->kernel);
}

static void take_state(struct client *c, uint64_t cookie)
{
	struct kernel *k = c->kernel;
	struct usage cpu;

	cells_total(k, &cpu);
	clients_tell(c, &(struct control){
				.kind = CONTROL_stated,
				.value = {cookie, memory_used(k),
	                                  k->limits.tasks_used,
	                                  cpu.utime_ns + cpu.stime_ns,
	                                  timer_now() - k->boot_ns, k->paused},
			});
}

static void take_list(struct client *c, const struct control *m)
{
	struct control answer;

	program_list(c->kernel, (int32_t)MIN(m->value[1], (uint64_t)INT32_MAX),
	             &answer);
	answer.value[0] = m->value[0];
	clients_tell(c, &answer);
}

/* What stands still or ends. */
static void take_halt(struct client *c, const struct control *m)
{
	struct control answer = {
		.kind = CONTROL_done,
		.value = {m->value[0]},
	};
	int err;

	if (m->kind == CONTROL_pause)
		err = halt_pause(c->kernel);
	else if (m->kind == CONTROL_unpause)
		err = halt_unpause(c->kernel);
	else
		err = halt_begin(c->kernel, m->value[1]);
	answer.value[1] = (uint64_t)-err;
	clients_tell(c, &answer);
}

static void take(struct client *c, const struct control *m,
                 struct control_fds *fds)
{
	struct program *p;

	switch (m->kind) {
	case CONTROL_run:
	case CONTROL_attach:
		take_order(c, m, fds);
		break;
	case CONTROL_list:
		take_list(c, m);
		break;
	case CONTROL_signal:
		p = find(c, m->value[0]);
		if (p)
			program_signal(p, (int)MIN(m->value[1], 255u));
		break;
	case CONTROL_window:
		p = find(c, m->value[0]);
		if (p)
			program_resize(p, (uint16_t)m->value[1],
			               (uint16_t)m->value[2]);
		break;
	case CONTROL_opened:
		if (c->owner)
			owner_opened(c->kernel, m, fds);
		break;
	case CONTROL_pause:
	case CONTROL_unpause:
	case CONTROL_shutdown:
		take_halt(c, m);
		break;
	case CONTROL_state:
		take_state(c, m->value[0]);
		break;
	case CONTROL_kill:
		c->kernel->loop.stop = true;
		break;
	default:
		break;
	}
	control_close(fds);
}

/* From now on the connection is for calls only. */
static void become_manager(struct client *c)
{
	struct kernel *k = c->kernel;
	int fd = c->event.fd;

	forget(c);
	callhub_connect(k, fd);
}

/* One message.  False when there is none, or the client has gone. */
static bool take_one(struct client *c)
{
	struct control_fds fds;
	struct control m;
	int got = control_receive(c->event.fd, CONTROL_CLIENT, &m, &fds);

	if (got > 0 && m.kind == CONTROL_calls && !c->owner) {
		control_close(&fds);
		become_manager(c);
		return true;
	}
	if (got > 0) {
		take(c, &m, &fds);
		return true;
	}
	if (got == -EAGAIN)
		return false;
	if (got < 0)
		(void)fprintf(stderr, "a control connection is closed: %s\n",
		              strerror(-got));
	leave(c);
	return false;
}

static void ready(struct event *e, uint32_t events)
{
	struct client *c = container_of(e, struct client, event);

	(void)events;
	if (c->kernel->clients->open)
		(void)take_one(c);
}

/* ---- coming ---- */

static int add(struct kernel *k, int fd, bool owner)
{
	struct client *c = calloc(1, sizeof(*c));
	int err;

	if (!c) {
		close(fd);
		return -ENOMEM;
	}
	c->kernel = k;
	c->event = (struct event){.fd = fd, .ready = ready};
	c->leave.run = leave_soon;
	c->owner = owner;
	list_init(&c->leave.link);
	list_init(&c->programs);
	err = loop_add(&k->loop, &c->event, EPOLLIN);
	if (err < 0) {
		close(fd);
		free(c);
		return err;
	}
	list_add_tail(&k->clients->all, &c->link);
	k->clients->count++;
	return 0;
}

static bool is_ours(int fd, uid_t uid)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       peer.uid == uid;
}

static void arrived(struct event *e, uint32_t events)
{
	struct clients *all = container_of(e, struct clients, listen);
	int fd = accept4(e->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0)
		return;
	if (all->count >= CLIENTS_MAX || !is_ours(fd, all->uid))
		close(fd);
	else
		(void)!add(all->kernel, fd, false);
}

int clients_begin(struct kernel *k, int control, int listener, uid_t uid)
{
	struct clients *all = calloc(1, sizeof(*all));
	int err;

	if (!all) {
		close(control);
		base_close(&listener);
		return -ENOMEM;
	}
	all->kernel = k;
	all->uid = uid;
	all->listen = (struct event){.fd = listener, .ready = arrived};
	list_init(&all->all);
	k->clients = all;
	err = add(k, control, true);
	if (err == 0)
		err = owner_create(k, control);
	if (err == 0 && listener >= 0)
		err = loop_add(&k->loop, &all->listen, EPOLLIN);
	return err;
}

void clients_open(struct kernel *k, const struct path *root)
{
	struct clients *all = k->clients;

	all->root = *root;
	path_get(&all->root);
	all->open = true;
	if (callhub_create(k, root) < 0)
		(void)fprintf(stderr, "no calls to other qubes: no memory\n");
	if (k->lasts)
		clients_tell(list_first(&all->all, struct client, link),
		             &(struct control){.kind = CONTROL_ready});
	/* The owner's first order has come with us. */
	while (!k->loop.stop &&
	       take_one(list_first(&all->all, struct client, link)))
		;
}

void clients_end(struct kernel *k)
{
	struct clients *all = k->clients;

	if (!all)
		return;
	callhub_destroy(k);
	owner_destroy(k);
	list_for_each_safe (at, &all->all) {
		struct client *c = list_entry(at, struct client, link);

		/* As others: the loop has stopped. */
		c->owner = false;
		leave(c);
	}
	if (all->listen.fd >= 0) {
		loop_remove(&k->loop, &all->listen);
		close(all->listen.fd);
	}
	if (all->open)
		path_put(&all->root);
	k->clients = NULL;
	free(all);
}

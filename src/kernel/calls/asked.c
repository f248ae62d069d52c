/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/calls/asked.h"

#include <linux/poll.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/file.h"
#include "kernel/fs/hand.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/node.h"
#include "kernel/fs/stream.h"
#include "kernel/net/scm.h"
#include "kernel/net/unix.h"
#include "kernel/net/unix_conn.h"
#include "qrexec/qrmsg.h"
#include "qrexec/qrname.h"

#define BACKLOG 1024
#define TURN    64 /* connections taken before others get their turn */

static_assert(AGENT_HEADER_SIZE == QRMSG_HEADER_SIZE, "one protocol");
static_assert(AGENT_IDENT_SIZE == QRMSG_IDENT_SIZE, "one protocol");
static_assert(AGENT_NAME_SIZE == QRMSG_QUBE_SIZE, "one protocol");
static_assert(AGENT_SERVICE_MAX == QRMSG_NAME_MAX, "one protocol");
static_assert(AGENT_TRIGGER3 == QRMSG_TRIGGER_SERVICE3, "one protocol");
static_assert(AGENT_TRIGGER4 == QRMSG_TRIGGER_SERVICE4, "one protocol");
static_assert(AGENT_REFUSED == QRMSG_SERVICE_REFUSED, "one protocol");
static_assert((unsigned)AGENT_STREAMS == (unsigned)CALLMSG_STREAMS,
              "in the same order");

/* ---- ends ---- */

void asked_destroy(struct asked *a)
{
	struct callhub *h = a->hub;

	list_del(&a->link);
	list_del(&a->look.link);
	waitq_remove(&a->changed);
	if (a->socket)
		socket_drop(a->socket);
	callmsg_close(a->near);
	limits_free(h->kernel, a->body, a->size);
	limits_free(h->kernel, a, sizeof(*a));
	h->asked_count--;
	/* There may be room for who waits in the backlog. */
	if (h->door)
		loop_soon(&h->kernel->loop, &h->open);
}

void asked_drop(struct asked *a)
{
	if (a->state != ASKED_TOLD) {
		asked_destroy(a);
		return;
	}
	waitq_remove(&a->changed);
	list_del(&a->look.link);
	socket_drop(a->socket);
	a->socket = NULL;
	a->state = ASKED_GONE;
	list_del(&a->link);
	list_add_tail(&a->hub->gone, &a->link);
	callhub_tell(a->hub);
}

/* ---- answers ---- */

static void put_le32(uint8_t *at, uint32_t v)
{
	for (size_t i = 0; i < 4; i++)
		at[i] = (uint8_t)(v >> (8 * i));
}

/* Sends an answer, with files or without. */
static void say(struct asked *a, uint32_t type, struct scm_files *files)
{
	uint8_t wire[AGENT_ANSWER_SIZE];
	struct sockmsg m = {.files = files};
	struct uio u;

	put_le32(wire, type);
	put_le32(wire + 4, AGENT_IDENT_SIZE);
	memcpy(wire + AGENT_HEADER_SIZE, a->ident, sizeof(a->ident));
	uio_init_kernel(&u, wire, sizeof(wire));
	m.uio = &u;
	/* Whoever does not hear it hears the end of the connection. */
	(void)!a->socket->ops->send(a->socket, &m);
	scm_drop(m.files);
}

/* The connection is over then. */
static void answer(struct asked *a, uint32_t type, struct scm_files *files)
{
	say(a, type, files);
	asked_destroy(a);
}

static struct asked *find_told(struct callhub *h, uint64_t id)
{
	list_for_each (at, &h->told) {
		struct asked *a = list_entry(at, struct asked, link);

		if (a->id == id)
			return a;
	}
	return NULL;
}

/* The four ends as files of who asked; takes over the descriptors. */
static struct scm_files *make_files(struct asked *a,
                                    int streams[CALLMSG_STREAMS])
{
	struct file *file[CALLMSG_STREAMS] = {NULL};
	const struct sockcred *who = &a->socket->peer_cred;
	struct kernel *k = a->hub->kernel;
	struct scm_files *bundle = NULL;
	int err = callhub_has_room(k, streams, CALLMSG_STREAMS) ? 0 : -ENFILE;

	for (size_t i = 0; i < CALLMSG_STREAMS && err == 0; i++)
		err = stream_create(k, take_fd(&streams[i]), who->uid, who->gid,
		                    &file[i]);
	callmsg_close(streams);
	if (err == 0)
		bundle = scm_bundle(k, file, CALLMSG_STREAMS);
	for (size_t i = 0; i < CALLMSG_STREAMS; i++)
		file_put(file[i]);
	return bundle;
}

/* The last of what came are for a call to come. */
static void keep_ahead(struct callhub *h, uint64_t number,
                       struct control_fds *fds)
{
	callmsg_close(h->near);
	h->ahead = 0;
	if (fds->count >= CALLMSG_STREAMS &&
	    callmsg_take_streams(fds, fds->count - CALLMSG_STREAMS, h->near) ==
	            0)
		h->ahead = number;
}

void asked_allowed(struct callhub *h, const struct control *c,
                   struct control_fds *fds)
{
	int streams[CALLMSG_STREAMS] = {-1, -1, -1, -1};
	struct asked *a = find_told(h, c->value[0]);
	struct scm_files *files;

	if (c->value[1])
		keep_ahead(h, c->value[1], fds);
	if (!a)
		return;
	if (a->ahead) {
		answer(a, AGENT_ALLOWED, NULL);
		return;
	}
	if (callmsg_take_streams(fds, 0, streams) < 0) {
		asked_destroy(a);
		return;
	}
	files = make_files(a, streams);
	if (files)
		answer(a, AGENT_ALLOWED, files);
	else
		asked_destroy(a);
}

void asked_refused(struct callhub *h, uint64_t id)
{
	struct asked *a = find_told(h, id);

	if (a)
		answer(a, AGENT_REFUSED, NULL);
}

void asked_refuse_all(struct callhub *h)
{
	list_for_each_safe (at, &h->untold)
		answer(list_entry(at, struct asked, link), AGENT_REFUSED, NULL);
}

/* The streams that are there, if it would have them before the answer. */
static void take_ahead(struct asked *a)
{
	struct callhub *h = a->hub;

	if (!a->early)
		return;
	a->ahead = h->ahead;
	h->ahead = 0;
	for (size_t i = 0; i < CALLMSG_STREAMS; i++)
		a->near[i] = take_fd(&h->near[i]);
}

/* Before anybody has decided: what is written waits in them. */
static void begin(struct asked *a)
{
	struct scm_files *files = make_files(a, a->near);

	if (files)
		say(a, AGENT_BEGUN, files);
	else
		asked_drop(a);
}

/* ---- telling ---- */

void asked_names(const struct asked *a, struct callmsg *out)
{
	*out = a->names;
}

static void move(struct asked *a, enum asked_state state, struct list *to)
{
	a->state = state;
	list_del(&a->link);
	list_add_tail(to, &a->link);
}

void asked_is_told(struct asked *a)
{
	move(a, ASKED_TOLD, &a->hub->told);
	/* While the manager is at it. */
	if (a->ahead)
		begin(a);
}

void asked_untell(struct callhub *h)
{
	/* The other ends of streams have gone, and calls that began with them. */
	list_for_each (at, &h->untold) {
		struct asked *a = list_entry(at, struct asked, link);

		callmsg_close(a->near);
		a->ahead = 0;
	}
	list_for_each_safe (at, &h->told) {
		struct asked *a = list_entry(at, struct asked, link);

		if (a->ahead)
			asked_destroy(a);
		else
			move(a, ASKED_UNTOLD, &h->untold);
	}
}

/* ---- requests ---- */

/*
 * The names in the private copy of a body, cleaned; every service gets its
 * '+', for which there is a byte behind the body: the text's NUL.
 */
static int parse(struct asked *a, uint32_t type)
{
	size_t at = QRMSG_QUBE_SIZE + QRMSG_IDENT_SIZE;
	struct qrmsg_trigger t;
	struct span name, argument;
	uint8_t *plus;

	if (type == AGENT_TRIGGER4)
		at += QRMSG_QUBE_SIZE;
	if (a->size <= at ||
	    memchr(a->body + at, 0, a->size - at) != a->body + a->size - 1)
		return -EPROTO;
	qrname_service_clean((char *)a->body + at);
	if (qrmsg_trigger_read(type, (struct span){a->body, a->size}, &t) < 0)
		return -EPROTO;
	memcpy(a->ident, t.ident.at, t.ident.size);
	if (!qrname_split(t.service, &name, &argument)) {
		plus = a->body + at + t.service.size;
		*plus = '+';
		t.service.size++;
	}
	a->names = (struct callmsg){
		.service = t.service,
		.target = t.target.size > 0 ? t.target : span_str("@default"),
		.source = t.source,
	};
	return t.service.size <= CALLMSG_SERVICE_MAX ? 0 : -EPROTO;
}

static long receive(struct asked *a, void *to, size_t size, int flags)
{
	struct sockmsg m = {.flags = flags};
	struct uio u;
	long n;

	uio_init_kernel(&u, to, size);
	m.uio = &u;
	n = a->socket->ops->recv(a->socket, &m);
	scm_drop(m.files);
	return n;
}

/* Lets the sender send more than his own buffer has room for. */
static void widen(struct unix_sock *u, size_t want)
{
	u->want = want;
	if (u->peer)
		socket_wake(&u->peer->s, POLLOUT | POLLWRNORM);
}

/* 0: all is read; -EAGAIN: there is not enough yet; -EPROTO. */
static int read_request(struct asked *a)
{
	size_t have = a->socket->ops->readable(a->socket);
	uint8_t wire[QRMSG_HEADER_SIZE];
	struct qrmsg_header header;

	if (have < sizeof(wire))
		return -EAGAIN;
	if (receive(a, wire, sizeof(wire), MSG_PEEK) != sizeof(wire))
		return -EPROTO;
	a->early = wire[3] & AGENT_EARLY >> 24;
	wire[3] &= (uint8_t) ~(AGENT_EARLY >> 24);
	if (qrmsg_header_read(wire, &header) < 0 ||
	    (header.type != AGENT_TRIGGER3 && header.type != AGENT_TRIGGER4))
		return -EPROTO;
	if (have < sizeof(wire) + header.size) {
		widen(unix_of(a->socket), sizeof(wire) + header.size);
		return -EAGAIN;
	}
	a->body = limits_alloc(a->hub->kernel, header.size);
	if (!a->body)
		return -EPROTO;
	a->size = header.size;
	if (receive(a, wire, sizeof(wire), 0) != sizeof(wire) ||
	    receive(a, a->body, a->size, 0) != (long)a->size)
		return -EPROTO;
	return parse(a, header.type);
}

static bool has_left(const struct asked *a)
{
	return a->socket->shut == SOCKET_SHUT_BOTH;
}

static void look(struct soon *s)
{
	struct asked *a = container_of(s, struct asked, look);
	int err;

	if (a->state != ASKED_READING) {
		if (has_left(a))
			asked_drop(a);
		return;
	}
	err = read_request(a);
	if (err == -EAGAIN && !(a->socket->shut & SOCKET_SHUT_READ))
		return;
	if (err < 0 || has_left(a)) {
		asked_destroy(a);
		return;
	}
	a->id = a->hub->next_id++;
	take_ahead(a);
	move(a, ASKED_UNTOLD, &a->hub->untold);
	callhub_tell(a->hub);
}

static void changed(struct waiter *w, uint32_t events)
{
	struct asked *a = container_of(w, struct asked, changed);

	(void)events;
	loop_soon(&a->hub->kernel->loop, &a->look);
}

/* ---- connections ---- */

/* Who has not said what he wants makes room for others. */
static bool make_room(struct callhub *h)
{
	if (h->asked_count < CALLHUB_ASKED_MAX)
		return true;
	if (list_empty(&h->reading))
		return false;
	asked_destroy(list_first(&h->reading, struct asked, link));
	return true;
}

static void enter(struct callhub *h, struct socket *s)
{
	struct asked *a = limits_alloc(h->kernel, sizeof(*a));

	if (!a) {
		socket_drop(s);
		return;
	}
	*a = (struct asked){.hub = h, .socket = s};
	for (size_t i = 0; i < CALLMSG_STREAMS; i++)
		a->near[i] = -1;
	a->look.run = look;
	a->changed.wake = changed;
	list_init(&a->look.link);
	waitq_add(&s->wait, &a->changed);
	list_add_tail(&h->reading, &a->link);
	h->asked_count++;
	loop_soon(&h->kernel->loop, &a->look);
}

static void open_door(struct soon *soon)
{
	struct callhub *h = container_of(soon, struct callhub, open);
	struct socket *door = &h->door->s, *s;

	for (int i = 0; i < TURN; i++) {
		if (list_empty(&h->door->queue) || !make_room(h) ||
		    door->ops->accept(door, &s) < 0)
			return;
		enter(h, s);
	}
	loop_soon(&h->kernel->loop, soon);
}

static void knocked(struct waiter *w, uint32_t events)
{
	struct callhub *h = container_of(w, struct callhub, knocked);

	(void)events;
	loop_soon(&h->kernel->loop, &h->open);
}

/* The folder, and in it the socket, which everybody may connect to. */
static long make_door(struct task *t, struct unix_sock *door)
{
	struct inode_change all = {.which = INODE_SET_MODE, .mode = 0666};
	struct sockname name;
	long err;

	err = hand_make(t, "/run/qubes",
	                &(struct inode_new){.mode = S_IFDIR | 0755});
	if (err < 0)
		return err;
	sockname_clear(&name, AF_UNIX,
	               (uint32_t)(offsetof(struct sockaddr_un, sun_path) +
	                          sizeof(AGENT_SOCKET)));
	memcpy(name.un.sun_path, AGENT_SOCKET, sizeof(AGENT_SOCKET));
	err = unix_bind(&door->s, t, &name);
	if (err == 0)
		err = node_change(t, &door->path, path_inode(&door->path),
		                  &all);
	if (err == 0)
		err = unix_conn_listen(&door->s, t, BACKLOG);
	return err;
}

long asked_listen(struct callhub *h)
{
	struct unix_sock *door = unix_create(h->kernel, SOCK_STREAM);
	struct task *t;
	long err;

	if (!door)
		return -ENOMEM;
	err = hand_take(h->kernel, &h->root, &t);
	if (err == 0) {
		err = make_door(t, door);
		hand_drop(t);
	}
	if (err < 0) {
		socket_drop(&door->s);
		return err;
	}
	h->door = door;
	h->knocked.wake = knocked;
	h->open.run = open_door;
	list_init(&h->open.link);
	waitq_add(&door->s.wait, &h->knocked);
	return 0;
}

static void destroy_all(struct list *all)
{
	while (!list_empty(all))
		asked_destroy(list_first(all, struct asked, link));
}

void asked_end(struct callhub *h)
{
	struct unix_sock *door = h->door;

	h->door = NULL;
	if (door) {
		waitq_remove(&h->knocked);
		list_del(&h->open.link);
		socket_drop(&door->s);
	}
	destroy_all(&h->reading);
	destroy_all(&h->untold);
	destroy_all(&h->told);
	destroy_all(&h->gone);
}

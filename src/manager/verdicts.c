/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question is read until it is whole, then answered at once, or it waits for
 * its turn with the user, and for the end of its prompt, by a pidfd.  What an
 * answer needs by then is its own, since policy and qubes may be others by the
 * time the user has chosen.
 */
#include "manager/verdicts.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "manager/census.h"
#include "manager/manager.h"
#include "policy/policy_prompt.h"
#include "policy/policy_socket.h"
#include "policy/policy_store.h"

#define READ_ROOM   4096u
#define SAID_ROOM   256u
#define USER_ROOM   256u
#define PROMPT_NAME "policy-prompt"

/* Nobody answers more at once, and a qube may ask as often as it likes. */
#define PROMPTS_MAX 4u

struct verdicts {
	struct manager *m;
	struct reactor_watch watch;
	struct list open;
	struct list queue; /* of those that wait for their turn */
	uint32_t count;
	uint32_t prompts;
};

struct verdict {
	struct list link;
	struct verdicts *owner;
	struct reactor_watch client;
	struct buffer in;
	struct policy_question question; /* in `in` */
	struct census *census;
	struct policy_answer answer;
	struct list turn;
	bool asked; /* its answer is ASK, the client is told later */
	char user[USER_ROOM];
	struct reactor_watch prompt;  /* a pidfd */
	pid_t pid;                    /* 0: none */
	struct reactor_watch answers; /* what it says */
	uint8_t said[SAID_ROOM];
	size_t said_size;
};

static void destroy(struct verdict *v)
{
	struct verdicts *o = v->owner;
	int client = v->client.fd;
	int prompt = v->prompt.fd;
	int answers = v->answers.fd;

	if (v->pid > 0) {
		(void)kill(v->pid, SIGKILL);
		while (waitpid(v->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	reactor_remove(o->m->reactor, &v->client);
	reactor_remove(o->m->reactor, &v->prompt);
	reactor_remove(o->m->reactor, &v->answers);
	base_close(&client);
	base_close(&prompt);
	base_close(&answers);
	policy_eval_fini(&v->answer);
	census_destroy(v->census);
	buffer_fini(&v->in);
	list_del(&v->turn);
	list_del(&v->link);
	free(v);
	if (o->count-- == VERDICTS_MAX)
		reactor_change(o->m->reactor, &o->watch, EPOLLIN);
}

/* The answer is short: what does not take it at once does not want it. */
static void reply(struct verdict *v)
{
	static const struct policy_system nobody = {NULL, 0};
	autobuffer struct buffer out = {0};

	policy_socket_format(v->census ? census_system(v->census) : &nobody,
	                     &v->answer, &out);
	if (!out.bad)
		(void)!send(v->client.fd, out.at, out.size,
		            MSG_DONTWAIT | MSG_NOSIGNAL);
	destroy(v);
}

static void next_turns(struct verdicts *o);

/* Takes what the prompt has said.  False: it says no more. */
static bool listen_to(struct verdict *v)
{
	ssize_t n = read(v->answers.fd, v->said + v->said_size,
	                 sizeof(v->said) - v->said_size);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	v->said_size += (size_t)n;
	return n > 0;
}

static void prompt_says(struct reactor_watch *w, uint32_t events)
{
	struct verdict *v = container_of(w, struct verdict, answers);
	int fd = w->fd;

	(void)events;
	if (listen_to(v) && v->said_size < sizeof(v->said))
		return;
	/* Its end decides; what is too long is no answer. */
	if (v->said_size == sizeof(v->said))
		(void)kill(v->pid, SIGKILL);
	reactor_remove(v->owner->m->reactor, w);
	close(fd);
}

/* The prompt has ended. */
static void prompt_ended(struct reactor_watch *w, uint32_t events)
{
	struct verdict *v = container_of(w, struct verdict, prompt);
	struct verdicts *o = v->owner;
	const struct policy_prompt p = {census_system(v->census),
	                                &v->question.request};
	int status = -1;

	(void)events;
	if (waitpid(v->pid, &status, WNOHANG) != v->pid)
		return;
	v->pid = 0;
	if (v->answers.fd >= 0)
		(void)listen_to(v);
	if (v->said_size == sizeof(v->said))
		v->said_size = 0;
	policy_prompt_settle(&p, (struct span){v->said, v->said_size}, status,
	                     &v->answer);
	reply(v);
	o->prompts--;
	next_turns(o);
}

/* The program to ask with, in `path`; false if there is none. */
static bool find_prompt(const struct manager *m, char *path, size_t room)
{
	static const enum policy_layer layers[] = {POLICY_LAYER_CONFIG,
	                                           POLICY_LAYER_ETC};

	for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
		const char *top = policy_store_folder(m->policy, layers[i]);
		const char *slash = top ? strrchr(top, '/') : NULL;

		if (!slash)
			continue;
		(void)snprintf(path, room, "%.*s/" PROMPT_NAME,
		               (int)(slash - top), top);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* Starts the prompt.  0, or a negative errno: nobody will be asked. */
static int ask(struct verdict *v)
{
	struct manager *m = v->owner->m;
	const struct policy_prompt p = {census_system(v->census),
	                                &v->question.request};
	char path[PATHS_MAX];
	char *argv[] = {path, NULL};
	struct fault f;
	int err;

	if (!find_prompt(m, path, sizeof(path)))
		return -ENOENT;
	err = policy_prompt_start(&p, argv, &v->answer, &v->pid, &v->answers.fd,
	                          &f);
	if (err < 0) {
		v->pid = 0;
		return err;
	}
	v->prompt.fd = (int)syscall(SYS_pidfd_open, v->pid, 0);
	if (v->prompt.fd < 0 || fcntl(v->answers.fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	v->prompt.ready = prompt_ended;
	v->answers.ready = prompt_says;
	err = reactor_add(m->reactor, &v->prompt, v->prompt.fd, EPOLLIN);
	return err < 0 ? err
	               : reactor_add(m->reactor, &v->answers, v->answers.fd,
	                             EPOLLIN);
}

/* Evaluates the question; on any failure the answer is a denial. */
static void decide(struct verdict *v)
{
	struct manager *m = v->owner->m;
	const struct policy_rules *rules;
	struct policy_answer answer;
	struct fault f;

	policy_eval_refuse(&v->answer, "there is no policy");
	if (policy_store_look(m->policy, &rules, &f) < 0 ||
	    ledger_begin(m->ledger, false, &f) < 0)
		return;
	if (census_take(m, &v->census, &f) < 0)
		v->census = NULL;
	ledger_abort(m->ledger);
	if (!v->census || policy_eval_call(rules, census_system(v->census),
	                                   &v->question.request, &answer) < 0)
		return;
	v->answer = answer;
	policy_socket_settle(&v->question, &v->answer);
}

/* Asks the user about those whose turn it is. */
static void next_turns(struct verdicts *o)
{
	while (o->prompts < PROMPTS_MAX && !list_empty(&o->queue)) {
		struct verdict *v = list_first(&o->queue, struct verdict, turn);

		list_del(&v->turn);
		if (ask(v) == 0) {
			o->prompts++;
			continue;
		}
		policy_eval_choose(&v->answer, v->answer.offer_count);
		reply(v);
	}
}

/* The rule may be gone before the user has chosen. */
static bool keep_rule(struct verdict *v)
{
	struct span user = v->answer.user;

	if (user.size > sizeof(v->user))
		return false;
	if (user.size > 0)
		memcpy(v->user, user.at, user.size);
	v->answer.user = (struct span){(const uint8_t *)v->user, user.size};
	v->answer.rule = NULL;
	return true;
}

static void question_whole(struct verdict *v)
{
	struct verdicts *o = v->owner;

	decide(v);
	if (v->answer.action != POLICY_ASK || !keep_rule(v)) {
		reply(v);
		return;
	}
	/* Of the client only its end matters from now on. */
	v->asked = true;
	reactor_change(o->m->reactor, &v->client, 0);
	list_add_tail(&o->queue, &v->turn);
	next_turns(o);
}

/* The client has gone, and with it its prompt. */
static void client_gone(struct verdict *v)
{
	struct verdicts *o = v->owner;

	o->prompts -= v->pid > 0;
	destroy(v);
	next_turns(o);
}

static void client_ready(struct reactor_watch *w, uint32_t events)
{
	struct verdict *v = container_of(w, struct verdict, client);
	uint8_t *at = v->asked ? NULL : buffer_reserve(&v->in, READ_ROOM);
	ssize_t size;
	ssize_t n;

	(void)events;
	if (!at) {
		client_gone(v);
		return;
	}
	n = recv(w->fd, at, READ_ROOM, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		destroy(v);
		return;
	}
	v->in.size += (size_t)n;
	size = policy_socket_size(buffer_span(&v->in));
	if (size == 0)
		return;
	if (size < 0 || (size_t)size != v->in.size ||
	    policy_socket_parse(buffer_span(&v->in), &v->question) < 0)
		destroy(v);
	else
		question_whole(v);
}

static bool is_ours(int sock)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       peer.uid == geteuid();
}

static void accept_one(struct reactor_watch *w, uint32_t events)
{
	struct verdicts *o = container_of(w, struct verdicts, watch);
	int sock = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct verdict *v;

	(void)events;
	if (sock < 0)
		return;
	v = is_ours(sock) ? calloc(1, sizeof(*v)) : NULL;
	if (!v) {
		close(sock);
		return;
	}
	v->owner = o;
	v->client.fd = sock;
	v->client.ready = client_ready;
	v->prompt.fd = -1;
	v->answers.fd = -1;
	list_init(&v->turn);
	list_add_tail(&o->open, &v->link);
	if (++o->count == VERDICTS_MAX)
		reactor_change(o->m->reactor, &o->watch, 0);
	if (reactor_add(o->m->reactor, &v->client, sock, EPOLLIN) < 0)
		destroy(v);
}

int verdicts_create(struct manager *m, int sock, struct verdicts **out,
                    struct fault *f)
{
	struct verdicts *o = calloc(1, sizeof(*o));
	int err;

	if (!o) {
		close(sock);
		return fault_set(f, -ENOMEM, "out of memory");
	}
	o->m = m;
	list_init(&o->open);
	list_init(&o->queue);
	o->watch.fd = sock;
	o->watch.ready = accept_one;
	err = reactor_add(m->reactor, &o->watch, sock, EPOLLIN);
	if (err < 0) {
		close(sock);
		free(o);
		return fault_set(f, err, "wait for questions");
	}
	*out = o;
	return 0;
}

void verdicts_destroy(struct verdicts *o)
{
	int fd;

	if (!o)
		return;
	list_for_each_safe (at, &o->open)
		destroy(list_entry(at, struct verdict, link));
	fd = o->watch.fd;
	reactor_remove(o->m->reactor, &o->watch);
	base_close(&fd);
	free(o);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question is read until it is whole, then answered at once, or it waits for
 * its turn with the user.  What an answer needs by then is its own, since policy
 * and qubes may be others by the time the user has chosen.
 */
#include "manager/verdicts.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include "manager/census.h"
#include "manager/manager.h"
#include "manager/notices.h"
#include "manager/prompts_policy.h"
#include "policy/policy_socket.h"
#include "policy/policy_store.h"

#define READ_ROOM 4096u
#define USER_ROOM 256u
#define NAME_ROOM 80u

struct verdicts {
	struct manager *m;
	struct reactor_watch watch;
	struct list open;
	uint32_t count;
};

struct verdict {
	struct list link;
	struct verdicts *owner;
	struct reactor_watch client;
	struct buffer in;
	struct policy_question question; /* in `in` */
	struct census *census;
	struct policy_answer answer;
	bool asked; /* its answer is ASK, the client is told later */
	struct prompts_policy asking;
	char user[USER_ROOM];
};

static void destroy(struct verdict *v)
{
	struct verdicts *o = v->owner;
	int client = v->client.fd;

	if (v->asked)
		prompts_cancel(o->m->prompts, &v->asking.question);
	reactor_remove(o->m->reactor, &v->client);
	base_close(&client);
	policy_eval_fini(&v->answer);
	census_put(v->census);
	buffer_fini(&v->in);
	list_del(&v->link);
	free(v);
	if (o->count-- == VERDICTS_MAX)
		reactor_change(o->m->reactor, &o->watch, EPOLLIN);
}

/* As for calls between qubes; who only wants to know what would be calls nobody. */
static void tell_user(const struct verdict *v)
{
	bool allowed = v->answer.action == POLICY_ALLOW;
	struct notice n = {
		.result = allowed ? NOTICES_ALLOW : NOTICES_DENY,
		.source = v->question.request.source,
		.service = v->question.request.service,
		.wanted = v->question.request.target,
		.why = allowed ? NULL : v->answer.why,
	};
	char target[NAME_ROOM];
	int size;

	if (!v->answer.notify || v->question.just_evaluate)
		return;
	size = allowed ? policy_system_write(census_system(v->census),
	                                     v->answer.target, false, target,
	                                     sizeof(target))
	               : 0;
	n.target = (struct span){(const uint8_t *)target, (size_t)MAX(size, 0)};
	notices_tell(v->owner->m->notices, &n);
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
	tell_user(v);
	destroy(v);
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
	    census_get(m, &v->census, &f) < 0)
		return;
	if (!policy_socket_source(census_system(v->census), &v->question)) {
		policy_eval_refuse(&v->answer, "a source spoke for another");
		return;
	}
	if (policy_eval_call(rules, census_system(v->census),
	                     &v->question.request, &answer) < 0)
		return;
	v->answer = answer;
	policy_socket_settle(&v->question, &v->answer);
}

/* The user has answered, or nobody could be asked. */
static void asked(struct prompts_policy *q)
{
	struct verdict *v = container_of(q, struct verdict, asking);

	v->asked = false;
	reply(v);
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
	v->asking.census = v->census;
	v->asking.request = &v->question.request;
	v->asking.answer = &v->answer;
	v->asking.done = asked;
	prompts_policy_ask(o->m->prompts, &v->asking);
}

static void client_ready(struct reactor_watch *w, uint32_t events)
{
	struct verdict *v = container_of(w, struct verdict, client);
	uint8_t *at = v->asked ? NULL : buffer_reserve(&v->in, READ_ROOM);
	ssize_t size;
	ssize_t n;

	(void)events;
	if (!at) {
		destroy(v);
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

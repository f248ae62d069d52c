/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/broker.h"

#include <stdio.h>

#include "manager/callstreams.h"
#include "manager/census.h"
#include "manager/manager.h"
#include "manager/notices.h"
#include "manager/prompts_policy.h"
#include "manager/route.h"
#include "manager/trunk.h"
#include "policy/policy_store.h"

#define NAME_ROOM 80u

enum phase { DECIDING, ASKING, ROUTING };

struct asked {
	struct list link; /* in the trunk's calls */
	struct trunk *trunk;
	uint64_t id;
	enum phase phase;
	char *text; /* what the names are in */
	size_t size;
	struct callmsg msg;
	struct census *census;
	struct policy_request request;
	struct policy_answer answer;
	struct prompts_policy question;
	struct route route;
	bool begun; /* who asked has its streams, and `far` are the other ends */
	bool early; /* ... or would have liked to */
	int far[CALLMSG_STREAMS];
	char wanted[NAME_ROOM]; /* as the policy understands it */
	char user[CALLMSG_NAME_MAX + 1];
};

static void destroy(struct asked *a)
{
	struct trunk *t = a->trunk;

	t->count--;
	t->early -= a->begun;
	t->size -= a->size;
	list_del(&a->link);
	policy_eval_fini(&a->answer);
	census_put(a->census);
	callmsg_close(a->far);
	free(a->text);
	free(a);
}

/* The name of where a call goes, for the user. */
static void name_of(const struct asked *a, struct policy_target t,
                    char out[NAME_ROOM])
{
	if (!a->census || policy_system_write(census_system(a->census), t,
	                                      false, out, NAME_ROOM) < 0)
		(void)snprintf(out, NAME_ROOM, "?");
}

static void tell_user(struct asked *a, enum notices_result result,
                      const char *why)
{
	struct notice n = {
		.source = a->request.source,
		.service = a->msg.service,
		.result = result,
		.why = why,
	};
	char target[NAME_ROOM] = "";

	if (result != NOTICES_FAIL && !a->answer.notify)
		return;
	if (result != NOTICES_DENY)
		name_of(a, a->answer.target, target);
	n.wanted = span_str(a->wanted);
	n.target = span_str(target);
	notices_tell(a->trunk->m->notices, &n);
}

static void refuse(struct asked *a, enum notices_result result, const char *why)
{
	callstreams_refuse(a->far);
	trunk_refused(a->trunk, a->id);
	tell_user(a, result, why);
	destroy(a);
}

/* Where the route ended. */
static void routed(struct route *r, int streams[CALLMSG_STREAMS],
                   const char *why)
{
	struct asked *a = container_of(r, struct asked, route);

	if (!streams) {
		refuse(a, NOTICES_FAIL, why);
		return;
	}
	trunk_allowed(a->trunk, a->id, a->begun ? NULL : streams, a->early);
	tell_user(a, NOTICES_ALLOW, NULL);
	destroy(a);
}

static bool keep_user(struct asked *a)
{
	struct span user = a->answer.user;

	if (user.size >= sizeof(a->user))
		return false;
	if (user.size > 0 && !span_is(user, "DEFAULT"))
		memcpy(a->user, user.at, user.size);
	return true;
}

/* It is allowed. */
static void send_on_its_way(struct asked *a)
{
	const struct policy_system *s = census_system(a->census);
	const struct policy_qube *q = &s->qube[a->answer.target.qube];
	struct route *r = &a->route;

	a->phase = ROUTING;
	r->done = routed;
	r->from = a->trunk;
	r->far = a->begun ? a->far : NULL;
	r->start = a->answer.autostart;
	r->kind = a->answer.target.kind == POLICY_TO_DISPVM_OF ? ROUTE_NEW
	          : policy_system_is_admin(q)                  ? ROUTE_DOM0
	          : span_is(q->klass, "RemoteVM")              ? ROUTE_REMOTE
	                                                       : ROUTE_QUBE;
	memcpy(r->uuid, q->uuid.at,
	       MIN(q->uuid.size, (size_t)QUBE_UUID_SIZE - 1));
	r->what = (struct callmsg){
		.service = a->msg.service,
		.target = span_str(a->wanted),
		.source = a->request.source,
		.user = span_str(a->user),
	};
	route_begin(a->trunk->m, r);
}

/* What is decided is carried out. */
static void settled(struct asked *a)
{
	if (a->answer.action == POLICY_ALLOW)
		send_on_its_way(a);
	else
		refuse(a, NOTICES_DENY, a->answer.why);
}

static void answered(struct prompts_policy *q)
{
	struct asked *a = container_of(q, struct asked, question);

	a->phase = DECIDING;
	settled(a);
}

/* Asks the policy.  On any failure the answer is a denial. */
static void decide(struct asked *a)
{
	struct manager *m = a->trunk->m;
	const struct policy_rules *rules;
	struct policy_answer answer;
	struct fault f;
	bool own;

	policy_eval_refuse(&a->answer, "there is no policy");
	if (policy_store_look(m->policy, &rules, &f) < 0 ||
	    census_get(m, &a->census, &f) < 0)
		return;
	own = policy_system_speaker(census_system(a->census), a->request.source,
	                            a->msg.source, &a->request.source);
	if (policy_eval_call(rules, census_system(a->census), &a->request,
	                     &answer) < 0)
		return;
	a->answer = answer;
	/* The rule, and what it says, may be gone when the user has chosen. */
	if (!keep_user(a))
		policy_eval_refuse(&a->answer, "that is no user");
	a->answer.rule = NULL;
	a->answer.user = (struct span){NULL, 0};
	name_of(a, a->answer.wanted, a->wanted);
	if (!own) {
		policy_eval_fini(&a->answer);
		policy_eval_refuse(&a->answer,
		                   "it asks in another qube's name");
	}
}

/* Takes over the text.  NULL: it asks too much, or there is no memory. */
static struct asked *enter(struct trunk *t, uint64_t id, char *text,
                           const struct callmsg *msg)
{
	bool much = t->count == BROKER_WAITING_MAX || t->size > BROKER_SIZE_MAX;
	struct asked *a = much ? NULL : calloc(1, sizeof(*a));

	if (!a) {
		free(text);
		return NULL;
	}
	a->trunk = t;
	a->id = id;
	a->text = text;
	a->msg = *msg;
	a->size = msg->service.size + msg->target.size + msg->source.size;
	a->request = (struct policy_request){
		.source = span_str(t->name),
		.target = msg->target,
		.service = msg->service,
	};
	list_add_tail(&t->calls, &a->link);
	t->count++;
	t->size += a->size;
	return a;
}

static void ask_user(struct asked *a)
{
	a->phase = ASKING;
	a->question.census = a->census;
	a->question.request = &a->request;
	a->question.answer = &a->answer;
	a->question.done = answered;
	prompts_policy_ask(a->trunk->m->prompts, &a->question);
}

bool broker_asked(struct trunk *t, const struct control *c,
                  struct control_fds *fds)
{
	int far[CALLMSG_STREAMS];
	struct asked *a = NULL;
	struct callmsg msg;
	char *text;
	int err;

	if (!trunk_take_ahead(t, c->value[1], far))
		return false;
	err = callmsg_take(c, fds, &text, &msg, NULL);
	if (err == 0)
		a = enter(t, c->value[0], text, &msg);
	if (!a) {
		callstreams_refuse(far);
		trunk_refused(t, c->value[0]);
		return err != -EPROTO;
	}
	a->early = c->value[2] & CALLMSG_EARLY;
	a->begun = c->value[1] != 0;
	t->early += a->begun;
	memcpy(a->far, far, sizeof(far));
	decide(a);
	if (a->answer.action == POLICY_ASK)
		ask_user(a);
	else
		settled(a);
	return true;
}

static void abandon(struct asked *a)
{
	if (a->phase == ASKING)
		prompts_cancel(a->trunk->m->prompts, &a->question.question);
	else if (a->phase == ROUTING)
		route_cancel(&a->route);
	destroy(a);
}

void broker_gone(struct trunk *t, uint64_t id)
{
	list_for_each (at, &t->calls) {
		struct asked *a = list_entry(at, struct asked, link);

		if (a->id == id) {
			abandon(a);
			return;
		}
	}
}

void broker_forget(struct trunk *t)
{
	while (!list_empty(&t->calls))
		abandon(list_first(&t->calls, struct asked, link));
}

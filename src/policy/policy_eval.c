/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_eval.h"

#include "policy/policy_line.h"

#define NAME_ROOM 128u

static void deny(struct policy_answer *a, const char *why)
{
	a->action = POLICY_DENY;
	a->why = why;
}

/* What a rule would have allowed cannot be done: the user should know. */
static void fail(struct policy_answer *a, const char *why)
{
	deny(a, why);
	a->notify = true;
}

/* A service and its argument, which has a + in front. */
struct call {
	struct span service;
	struct span argument;
};

static bool split(struct span text, struct call *out)
{
	struct reader r = {.rest = text};
	size_t size = 0;

	if (!policy_line_name_ok(text))
		return false;
	while (size < text.size && text.at[size] != '+')
		size++;
	out->service = rd_take(&r, size);
	out->argument = r.rest.size > 0 ? r.rest : span_str("+");
	return size > 0;
}

/* Does the rule speak of this service and source? */
static bool fits(const struct policy_rule *r, const struct policy_system *s,
                 const struct call *c, size_t source)
{
	if (!r->any_service && !span_eq(r->service, c->service))
		return false;
	if (!r->any_argument && !span_eq(r->argument, c->argument))
		return false;
	return policy_system_is_source(s, r->source, source);
}

/* Sets of targets: each qube, a disposable of each, and the default one. */
struct set {
	bool *qube;
	bool *base;
	bool dispvm;
};

static void expand(const struct policy_system *s, struct policy_token token,
                   struct set *set, bool add)
{
	struct policy_target t = {.kind = POLICY_TO_DISPVM};
	bool any = token.kind == POLICY_ANY || token.kind == POLICY_ANYVM;

	if (any || token.kind == POLICY_DISPVM)
		set->dispvm = add;
	for (t.qube = 0; t.qube < s->count; t.qube++) {
		t.kind = POLICY_TO_QUBE;
		if (policy_system_is_target(s, token, 0, t))
			set->qube[t.qube] = add;
		t.kind = POLICY_TO_DISPVM_OF;
		if (policy_system_is_target(s, token, 0, t))
			set->base[t.qube] = add;
	}
}

struct named {
	struct policy_target target;
	char name[NAME_ROOM];
};

static int by_name(const void *a, const void *b)
{
	const struct named *x = a;
	const struct named *y = b;

	return strcmp(x->name, y->name);
}

/* Makes the set the answer's offer, sorted.  0, -ENOMEM, -ENOSPC. */
static int offer(const struct policy_system *s, const struct set *set,
                 struct policy_answer *a)
{
	autofree struct named *list = NULL;
	autofree struct policy_target *out = NULL;
	size_t count = 0;
	int n;

	for (size_t i = 0; i < s->count; i++)
		count += (size_t)set->qube[i] + (size_t)set->base[i];
	list = calloc(count + 1, sizeof(*list));
	out = calloc(count + 1, sizeof(*out));
	if (!list || !out)
		return -ENOMEM;
	count = 0;
	for (size_t i = 0; i < 2 * s->count; i++) {
		bool base = i >= s->count;
		struct policy_target t = {
			.kind = base ? POLICY_TO_DISPVM_OF : POLICY_TO_QUBE,
			.qube = i % s->count,
		};

		if (!(base ? set->base : set->qube)[t.qube])
			continue;
		list[count].target = t;
		n = policy_system_write(s, t, false, list[count].name,
		                        NAME_ROOM);
		if (n < 0)
			return n;
		count++;
	}
	qsort(list, count, sizeof(*list), by_name);
	for (size_t i = 0; i < count; i++)
		out[i] = list[i].target;
	a->offer = take_ptr(&out);
	a->offer_count = count;
	return 0;
}

/* Why a call may not go there, or NULL. */
static const char *obstacle(const struct policy_system *s,
                            const struct policy_answer *a,
                            struct policy_target t)
{
	const struct policy_qube *q = &s->qube[t.qube];

	if (t.kind == POLICY_TO_NOWHERE)
		return "no target was given, and the rule names none";
	if (t.kind == POLICY_TO_QUBE && t.qube == a->source)
		return "a qube cannot call itself";
	if (a->autostart || (t.kind == POLICY_TO_QUBE &&
	                     (policy_system_is_admin(q) || q->running)))
		return NULL;
	return "the target does not run, and the rule forbids to start it";
}

/* All that the policy would let this source and service reach. */
static void collect(const struct policy_rules *rules,
                    const struct policy_system *s, const struct call *c,
                    const struct policy_answer *a, struct set *set)
{
	struct policy_target t;

	for (size_t i = rules->count; i-- > 0;) {
		const struct policy_rule *r = &rules->rule[i];

		if (!fits(r, s, c, a->source))
			continue;
		expand(s,
		       r->redirect.kind != POLICY_NONE ? r->redirect
		                                       : r->target,
		       set, r->action != POLICY_DENY);
	}
	if (set->dispvm && policy_system_dispvm(s, a->source, &t))
		set->base[t.qube] = true;
	for (size_t i = 0; i < s->count; i++)
		if (s->qube[i].internal)
			set->qube[i] = set->base[i] = false;
}

size_t policy_eval_find(const struct policy_answer *a, struct policy_target t)
{
	size_t i = 0;

	while (i < a->offer_count &&
	       (a->offer[i].kind != t.kind || a->offer[i].qube != t.qube))
		i++;
	return i;
}

/* A target as it is offered: the default disposable by its name. */
static bool settle(const struct policy_system *s, size_t source,
                   struct policy_token token, struct policy_target *out)
{
	struct policy_target t;

	if (!policy_system_target(s, token, &t))
		return false;
	if (t.kind == POLICY_TO_DISPVM && !policy_system_dispvm(s, source, &t))
		return false;
	*out = t;
	return true;
}

static int ask(const struct policy_rules *rules, const struct policy_system *s,
               const struct call *c, struct policy_answer *a)
{
	autofree bool *to_qube = calloc(s->count, sizeof(bool));
	autofree bool *to_base = calloc(s->count, sizeof(bool));
	struct set set = {to_qube, to_base, false};
	struct policy_target t;
	int err;

	if (!to_qube || !to_base)
		return -ENOMEM;
	if (a->rule->redirect.kind == POLICY_NONE) {
		collect(rules, s, c, a, &set);
	} else if (settle(s, a->source, a->rule->redirect, &t)) {
		*(t.kind == POLICY_TO_QUBE ? &set.qube[t.qube]
		                           : &set.base[t.qube]) = true;
	}
	for (t.qube = 0; t.qube < s->count; t.qube++) {
		t.kind = POLICY_TO_QUBE;
		if (obstacle(s, a, t))
			set.qube[t.qube] = false;
		t.kind = POLICY_TO_DISPVM_OF;
		if (obstacle(s, a, t))
			set.base[t.qube] = false;
	}
	err = offer(s, &set, a);
	if (err < 0)
		return err;
	a->action = POLICY_ASK;
	a->preset = a->offer_count;
	if (a->rule->default_target.kind != POLICY_NONE &&
	    settle(s, a->source, a->rule->default_target, &t))
		a->preset = policy_eval_find(a, t);
	if (a->offer_count == 0)
		fail(a, "the rule says to ask, but there is no target to "
		        "choose");
	return 0;
}

static void allow(const struct policy_system *s, struct policy_answer *a)
{
	const struct policy_rule *r = a->rule;
	const char *why;

	a->action = POLICY_ALLOW;
	a->target = a->wanted;
	if (r->redirect.kind != POLICY_NONE &&
	    !policy_system_target(s, r->redirect, &a->target)) {
		fail(a, "the rule sends the call to a qube that is not there");
		return;
	}
	if (a->target.kind == POLICY_TO_DISPVM &&
	    !policy_system_dispvm(s, a->source, &a->target)) {
		fail(a, "the source has no default for disposables");
		return;
	}
	why = obstacle(s, a, a->target);
	if (why)
		fail(a, why);
}

void policy_eval_refuse(struct policy_answer *out, const char *why)
{
	*out = (struct policy_answer){.notify = true};
	deny(out, why);
}

int policy_eval_call(const struct policy_rules *rules,
                     const struct policy_system *s,
                     const struct policy_request *request,
                     struct policy_answer *out)
{
	struct policy_answer a = {.notify = true};
	struct policy_token token;
	struct call c;
	int err = 0;

	deny(&a, "no rule is for this call");
	a.source = policy_system_name(s, request->source);
	if (policy_token_read(request->source, POLICY_SOURCE, &token) == 0 &&
	    token.kind == POLICY_ADMINVM)
		a.source = policy_system_admin(s);
	if (a.source == POLICY_NOBODY || !split(request->service, &c)) {
		policy_eval_refuse(out, "the source is unknown, or the "
		                        "service has no valid name");
		return 0;
	}
	if (policy_token_read(request->target, POLICY_WANTED, &token) < 0 ||
	    !policy_system_target(s, token, &a.wanted))
		a.wanted = (struct policy_target){.kind = POLICY_TO_NOWHERE};
	for (size_t i = 0; i < rules->count && !a.rule; i++)
		if (fits(&rules->rule[i], s, &c, a.source) &&
		    policy_system_is_target(s, rules->rule[i].target, a.source,
		                            a.wanted))
			a.rule = &rules->rule[i];
	if (a.rule) {
		a.notify = a.rule->notify;
		a.autostart = a.rule->autostart;
		a.user = a.rule->user;
		if (a.rule->action == POLICY_DENY)
			deny(&a, "the rule says so");
		else if (a.rule->action == POLICY_ALLOW)
			allow(s, &a);
		else
			err = ask(rules, s, &c, &a);
	}
	if (err < 0)
		return err;
	*out = a;
	return 0;
}

void policy_eval_choose(struct policy_answer *a, size_t which)
{
	if (a->action != POLICY_ASK)
		return;
	if (which >= a->offer_count) {
		deny(a, "the user did not agree");
		return;
	}
	a->action = POLICY_ALLOW;
	a->target = a->offer[which];
}

size_t policy_eval_offered(const struct policy_system *s,
                           const struct policy_answer *a, struct span name)
{
	char text[NAME_ROOM];
	size_t i = 0;

	for (; i < a->offer_count; i++) {
		int n = policy_system_write(s, a->offer[i], false, text,
		                            sizeof(text));

		if (n >= 0 && span_is(name, text))
			break;
	}
	return i;
}

void policy_eval_fini(struct policy_answer *a)
{
	free(a->offer);
	a->offer = NULL;
	a->offer_count = 0;
}

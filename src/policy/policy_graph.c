/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_graph.h"

#include <stdio.h>

#include "policy/policy_source.h"

#define NAME_ROOM    128u
#define SERVICE_ROOM (2 * POLICY_LINE_MAX)

/* No rule names these, unless somebody means to. */
#define OTHER_SERVICE  "every-other-service"
#define OTHER_ARGUMENT "+every-other-argument"

struct call {
	char name[SERVICE_ROOM];  /* as a call would name it */
	char label[SERVICE_ROOM]; /* as the graph shows it */
};

static void call_of(const struct policy_rule *r, struct call *c)
{
	struct span service = r->any_service ? span_str(OTHER_SERVICE)
	                                     : r->service;
	struct span argument = r->any_argument ? span_str(OTHER_ARGUMENT)
	                                       : r->argument;

	(void)snprintf(c->name, sizeof(c->name), "%.*s%.*s", (int)service.size,
	               (const char *)service.at, (int)argument.size,
	               (const char *)argument.at);
	(void)snprintf(c->label, sizeof(c->label), "%.*s%.*s",
	               r->any_service ? 1 : (int)service.size,
	               r->any_service ? "*" : (const char *)service.at,
	               r->any_argument ? 0 : (int)argument.size,
	               (const char *)argument.at);
}

/* Was there an earlier rule about the same service and argument? */
static bool repeated(const struct policy_rules *p, size_t at)
{
	const struct policy_rule *r = &p->rule[at];

	for (size_t i = 0; i < at; i++) {
		const struct policy_rule *e = &p->rule[i];

		if (e->any_service == r->any_service &&
		    e->any_argument == r->any_argument &&
		    span_eq(e->service, r->service) &&
		    span_eq(e->argument, r->argument))
			return true;
	}
	return false;
}

struct drawing {
	const struct policy_rules *rules;
	const struct policy_system *system;
	const struct policy_graph *what;
	const struct call *call;
	struct policy_names *edges;
};

static int edge(const struct drawing *d, struct span source,
                struct policy_target t, const char *colour)
{
	autofree char *line = NULL;
	char name[NAME_ROOM];

	if (policy_system_write(d->system, t, false, name, sizeof(name)) < 0)
		return 0;
	if (d->what->target.size > 0 && !span_is(d->what->target, name))
		return 0;
	if (asprintf(&line, "  \"%.*s\" -> \"%s\" [label=\"%s\" color=%s];",
	             (int)source.size, (const char *)source.at, name,
	             d->call->label, colour) < 0) {
		line = NULL;
		return -ENOMEM;
	}
	return policy_source_add(d->edges, line);
}

/* One call from one qube to one target. */
static int draw(const struct drawing *d, size_t source, struct policy_target t)
{
	struct policy_answer a;
	char wanted[NAME_ROOM];
	struct policy_request q = {
		.source = d->system->qube[source].name,
		.service = span_str(d->call->name),
	};
	int err;

	if (policy_system_write(d->system, t, false, wanted, sizeof(wanted)) <
	    0)
		return 0;
	q.target = span_str(wanted);
	err = policy_eval_call(d->rules, d->system, &q, &a);
	if (err < 0)
		return err;
	if (a.action == POLICY_ALLOW)
		err = edge(d, q.source, a.target, "red");
	else if (a.action == POLICY_ASK && d->what->include_ask &&
	         policy_eval_find(&a, t) < a.offer_count)
		err = edge(d, q.source, t, "orange");
	policy_eval_fini(&a);
	return err;
}

static int draw_service(const struct drawing *d)
{
	const struct policy_system *s = d->system;
	int err = 0;

	for (size_t i = 0; i < s->count && err == 0; i++) {
		struct policy_target t = {.kind = POLICY_TO_NOWHERE};

		if (d->what->source.size > 0 &&
		    !span_eq(d->what->source, s->qube[i].name))
			continue;
		err = draw(d, i, t);
		t.kind = POLICY_TO_DISPVM;
		if (err == 0)
			err = draw(d, i, t);
		for (t.qube = 0; t.qube < s->count && err == 0; t.qube++) {
			t.kind = POLICY_TO_QUBE;
			err = draw(d, i, t);
			t.kind = POLICY_TO_DISPVM_OF;
			if (err == 0 && s->qube[t.qube].template_for_dispvms)
				err = draw(d, i, t);
		}
	}
	return err;
}

int policy_graph(const struct policy_rules *rules,
                 const struct policy_system *system,
                 const struct policy_graph *what, struct buffer *to)
{
	autofree struct call *call = malloc(sizeof(*call));
	struct policy_names edges = {0};
	struct drawing d = {rules, system, what, call, &edges};
	int err = 0;

	if (!call)
		return -ENOMEM;
	for (size_t i = 0; i < rules->count && err == 0; i++) {
		const struct policy_rule *r = &rules->rule[i];

		if (repeated(rules, i) ||
		    (what->service.size > 0 && !r->any_service &&
		     !span_eq(r->service, what->service)))
			continue;
		call_of(r, call);
		err = draw_service(&d);
	}
	/* Several calls may end at one place: an edge is drawn once. */
	policy_source_sort(&edges);
	buffer_text(to, "digraph policy {\n");
	for (size_t i = 0; i < edges.count; i++)
		if (i == 0 || strcmp(edges.name[i - 1], edges.name[i]) != 0)
			buffer_printf(to, "%s\n", edges.name[i]);
	buffer_text(to, "}\n");
	policy_source_fini(&edges);
	return err < 0 ? err : to->bad ? -ENOMEM : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_lint.h"

#include "policy/policy_builtin.h"

/* Does every qube that `b` stands for stand behind `a`, too? */
static bool covers(struct policy_token a, struct policy_token b)
{
	switch (a.kind) {
	case POLICY_ANY:
		return true;
	case POLICY_ANYVM:
		/* A name may be that of no AdminVM; a class or tag may. */
		return b.kind != POLICY_ANY && b.kind != POLICY_ADMINVM &&
		       b.kind != POLICY_TAG && b.kind != POLICY_TYPE;
	case POLICY_NONE:
	case POLICY_NAME:
	case POLICY_UUID:
	case POLICY_ADMINVM:
	case POLICY_TAG:
	case POLICY_TYPE:
	case POLICY_DEFAULT:
	case POLICY_DISPVM:
	case POLICY_DISPVM_OF:
	case POLICY_DISPVM_OF_UUID:
	case POLICY_DISPVM_TAG:
		break;
	}
	return policy_token_same(a, b);
}

static bool hides(const struct policy_rule *a, const struct policy_rule *b)
{
	if (!a->any_service &&
	    (b->any_service || !span_eq(a->service, b->service)))
		return false;
	if (!a->any_argument &&
	    (b->any_argument || !span_eq(a->argument, b->argument)))
		return false;
	return covers(a->source, b->source) && covers(a->target, b->target);
}

static const char *const classes[] = {"AdminVM",  "AppVM",      "DispVM",
                                      "RemoteVM", "TemplateVM", "StandaloneVM"};

/* Why a token stands for nothing; NULL if it does, or nobody can tell. */
static const char *nothing(const struct policy_system *s, struct policy_token t)
{
	struct policy_target target;

	if (t.kind == POLICY_TYPE) {
		for (size_t i = 0; i < ARRAY_LEN(classes); i++)
			if (span_is(t.value, classes[i]))
				return NULL;
		return "is a class of no qube";
	}
	if (t.kind == POLICY_NAME && t.value.at[0] == '$')
		return "is a name; words of this kind begin with @";
	if (!s)
		return NULL;
	if (t.kind == POLICY_TAG || t.kind == POLICY_DISPVM_TAG) {
		for (size_t i = 0; i < s->count; i++)
			if (policy_system_has_tag(&s->qube[i], t.value))
				return NULL;
		return "is a tag of no qube";
	}
	if (t.kind != POLICY_NAME && t.kind != POLICY_UUID &&
	    t.kind != POLICY_DISPVM_OF && t.kind != POLICY_DISPVM_OF_UUID)
		return NULL;
	return policy_system_target(s, t, &target)
	               ? NULL
	               : "is no qube, or makes no disposables";
}

static size_t lint_tokens(const struct policy_rules *p,
                          const struct policy_system *s,
                          const struct policy_rule *r, struct buffer *to)
{
	const struct policy_token tokens[] = {
		r->source,
		r->target,
		r->redirect,
		r->default_target,
	};
	size_t count = 0;

	/* The program's own files speak of what may be there. */
	if (strncmp(p->file[r->file], POLICY_BUILTIN, strlen(POLICY_BUILTIN)) ==
	    0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
		const char *why = nothing(s, tokens[i]);

		if (!why)
			continue;
		buffer_printf(to, "%s:%u: %s%.*s %s\n", p->file[r->file],
		              r->line, policy_token_spelling(tokens[i].kind),
		              (int)tokens[i].value.size,
		              (const char *)tokens[i].value.at, why);
		count++;
	}
	return count;
}

size_t policy_lint(const struct policy_rules *p,
                   const struct policy_system *system, struct buffer *to)
{
	size_t count = 0;

	for (size_t i = 0; i < p->count; i++) {
		const struct policy_rule *r = &p->rule[i];
		size_t k = 0;

		count += lint_tokens(p, system, r, to);
		while (k < i && !hides(&p->rule[k], r))
			k++;
		if (k == i)
			continue;
		buffer_printf(to, "%s:%u: never reached, because of %s:%u\n",
		              p->file[r->file], r->line,
		              p->file[p->rule[k].file], p->rule[k].line);
		count++;
	}
	return count;
}

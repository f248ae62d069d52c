/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_line.h"

#include <stdio.h>

enum { DENY = 1, ALLOW = 2, ASK = 4 };

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static bool is_name_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.' ||
	       c == '_';
}

bool policy_line_name_ok(struct span s)
{
	for (size_t i = 0; i < s.size; i++)
		if (!is_name_byte(s.at[i]))
			return false;
	return s.size > 0;
}

struct span policy_line_word(struct reader *r)
{
	size_t size = 0;

	while (r->rest.size > 0 && is_blank(r->rest.at[0]))
		(void)rd_take(r, 1);
	while (size < r->rest.size && !is_blank(r->rest.at[size]))
		size++;
	return rd_take(r, size);
}

int policy_line_service(struct span service, struct span argument,
                        struct policy_rule *out, uint32_t *which,
                        const char **why)
{
	bool any_service = span_is(service, "*");
	bool any_argument = span_is(argument, "*");

	*which = 0;
	*why = "is not a service: letters, digits, - . _ or *";
	if (!any_service && (!policy_line_name_ok(service) ||
	                     memchr(service.at, '+', service.size)))
		return -EINVAL;
	*which = 1;
	*why = "is not an argument: + with letters, digits, + - . _ or *";
	if (!any_argument &&
	    (!policy_line_name_ok(argument) || argument.at[0] != '+'))
		return -EINVAL;
	*why = "must be * where the service is *";
	if (any_service && !any_argument)
		return -EINVAL;
	out->any_service = any_service;
	out->any_argument = any_argument;
	out->service = any_service ? (struct span){NULL, 0} : service;
	out->argument = any_argument ? (struct span){NULL, 0} : argument;
	return 0;
}

static int set_token(struct span value, struct policy_token *out,
                     const char **why)
{
	*why = "does not name one qube or a new disposable";
	return policy_token_read(value, POLICY_REDIRECT, out);
}

static int set_redirect(struct policy_rule *r, struct span value,
                        const char **why)
{
	return set_token(value, &r->redirect, why);
}

static int set_default_target(struct policy_rule *r, struct span value,
                              const char **why)
{
	return set_token(value, &r->default_target, why);
}

static int set_user(struct policy_rule *r, struct span value, const char **why)
{
	*why = "does not name a user";
	if (!policy_line_name_ok(value))
		return -EINVAL;
	r->user = value;
	return 0;
}

static int set_bool(struct span value, bool *out, const char **why)
{
	*why = "must be yes or no";
	if (!span_is(value, "yes") && !span_is(value, "no"))
		return -EINVAL;
	*out = span_is(value, "yes");
	return 0;
}

static int set_notify(struct policy_rule *r, struct span value,
                      const char **why)
{
	return set_bool(value, &r->notify, why);
}

static int set_autostart(struct policy_rule *r, struct span value,
                         const char **why)
{
	return set_bool(value, &r->autostart, why);
}

static const struct {
	const char *key;
	int (*set)(struct policy_rule *r, struct span value, const char **why);
	unsigned actions;
} params[] = {
#define PARAM(key, function, actions) {key, set_##function, actions},
#include "policy/policy_params.def"
};

static const struct {
	const char *name;
	enum policy_action action;
	unsigned bit;
} actions[] = {
	{"allow", POLICY_ALLOW, ALLOW},
	{"deny", POLICY_DENY, DENY},
	{"ask", POLICY_ASK, ASK},
};

/* Reads KEY=VALUE; `seen` has a bit for each key that was there before. */
static int read_param(struct span word, unsigned action, uint32_t *seen,
                      struct policy_rule *r, const char **why)
{
	struct reader in = {.rest = word};
	struct span key;
	size_t size = 0;

	while (size < word.size && word.at[size] != '=')
		size++;
	key = rd_take(&in, size);
	*why = "is not of the form KEY=VALUE";
	if (in.rest.size == 0)
		return -EINVAL;
	(void)rd_take(&in, 1);
	*why = "is not a parameter";
	for (uint32_t i = 0; i < ARRAY_LEN(params); i++) {
		if (!span_is(key, params[i].key))
			continue;
		*why = "is not for this action";
		if (!(params[i].actions & action))
			return -EINVAL;
		*why = "is given twice";
		if (*seen & 1u << i)
			return -EINVAL;
		*seen |= 1u << i;
		return params[i].set(r, in.rest, why);
	}
	return -EINVAL;
}

static int read_action(struct span word, struct policy_rule *r, unsigned *bit)
{
	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		if (span_is(word, actions[i].name)) {
			r->action = actions[i].action;
			*bit = actions[i].bit;
			r->notify = r->action == POLICY_DENY;
			r->autostart = true;
			return 0;
		}
	return -EINVAL;
}

/* The words of a line one after the other, with what was wrong with one. */
struct words {
	struct reader in;
	struct policy_wrong *wrong;
};

static struct span next(struct words *w)
{
	w->wrong->word++;
	w->wrong->text = policy_line_word(&w->in);
	return w->wrong->text;
}

/* The words up to the action; 0 or -EINVAL. */
static int read_head(struct words *w, enum policy_form form,
                     struct policy_rule *r, unsigned *bit)
{
	struct policy_wrong *wrong = w->wrong;

	if (form == POLICY_FORM_FULL) {
		struct span service = next(w);
		struct span argument = next(w);
		uint32_t which;

		if (policy_line_service(service, argument, r, &which,
		                        &wrong->why) < 0) {
			wrong->word = which + 1;
			wrong->text = which ? argument : service;
			return -EINVAL;
		}
	}
	wrong->why = "is not a source";
	if (policy_token_read(next(w), POLICY_SOURCE, &r->source) < 0)
		return -EINVAL;
	wrong->why = "is not a target";
	if (policy_token_read(next(w), POLICY_TARGET, &r->target) < 0)
		return -EINVAL;
	wrong->why = "is not allow, deny or ask";
	return read_action(next(w), r, bit);
}

int policy_line_read(struct span line, enum policy_form form,
                     struct policy_rule *out, struct policy_wrong *wrong)
{
	struct policy_wrong bad = {0};
	struct words w = {.in = {.rest = line}, .wrong = &bad};
	struct policy_rule r = {
		.any_service = out->any_service,
		.any_argument = out->any_argument,
		.service = out->service,
		.argument = out->argument,
		.file = out->file,
		.line = out->line,
	};
	unsigned bit = 0;
	uint32_t action_word;
	uint32_t seen = 0;
	int err;

	err = read_head(&w, form, &r, &bit);
	action_word = bad.word;
	while (err == 0 && next(&w).size > 0)
		err = read_param(bad.text, bit, &seen, &r, &bad.why);
	if (err == 0 && r.action == POLICY_ALLOW &&
	    r.target.kind == POLICY_DEFAULT && r.redirect.kind == POLICY_NONE) {
		bad.word = action_word;
		bad.text = span_str("allow");
		bad.why = "of @default needs target=";
		err = -EINVAL;
	}
	if (err < 0)
		*wrong = bad;
	else
		*out = r;
	return err;
}

/* A string under way: what is beyond its room only counts. */
struct text {
	char *to;
	size_t room;
	size_t size;
};

static void put(struct text *t, const char *before, struct span s)
{
	int n = snprintf(t->size < t->room ? t->to + t->size : NULL,
	                 t->size < t->room ? t->room - t->size : 0, "%s%.*s",
	                 before, (int)s.size, (const char *)s.at);

	t->size += n > 0 ? (size_t)n : 0;
}

static void put_token(struct text *t, const char *before,
                      struct policy_token token)
{
	put(t, before, span_str(policy_token_spelling(token.kind)));
	put(t, "", token.value);
}

int policy_line_write(const struct policy_rule *r, char *to, size_t room)
{
	static const char *const names[] = {
		[POLICY_DENY] = "deny",
		[POLICY_ALLOW] = "allow",
		[POLICY_ASK] = "ask",
	};
	struct text t = {to, room, 0};

	put(&t, "", r->any_service ? span_str("*") : r->service);
	put(&t, " ", r->any_argument ? span_str("*") : r->argument);
	put_token(&t, " ", r->source);
	put_token(&t, " ", r->target);
	put(&t, " ", span_str(names[r->action]));
	if (r->redirect.kind != POLICY_NONE)
		put_token(&t, " target=", r->redirect);
	if (r->default_target.kind != POLICY_NONE)
		put_token(&t, " default_target=", r->default_target);
	if (r->user.size > 0)
		put(&t, " user=", r->user);
	if (r->notify != (r->action == POLICY_DENY))
		put(&t, " notify=", span_str(r->notify ? "yes" : "no"));
	if (!r->autostart)
		put(&t, " autostart=", span_str("no"));
	return t.size < room ? (int)t.size : -ENOSPC;
}

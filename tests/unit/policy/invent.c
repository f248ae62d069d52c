/* SPDX-License-Identifier: Apache-2.0 */
#include "invent.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "policy/policy_eval.h"
#include "policybed.h"

#define UUID(n) "00000000-0000-4000-8000-00000000000" n

static const char *const names[] = {"dom0", "work", "mail", "net",  "dvm",
                                    "tpl",  "a.b",  "Work", "disp7"};
static const char *const uuids[] = {
	"00000000-0000-0000-0000-000000000000",
	UUID("1"),
	UUID("2"),
	UUID("3"),
	UUID("4"),
	UUID("5"),
	UUID("6"),
	UUID("7"),
	UUID("8"),
};
static const char *const classes[] = {"AppVM", "TemplateVM", "DispVM"};
static const char *const tags[] = {"a", "b", "a-b"};

static const char *const tokens[] = {
	"*",
	"@anyvm",
	"@adminvm",
	"dom0",
	"@tag:a",
	"@tag:b",
	"@tag:none",
	"@type:AppVM",
	"@type:AdminVM",
	"@type:DispVM",
	"@dispvm:dvm",
	"@dispvm:work",
	"@dispvm:@tag:a",
	"uuid:" UUID("1"),
	"@dispvm:uuid:" UUID("4"),
	"work",
	"mail",
	"net",
	"dvm",
	"disp7",
	"gone",
	"@default",
	"@dispvm",
	"Work",
	"uuid:" UUID("9"),
};
static const char *const services[] = {"s", "s+x", "s+", "t", "s+x+y", "S"};
static const char *const heads[] = {"* *", "s *", "s +x",
                                    "s +", "t *", "s +x+y"};
static const char *const actions[] = {"allow", "deny", "ask"};
static const char *const params[] = {
	"",
	" notify=yes",
	" notify=no",
	" autostart=no",
	" user=root",
	" target=mail",
	" target=@dispvm",
	" target=@dispvm:dvm",
	" target=gone",
	" target=dom0",
	" target=work autostart=no",
	" default_target=net",
	" default_target=@dispvm",
	" default_target=mail notify=yes",
	" default_target=net target=net",
	" autostart=yes user=u notify=yes",
};

static const char *pick(struct reader *r, const char *const from[],
                        size_t count)
{
	return from[rd_u8(r) % count];
}

static void invent_qube(struct reader *r, struct invention *to, size_t i)
{
	struct policy_qube *q = &to->qube[i];
	uint8_t bits = rd_u8(r);

	q->name = span_str(names[i]);
	q->uuid = span_str(uuids[i]);
	q->klass = span_str(i ? pick(r, classes, ARRAY_LEN(classes))
	                      : "AdminVM");
	q->internal = i && (bits & 3) == 3;
	q->running = bits & 4;
	q->template_for_dispvms = i && bits & 8;
	if (bits & 16)
		q->default_dispvm = span_str(pick(r, names, ARRAY_LEN(names)));
	if (bits & 32)
		q->template = span_str(pick(r, names, ARRAY_LEN(names)));
	for (size_t k = 0; k < ARRAY_LEN(tags); k++)
		if (bits & 64 && rd_u8(r) & 1)
			to->tags[i][q->tag_count++] = span_str(tags[k]);
	q->tags = to->tags[i];
}

void invent(struct reader *r, struct invention *to)
{
	struct reference_call *c = &to->call;
	size_t lines;

	memset(to, 0, sizeof(*to));
	to->system.qube = to->qube;
	to->system.count = 1 + rd_u8(r) % INVENT_QUBES;
	for (size_t i = 0; i < to->system.count; i++)
		invent_qube(r, to, i);
	lines = rd_u8(r) % (REFERENCE_RULES + 1);
	for (size_t i = 0; i < lines; i++) {
		/* In this order, whatever the compiler would like. */
		const char *head = pick(r, heads, ARRAY_LEN(heads));
		const char *source = pick(r, tokens, ARRAY_LEN(tokens));
		const char *target = pick(r, tokens, ARRAY_LEN(tokens));
		const char *action = pick(r, actions, ARRAY_LEN(actions));
		const char *param = pick(r, params, ARRAY_LEN(params));

		(void)snprintf(c->line[c->count], sizeof(c->line[0]),
		               "%s %s %s %s%s", head, source, target, action,
		               param);
		c->count++;
	}
	(void)snprintf(c->source, sizeof(c->source), "%s",
	               pick(r, names, ARRAY_LEN(names)));
	(void)snprintf(c->target, sizeof(c->target), "%s",
	               pick(r, tokens, ARRAY_LEN(tokens)));
	(void)snprintf(c->service, sizeof(c->service), "%s",
	               pick(r, services, ARRAY_LEN(services)));
}

/* Drops lines that the parser refuses, so that both see the same rules. */
static struct policy_rules *parse_good(const struct reference_call *c,
                                       struct reference_call *good)
{
	struct policy_rules *rules = NULL;
	autobuffer struct buffer text = {0};
	struct fault f;

	*good = *c;
	good->count = 0;
	for (size_t i = 0; i < c->count; i++) {
		if (policybed_parse(c->line[i], &rules, &f) < 0)
			continue;
		policy_rules_destroy(rules);
		memcpy(good->line[good->count++], c->line[i],
		       sizeof(c->line[0]));
		buffer_printf(&text, "%s\n", c->line[i]);
	}
	buffer_text0(&text, "");
	if (text.bad || policybed_parse((char *)text.at, &rules, &f) < 0)
		return NULL;
	return rules;
}

static void evaluate(const struct policy_rules *rules,
                     const struct policy_system *s,
                     const struct reference_call *c, char to[REFERENCE_ROOM])
{
	const struct policy_request q = {
		span_str(c->source), span_str(c->target), span_str(c->service)};
	struct policy_answer a;

	if (policy_eval_call(rules, s, &q, &a) < 0) {
		(void)snprintf(to, REFERENCE_ROOM, "no memory");
		return;
	}
	policybed_tell(s, &a, to, REFERENCE_ROOM);
	policy_eval_fini(&a);
}

/* Takes a word out; an ask without offers is a denial. */
static void without(char *text, const char *word)
{
	char *at = strstr(text, word);

	if (at)
		memmove(at, at + strlen(word), strlen(at + strlen(word)) + 1);
	if (strcmp(text, "ask") == 0 || strcmp(text, "ask (notify)") == 0)
		(void)snprintf(text, REFERENCE_ROOM, "deny (notify)");
}

const char *invent_check(const struct invention *v, char *why, size_t room)
{
	autofree struct reference_call *good = malloc(sizeof(*good));
	struct policy_rules *rules = good ? parse_good(&v->call, good) : NULL;
	struct policy_qube more[INVENT_QUBES + 1];
	struct policy_system s = {more, v->system.count};
	char want[REFERENCE_ROOM], got[REFERENCE_ROOM];
	const char *differs = NULL;

	if (!rules)
		return "the rules together";
	reference_evaluate(&v->system, good, want);
	evaluate(rules, &v->system, good, got);
	if (strcmp(want, got) != 0)
		differs = "the reference";

	for (size_t i = 0; i < s.count; i++)
		more[i] = v->qube[s.count - 1 - i];
	if (!differs) {
		evaluate(rules, &s, good, got);
		differs = strcmp(want, got) ? "the order of qubes" : NULL;
	}

	more[s.count++] = (struct policy_qube){
		.name = span_str("unnamed"),
		.uuid = span_str("00000000-0000-4000-8000-0000000000ff"),
		.klass = span_str("StandaloneVM"),
		.running = true,
		.template_for_dispvms = true,
	};
	if (!differs) {
		evaluate(rules, &s, good, got);
		without(got, " @dispvm:unnamed");
		without(got, " unnamed");
		differs = strcmp(want, got) ? "an unnamed qube" : NULL;
	}
	(void)snprintf(why, room, "%s -> %s %s: %s, not %s", good->source,
	               good->target, good->service, got, want);
	policy_rules_destroy(rules);
	return differs;
}

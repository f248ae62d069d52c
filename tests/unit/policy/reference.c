/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include <stdio.h>
#include <string.h>

#define WORD  52u
#define NAMES 24u /* two for each qube, and @dispvm */

struct rule {
	char service[WORD];
	char argument[WORD];
	char source[WORD];
	char target[WORD];
	char action[WORD];
	char redirect[WORD];
	char preset[WORD];
	char user[WORD];
	bool notify;
	bool autostart;
};

struct names {
	char name[NAMES][WORD];
	size_t count;
};

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static void copy(char to[WORD], const char *from)
{
	(void)snprintf(to, WORD, "%.51s", from);
}

static void copy_span(char to[WORD], struct span from)
{
	(void)snprintf(to, WORD, "%.*s", (int)from.size, (const char *)from.at);
}

/* The qube of a name or "uuid:..."; NULL if there is none. */
static const struct policy_qube *qube(const struct policy_system *s,
                                      const char *name)
{
	char text[WORD + 8];

	for (size_t i = 0; i < s->count; i++) {
		const struct policy_qube *q = &s->qube[i];

		(void)snprintf(text, sizeof(text), "%.*s", (int)q->name.size,
		               (const char *)q->name.at);
		if (strcmp(text, name) == 0)
			return q;
		(void)snprintf(text, sizeof(text), "uuid:%.*s",
		               (int)q->uuid.size, (const char *)q->uuid.at);
		if (strcmp(text, name) == 0)
			return q;
		if (strcmp(name, "@adminvm") == 0 &&
		    span_is(q->klass, "AdminVM"))
			return q;
	}
	return NULL;
}

static bool tagged(const struct policy_qube *q, const char *tag)
{
	for (size_t i = 0; i < q->tag_count; i++)
		if (span_is(q->tags[i], tag))
			return true;
	return false;
}

/*
 * A target by its plain name: "work", "dom0", "@dispvm", "@dispvm:work"; or
 * "" if there is no such thing.
 */
static void plain(const struct policy_system *s, const char *word,
                  char to[WORD])
{
	const struct policy_qube *q;

	to[0] = 0;
	if (strcmp(word, "@dispvm") == 0) {
		copy(to, word);
	} else if (starts(word, "@dispvm:")) {
		q = word[8] != '@' ? qube(s, word + 8) : NULL;
		if (q && q->template_for_dispvms)
			(void)snprintf(to, WORD, "@dispvm:%.*s",
			               (int)q->name.size,
			               (const char *)q->name.at);
	} else {
		q = qube(s, word);
		if (q)
			copy_span(to, q->name);
	}
}

/* @dispvm by the name of the source's default; "" if it has none. */
static void default_of(const struct policy_system *s, const char *source,
                       char to[WORD])
{
	char word[WORD];
	const struct policy_qube *q = qube(s, source);

	(void)snprintf(word, sizeof(word), "@dispvm:%.*s",
	               (int)q->default_dispvm.size,
	               (const char *)q->default_dispvm.at);
	plain(s, word, to);
}

/* Everything that a rule's target stands for, but for @default. */
static void expand(const struct policy_system *s, const char *word,
                   struct names *to)
{
	char name[WORD];

	to->count = 0;
	plain(s, word, name);
	if (name[0]) {
		copy(to->name[to->count++], name);
		return;
	}
	if (strcmp(word, "*") == 0 || strcmp(word, "@anyvm") == 0)
		copy(to->name[to->count++], "@dispvm");
	for (size_t i = 0; i < s->count; i++) {
		const struct policy_qube *q = &s->qube[i];
		bool admin = span_is(q->klass, "AdminVM");
		bool all = word[0] == '*' ||
		           (strcmp(word, "@anyvm") == 0 && !admin);
		bool made = starts(word, "@dispvm:@tag:") &&
		            tagged(q, word + 13);

		copy_span(name, q->name);
		if (all || (starts(word, "@tag:") && tagged(q, word + 5)) ||
		    (starts(word, "@type:") && span_is(q->klass, word + 6)))
			copy(to->name[to->count++], name);
		if ((all || made) && q->template_for_dispvms)
			(void)snprintf(to->name[to->count++], WORD,
			               "@dispvm:%.43s", name);
	}
}

static size_t find(const struct names *n, const char *name)
{
	size_t i = 0;

	while (i < n->count && strcmp(n->name[i], name) != 0)
		i++;
	return i;
}

static bool source_fits(const struct policy_system *s, const char *word,
                        const char *source)
{
	const struct policy_qube *q = qube(s, source);
	struct names n;
	char base[WORD];

	if (starts(word, "@dispvm:")) {
		if (!span_is(q->klass, "DispVM"))
			return false;
		(void)snprintf(base, sizeof(base), "@dispvm:%.*s",
		               (int)q->template.size,
		               (const char *)q->template.at);
		expand(s, word, &n);
		return find(&n, base) < n.count;
	}
	expand(s, word, &n);
	return find(&n, source) < n.count;
}

/* `wanted` is a plain name or @default. */
static bool target_fits(const struct policy_system *s, const char *word,
                        const char *source, const char *wanted)
{
	struct names n;
	char made[WORD];

	if (strcmp(wanted, "@default") == 0)
		return strcmp(word, "@default") == 0 ||
		       strcmp(word, "*") == 0 || strcmp(word, "@anyvm") == 0;
	expand(s, word, &n);
	if (find(&n, wanted) < n.count)
		return true;
	if (strcmp(wanted, "@dispvm") != 0)
		return false;
	default_of(s, source, made);
	return made[0] && find(&n, made) < n.count;
}

static bool parse(const char *line, struct rule *r)
{
	char param[4][WORD] = {{0}};
	int n = sscanf(line, "%51s %51s %51s %51s %51s %51s %51s %51s %51s",
	               r->service, r->argument, r->source, r->target, r->action,
	               param[0], param[1], param[2], param[3]);

	r->redirect[0] = r->preset[0] = r->user[0] = 0;
	r->notify = strcmp(r->action, "deny") == 0;
	r->autostart = true;
	for (int i = 0; i < n - 5; i++) {
		if (starts(param[i], "target="))
			copy(r->redirect, param[i] + 7);
		if (starts(param[i], "default_target="))
			copy(r->preset, param[i] + 15);
		if (starts(param[i], "user="))
			copy(r->user, param[i] + 5);
		if (starts(param[i], "notify="))
			r->notify = strcmp(param[i] + 7, "yes") == 0;
		if (starts(param[i], "autostart="))
			r->autostart = strcmp(param[i] + 10, "yes") == 0;
	}
	return n >= 5;
}

static bool call_fits(const struct policy_system *s, const struct rule *r,
                      const struct reference_call *c, const char *source)
{
	char service[WORD];
	char *plus;

	copy(service, c->service);
	plus = strchr(service, '+');
	if (strcmp(r->argument, "*") != 0 &&
	    strcmp(r->argument, plus ? plus : "+") != 0)
		return false;
	if (plus)
		*plus = 0;
	if (strcmp(r->service, "*") != 0 && strcmp(r->service, service) != 0)
		return false;
	return source_fits(s, r->source, source);
}

static bool startable(const struct policy_system *s, const struct rule *r,
                      const char *target)
{
	const struct policy_qube *q = qube(s, target);

	return r->autostart ||
	       (q && (q->running || span_is(q->klass, "AdminVM")));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void drop(struct names *n, size_t at)
{
	if (at < n->count) {
		memmove(n->name[at], n->name[at + 1],
		        (n->count - at - 1) * WORD);
		n->count--;
	}
}

static void add(struct names *n, const char *name)
{
	if (name[0] && find(n, name) == n->count)
		copy(n->name[n->count++], name);
}

/* Step 5: the rules backwards. */
static void collect(const struct policy_system *s,
                    const struct reference_call *c, const char *source,
                    struct names *all)
{
	char made[WORD];

	for (size_t i = c->count; i-- > 0;) {
		struct rule r;
		struct names n;

		if (!parse(c->line[i], &r) || !call_fits(s, &r, c, source))
			continue;
		expand(s, r.redirect[0] ? r.redirect : r.target, &n);
		for (size_t k = 0; k < n.count; k++)
			if (strcmp(r.action, "deny") == 0)
				drop(all, find(all, n.name[k]));
			else
				add(all, n.name[k]);
	}
	if (find(all, "@dispvm") < all->count) {
		drop(all, find(all, "@dispvm"));
		default_of(s, source, made);
		add(all, made);
	}
	for (size_t i = all->count; i-- > 0;) {
		const char *name = all->name[i];

		if (qube(s, starts(name, "@dispvm:") ? name + 8 : name)
		            ->internal)
			drop(all, i);
	}
}

static void ask(const struct policy_system *s, const struct reference_call *c,
                const struct rule *r, const char *source,
                char to[REFERENCE_ROOM])
{
	struct names all = {.count = 0};
	char name[WORD];
	size_t n;

	if (r->redirect[0]) {
		plain(s, r->redirect, name);
		if (strcmp(name, "@dispvm") == 0)
			default_of(s, source, name);
		add(&all, name);
	} else {
		collect(s, c, source, &all);
	}
	drop(&all, find(&all, source));
	for (size_t i = all.count; i-- > 0;)
		if (!startable(s, r, all.name[i]))
			drop(&all, i);
	qsort(all.name, all.count, WORD, by_name);
	plain(s, r->preset, name);
	if (strcmp(name, "@dispvm") == 0)
		default_of(s, source, name);
	n = (size_t)snprintf(to, REFERENCE_ROOM, "ask");
	for (size_t i = 0; i < all.count; i++)
		n += (size_t)snprintf(to + n, REFERENCE_ROOM - n, " %s%s",
		                      all.name[i],
		                      strcmp(all.name[i], name) ? "" : "*");
	if (all.count == 0)
		(void)snprintf(to, REFERENCE_ROOM, "deny (notify)");
	else if (r->notify)
		(void)snprintf(to + n, REFERENCE_ROOM - n, " (notify)");
}

static void allow(const struct policy_system *s, const struct rule *r,
                  const char *source, const char *wanted,
                  char to[REFERENCE_ROOM])
{
	char name[WORD];

	copy(name, wanted);
	if (r->redirect[0])
		plain(s, r->redirect, name);
	if (strcmp(name, "@dispvm") == 0)
		default_of(s, source, name);
	if (!name[0] || strcmp(name, "@default") == 0 ||
	    strcmp(name, source) == 0 || !startable(s, r, name))
		(void)snprintf(to, REFERENCE_ROOM, "deny (notify)");
	else
		(void)snprintf(to, REFERENCE_ROOM, "allow %s%s%s%s%s", name,
		               r->user[0] ? " user=" : "", r->user,
		               r->autostart ? "" : " autostart=no",
		               r->notify ? " (notify)" : "");
}

void reference_evaluate(const struct policy_system *s,
                        const struct reference_call *c, char to[REFERENCE_ROOM])
{
	char source[WORD], wanted[WORD];

	(void)snprintf(to, REFERENCE_ROOM, "deny (notify)");
	plain(s, c->source, source);
	if (!source[0])
		return;
	plain(s, c->target, wanted);
	if (!wanted[0])
		copy(wanted, "@default");
	for (size_t i = 0; i < c->count; i++) {
		struct rule r;

		if (!parse(c->line[i], &r) || !call_fits(s, &r, c, source) ||
		    !target_fits(s, r.target, source, wanted))
			continue;
		if (strcmp(r.action, "allow") == 0)
			allow(s, &r, source, wanted, to);
		else if (strcmp(r.action, "ask") == 0)
			ask(s, c, &r, source, to);
		else if (!r.notify)
			(void)snprintf(to, REFERENCE_ROOM, "deny");
		return;
	}
}

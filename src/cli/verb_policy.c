/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento policy`: which calls between qubes are allowed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cli/query.h"
#include "cli/table.h"
#include "cli/verb_policy_edit.h"
#include "cli/verbs.h"
#include "cli/wholefile.h"
#include "policy/policy_change.h"
#include "policy/policy_graph.h"
#include "policy/policy_json.h"
#include "policy/policy_line.h"
#include "policy/policy_lint.h"
#include "policy/policy_prompt.h"
#include "policy/policy_store.h"

#define EVAL_ALLOW 0
#define EVAL_DENY  1
#define EVAL_ASK   3

#define NAME_ROOM   128u
#define SYSTEM_MAX  ((size_t)16 << 20)
#define SYSTEM_CALL "bento.policy.System"

struct policy_options {
	const char *system;
	const char *prompt_program;
	const char *source, *target, *service;
	bool names, prompt, include_ask;
};

static const struct option_row rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct policy_options, __VA_ARGS__)
#define TEXT(...) OPTIONS_TEXT(struct policy_options, __VA_ARGS__)
#include "cli/policy.def"
};

struct job {
	const struct policy_options *options;
	struct frame_call *call;
	struct policy_store *store;
	char *const *words; /* behind the first */
	uint32_t count;
};

/* The qubes there are: of a file, or of the manager. */
static int read_system(const struct job *j, struct policy_world **out)
{
	autobuffer struct buffer text = {0};
	autoquery struct query a = QUERY_NONE;
	struct fault *f = j->call->fault;
	struct fault inner;
	int err;

	if (j->options->system) {
		err = wholefile_read(j->options->system, SYSTEM_MAX, &text, f);
		if (err < 0)
			return err;
		err = policy_json_read(buffer_span(&text), out, &inner);
		return err < 0 ? fault_set(f, err, "%s: %.400s",
		                           j->options->system, inner.text)
		               : 0;
	}
	err = query_init(&a, j->call);
	if (err == 0)
		err = query(&a, SYSTEM_CALL, NULL, NULL, f);
	return err < 0 ? err : policy_json_read(a.answer.data, out, f);
}

static int do_list(const struct job *j)
{
	static const char *const layers[] = {"program", "etc", "user",
	                                     "runtime"};
	struct table t = {.columns = 3};
	const struct policy_rules *rules;
	struct policy_main *list = NULL;
	int64_t count = policy_store_list(j->store, &list, j->call->fault);
	int err;

	if (count < 0)
		return (int)count;
	table_row(&t);
	table_set(&t, 0, "FILE");
	table_set(&t, 1, "LAYER");
	table_set(&t, 2, "PATH");
	for (int64_t i = 0; i < count; i++) {
		char layer[32];

		table_row(&t);
		(void)snprintf(layer, sizeof(layer), "%s%s",
		               layers[list[i].layer],
		               list[i].hides ? ", hides another" : "");
		table_set(&t, 0, list[i].name);
		table_set(&t, 1, layer);
		table_set(&t, 2, list[i].path);
	}
	policy_store_free(list, (size_t)count);
	err = table_print(&t, TABLE_COLUMNS, true, stdout);
	table_fini(&t);
	if (err < 0)
		return fault_set(j->call->fault, err, "out of memory");
	return policy_store_look(j->store, &rules, j->call->fault);
}

static int print(const struct job *j, struct buffer *b)
{
	if (b->bad)
		return fault_set(j->call->fault, -ENOMEM, "out of memory");
	if (b->size > 0)
		(void)fwrite(b->at, 1, b->size, stdout);
	return 0;
}

/* Warnings about files that are in order; a fault for those that are not. */
static int do_lint(const struct job *j)
{
	struct fault *f = j->call->fault;
	autobuffer struct buffer out = {0};
	struct policy_world *world = NULL;
	const struct policy_system *s = NULL;
	const struct policy_rules *all;
	int err = 0;

	if (j->options->names || j->options->system)
		err = read_system(j, &world);
	if (world)
		s = policy_json_system(world);
	if (err == 0 && j->count == 0) {
		err = policy_store_look(j->store, &all, f);
		if (err == 0)
			(void)policy_lint(all, s, &out);
	}
	for (uint32_t i = 0; i < j->count && err == 0; i++) {
		struct policy_rules *one = NULL;

		err = policy_store_file(j->words[i], &one, f);
		if (err == 0)
			(void)policy_lint(one, s, &out);
		policy_rules_destroy(one);
	}
	policy_json_free(world);
	return err < 0 ? err : print(j, &out);
}

static void print_targets(const struct policy_system *s,
                          const struct policy_answer *a)
{
	char name[NAME_ROOM];

	for (size_t i = 0; a->action == POLICY_ASK && i < a->offer_count; i++)
		if (policy_system_write(s, a->offer[i], false, name,
		                        sizeof(name)) > 0)
			(void)printf("  offer: %s%s\n", name,
			             i == a->preset ? " (default)" : "");
	if (a->action == POLICY_ALLOW &&
	    policy_system_write(s, a->target, false, name, sizeof(name)) > 0)
		(void)printf("  target: %s\n", name);
}

static int print_answer(const struct policy_rules *rules,
                        const struct policy_system *s,
                        const struct policy_answer *a)
{
	static const char *const names[] = {"deny", "allow", "ask"};
	static const int status[] = {EVAL_DENY, EVAL_ALLOW, EVAL_ASK};
	char line[2 * POLICY_LINE_MAX - 1024];

	(void)puts(names[a->action]);
	if (a->action == POLICY_ASK || a->action == POLICY_ALLOW)
		print_targets(s, a);
	if (a->action == POLICY_DENY)
		(void)printf("  why: %s\n", a->why);
	if (a->action != POLICY_DENY && a->user.size > 0)
		(void)printf("  user: %.*s\n", (int)a->user.size,
		             (const char *)a->user.at);
	if (a->action != POLICY_DENY && !a->autostart)
		(void)puts("  autostart: no");
	(void)printf("  notify: %s\n", a->notify ? "yes" : "no");
	if (a->rule && policy_line_write(a->rule, line, sizeof(line)) > 0)
		(void)printf("  rule: %s:%u: %s\n", rules->file[a->rule->file],
		             a->rule->line, line);
	return status[a->action];
}

/* Asks on the terminal we have; without one nobody agrees. */
static int prompt_terminal(const struct policy_prompt *p,
                           struct policy_answer *a)
{
	autoclose int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);

	return policy_prompt_terminal(p, tty, tty, a);
}

static int prompt(const struct job *j, const struct policy_system *s,
                  const struct policy_request *q, struct policy_answer *a)
{
	const struct policy_prompt p = {s, q};
	const char *program = j->options->prompt_program;
	char *argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, NULL, NULL};
	autofree char *copy = program ? strdup(program) : NULL;

	if (program) {
		if (!copy)
			return fault_set(j->call->fault, -ENOMEM,
			                 "out of memory");
		argv[2] = copy;
		return policy_prompt_program(&p, argv, -1, a, j->call->fault);
	}
	return j->options->prompt ? prompt_terminal(&p, a) : 0;
}

static int do_eval(const struct job *j)
{
	const struct policy_request q = {
		.source = span_str(j->words[0]),
		.target = span_str(j->words[1]),
		.service = span_str(j->words[2]),
	};
	struct fault *f = j->call->fault;
	const struct policy_rules *rules = NULL;
	struct policy_world *world = NULL;
	const struct policy_system *s;
	struct policy_answer a;
	int status;
	int err;

	err = policy_store_look(j->store, &rules, f);
	if (err < 0) {
		(void)printf("deny\n  why: the policy is in error\n");
		return err;
	}
	err = read_system(j, &world);
	if (err < 0)
		return err;
	s = policy_json_system(world);
	err = policy_eval_call(rules, s, &q, &a);
	if (err < 0) {
		policy_json_free(world);
		return fault_set(f, err, "out of memory");
	}
	err = prompt(j, s, &q, &a);
	status = print_answer(rules, s, &a);
	policy_eval_fini(&a);
	policy_json_free(world);
	return err < 0 ? err : status;
}

static int do_edit(const struct job *j)
{
	return verb_policy_edit(j->store, j->call, j->words[0]);
}

static int do_show(const struct job *j)
{
	autobuffer struct buffer text = {0};
	bool include;
	struct span name = verb_policy_edit_name(j->words[0], &include);
	int err = policy_change_get(j->store,
	                            include ? POLICY_INCLUDES : POLICY_MAINS,
	                            name, &text, j->call->fault);

	return err < 0 ? err : print(j, &text);
}

static struct span given(const char *text)
{
	return text ? span_str(text) : (struct span){NULL, 0};
}

static int do_graph(const struct job *j)
{
	const struct policy_graph what = {
		.source = given(j->options->source),
		.target = given(j->options->target),
		.service = given(j->options->service),
		.include_ask = j->options->include_ask,
	};
	autobuffer struct buffer out = {0};
	const struct policy_rules *rules = NULL;
	struct policy_world *world = NULL;
	int err;

	err = policy_store_look(j->store, &rules, j->call->fault);
	if (err == 0)
		err = read_system(j, &world);
	if (err < 0)
		return err;
	err = policy_graph(rules, policy_json_system(world), &what, &out);
	policy_json_free(world);
	if (err < 0)
		return fault_set(j->call->fault, err, "out of memory");
	return print(j, &out);
}

static const struct {
	const char *name;
	int (*run)(const struct job *j);
	uint32_t min, max;
} jobs[] = {
	{"list", do_list, 0, 0}, {"lint", do_lint, 0, FRAME_ANY},
	{"eval", do_eval, 3, 3}, {"edit", do_edit, 1, 1},
	{"show", do_show, 1, 1}, {"graph", do_graph, 0, 0},
};

static int go(void *options, struct frame_call *c)
{
	struct policy_folders folders;
	struct job j = {
		.options = options,
		.call = c,
		.words = c->words + 1,
		.count = c->count - 1,
	};
	size_t i = 0;
	int status;

	while (i < ARRAY_LEN(jobs) && strcmp(jobs[i].name, c->words[0]) != 0)
		i++;
	if (i == ARRAY_LEN(jobs))
		return frame_usage(c,
		                   "what is \"%s\"? list, lint, eval, edit, "
		                   "show or graph",
		                   c->words[0]);
	if (j.count < jobs[i].min)
		return frame_usage(c, "something is missing behind %s",
		                   jobs[i].name);
	if (j.count > jobs[i].max)
		return frame_usage(c, "what is \"%s\"?", j.words[jobs[i].max]);
	if (policy_store_folders(&folders) < 0 ||
	    policy_store_open(&folders, &j.store) < 0)
		return fault_set(c->fault, -ENOMEM, "out of memory");
	status = jobs[i].run(&j);
	policy_store_close(j.store);
	return status;
}

int verb_policy(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct policy_options),
		.min = 1,
		.max = FRAME_ANY,
		.go = go,
	};

	return frame_run(&frame, argv);
}

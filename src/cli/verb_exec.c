/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento exec`, qvm-run: commands in qubes, with the habits of qvm-run: given to a
 * shell, without their output unless it is asked for, several qubes at once.
 */
#include <stdio.h>
#include <string.h>

#include "cli/dial.h"
#include "cli/inside.h"
#include "cli/local.h"
#include "cli/roster.h"
#include "cli/verbs.h"
#include "qrexec/vmexec.h"

struct exec_options {
	const char *user;
	const char *colour;
	struct option_list exclude;
	bool pass_io, no_start, no_shell, all, disp;
	bool filter, no_filter, no_colour;
	const char *base; /* of --dispvm, or NULL */
	bool service;
	const char *local; /* of --localcmd, or NULL */
};

static int set_disp(void *to, const char *value, struct fault *f)
{
	struct exec_options *o = to;

	(void)f;
	o->disp = true;
	o->base = value;
	return 0;
}

static int set_nothing(void *to, const char *value, struct fault *f)
{
	(void)to, (void)value, (void)f;
	return 0;
}

static int set_colour(void *to, const char *value, struct fault *f)
{
	struct exec_options *o = to;

	if (!*value || strspn(value, "0123456789;") != strlen(value))
		return fault_set(f, -EINVAL, "not a colour: %s (such as 31)",
		                 value);
	o->colour = value;
	return 0;
}

static const struct option_row rows[] = {
#define OPTION    OPTIONS_OPTION
#define FLAG(...) OPTIONS_FLAG(struct exec_options, __VA_ARGS__)
#define TEXT(...) OPTIONS_TEXT(struct exec_options, __VA_ARGS__)
#define LIST(...) OPTIONS_LIST(struct exec_options, __VA_ARGS__)
#include "cli/exec.def"
};

/* What is to be run, in whatever qube. */
struct work {
	const struct exec_options *o;
	struct frame_call *call;
	struct query *query;
	struct environment *env;
	char **command;
};

/* A single word is for a shell, several are a program and its arguments. */
static char **make_command(const struct exec_options *o, char **words)
{
	size_t count = 0;
	char **all;

	while (words[count])
		count++;
	all = calloc(count + 3, sizeof(*all));
	if (!all)
		return NULL;
	if (count > 1 || o->no_shell) {
		memcpy(all, words, count * sizeof(*all));
		return all;
	}
	all[0] = (char *)(uintptr_t) "/bin/sh";
	all[1] = (char *)(uintptr_t) "-c";
	all[2] = words[0];
	return all;
}

/* Marks what the qube shows, so that nobody takes it for something else. */
static void mark(const struct work *w, bool begin)
{
	const struct exec_options *o = w->o;
	const char *colour = o->colour ? o->colour : "31";

	if (!o->pass_io || o->no_colour || o->no_filter ||
	    !isatty(STDOUT_FILENO))
		return;
	(void)printf("\033[0%s%sm", begin ? ";" : "", begin ? colour : "");
	(void)fflush(stdout);
}

/* --service: what would be the command is called. */
static int call_in(const struct work *w, const char *qube)
{
	const struct exec_options *o = w->o;
	const struct dial d = {
		.qube = qube,
		.disposable = o->disp,
		.service = w->call->words[w->call->count - 1],
		.user = o->user,
		.no_start = o->no_start,
	};
	char *const shell[] = {(char *)(uintptr_t) "/bin/sh",
	                       (char *)(uintptr_t) "-c",
	                       (char *)(uintptr_t)o->local, NULL};
	int streams[CALLMSG_STREAMS];
	struct fault f = {""};
	int status = VERBS_OURS;

	if (dial_open(&d, w->query, streams, &f) == 0)
		status = o->local ? dial_command(streams, shell, &f)
		         : o->pass_io
		                 ? dial_carry(streams,
		                              o->no_filter ? 0 : DIAL_VISIBLE)
		                 : dial_carry(streams,
		                              DIAL_NO_INPUT | DIAL_NO_OUTPUT);
	if (f.text[0])
		frame_warn(w->call, "%s: %s", qube ? qube : "a disposable",
		           f.text);
	return status;
}

static int run_in(const struct work *w, const char *qube, bool detached)
{
	const struct exec_options *o = w->o;
	const struct inside i = {
		.qube = qube,
		.start = !o->no_start,
		.user = o->user,
		.cwd = "",
		.command = w->command,
		.env = w->env,
		.how = INSIDE_PLAIN | (o->no_filter ? 0 : INSIDE_VISIBLE) |
	               (detached ? INSIDE_DETACHED : 0),
	};
	struct fault f = {""};
	int status = VERBS_OURS;
	struct local l;

	if (o->service)
		return call_in(w, qube);
	if (!o->pass_io)
		frame_say(w->call, "running '%s' on %s",
		          w->call->words[w->call->count - 1], qube);
	mark(w, true);
	if (local_begin(&l, o->local, &f) == 0) {
		status = inside_run(&i, w->query, &f);
		local_end(&l);
	}
	mark(w, false);
	if (f.text[0])
		frame_warn(w->call, "%s: %s", qube, f.text);
	return status;
}

/* Every qube that runs, but dom0 and those excluded: the highest status. */
static int run_in_all(struct work *w)
{
	struct frame_call none = *w->call;
	autoroster struct roster r = {0};
	int err = roster_get(&r, w->query, w->call->fault);
	int status = EXIT_SUCCESS;

	none.count = 0;
	if (err == 0)
		err = roster_pick(&r, &none, true, &w->o->exclude);
	if (err < 0)
		return err;
	for (size_t i = 0; i < r.count; i++) {
		int got;

		if (strcmp(r.qube[i].state, "Running") != 0)
			continue;
		got = run_in(w, r.qube[i].name, !w->o->pass_io);
		status = MAX(status, got);
	}
	return status;
}

/*
 * The command without streams, in a shell of its qube: what it is given is closed
 * before it begins, so that whoever waits for the end of its output has seen it
 * begin.  The words are the caller's, to free.
 */
static char **without_streams(char *const command[])
{
	char *shell[] = {(char *)(uintptr_t) "/bin/sh",
	                 (char *)(uintptr_t) "-c",
	                 (char *)(uintptr_t) "exec \"$@\" </dev/null "
	                                     ">/dev/null 2>&1",
	                 (char *)(uintptr_t) "sh"};
	size_t count = 0;
	char **all;

	while (command[count])
		count++;
	all = calloc(ARRAY_LEN(shell) + count + 1, sizeof(*all));
	if (!all)
		return NULL;
	memcpy(all, shell, sizeof(shell));
	memcpy(all + ARRAY_LEN(shell), command, count * sizeof(*all));
	return all;
}

/*
 * A disposable for one call goes when its service has ended, whether we are there
 * or not.
 */
static int leave_in_disposable(struct work *w)
{
	autobuffer struct buffer service = {0};
	autofree char **words = without_streams(w->command);
	struct fault *f = w->call->fault;
	struct dial d = {
		.qube = w->o->base,
		.disposable = true,
		.user = w->o->user,
	};
	int streams[CALLMSG_STREAMS];
	char byte;
	int err;

	buffer_text(&service, "qubes.VMExec+");
	if (words)
		vmexec_encode(words, &service);
	buffer_text0(&service, "");
	if (!words || service.bad)
		return fault_set(f, -ENOMEM, "out of memory");
	if (service.size > CALLMSG_SERVICE_MAX)
		return fault_set(f, -E2BIG, "the command is too long");
	d.service = (char *)service.at;
	frame_say(w->call, "running '%s' in a disposable",
	          w->call->words[w->call->count - 1]);
	err = dial_open(&d, w->query, streams, f);
	if (err < 0)
		return err;
	/* Its output ends when it begins. */
	while (read(streams[CALLMSG_OUT], &byte, 1) > 0 || errno == EINTR)
		errno = 0;
	callmsg_close(streams);
	return EXIT_SUCCESS;
}

/* A disposable is there for this command only. */
static int run_in_disposable(struct work *w)
{
	struct fault ignored;
	autofree char *name = NULL;
	int status;
	int err;

	if (w->o->service)
		return call_in(w, w->o->base);
	if (!w->o->pass_io)
		return leave_in_disposable(w);
	err = query(w->query, "admin.vm.CreateDisposable", NULL, w->o->base,
	            w->call->fault);

	if (err < 0)
		return err;
	name = strdup(query_text(w->query));
	if (!name)
		return fault_set(w->call->fault, -ENOMEM, "out of memory");
	status = run_in(w, name, false);
	/* It may have ended by itself. */
	if (query(w->query, "admin.vm.Kill", NULL, name, &ignored) < 0)
		return status;
	return status;
}

static int prepare(struct work *w)
{
	struct frame_call *c = w->call;
	uint32_t first = w->o->all || w->o->disp ? 0 : 1;

	if (w->o->all && w->o->disp)
		return frame_usage(c, "--all or --dispvm? one of them");
	if (c->count <= first)
		return frame_usage(c, "run what? %s [OPTION...] QUBE COMMAND",
		                   c->prefix);
	if (w->o->service && c->count > first + 1)
		return frame_usage(c, "one SERVICE, without more words");
	w->command = make_command(w->o, c->words + first);
	if (!w->command)
		return fault_set(c->fault, -ENOMEM, "out of memory");
	return environment_begin(w->env, c->fault);
}

static int go(void *options, struct frame_call *c)
{
	autoquery struct query q = QUERY_NONE;
	autofree struct environment *env = calloc(1, sizeof(*env));
	struct exec_options *o = options;
	struct work w = {o, c, &q, env, NULL};
	int err = env ? prepare(&w)
	              : fault_set(c->fault, -ENOMEM, "out of memory");

	/* Whatever talks to it must hear it. */
	o->pass_io |= o->local != NULL;
	if (err == 0)
		err = query_init(&q, c);
	if (err == 0 && w.o->all)
		err = run_in_all(&w);
	else if (err == 0 && w.o->disp)
		err = run_in_disposable(&w);
	else if (err == 0)
		err = run_in(&w, c->words[0], !w.o->pass_io);
	free(w.command);
	if (env)
		environment_fini(env);
	return err;
}

int verb_exec(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct exec_options),
		.min = 1,
		.max = FRAME_ANY,
		.most = 2,
		.go = go,
	};

	return frame_run(&frame, argv);
}

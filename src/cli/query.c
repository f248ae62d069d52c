/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/query.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/visible.h"
#include "cli/nearest.h"
#include "cli/progress.h"
#include "cli/secret.h"

#define UNLOCKS 8

static const struct {
	const char *type;
	const char *what;
} hints[] = {
#define HINT(type, what) {#type, what},
#include "cli/hints.def"
};

int query_init(struct query *a, const struct frame_call *c)
{
	*a = (struct query){.answer.fd = -1, .quiet = c->quiet};
	return paths_find(&a->paths, c->fault);
}

void query_fini(struct query *a)
{
	client_answer_fini(&a->answer);
}

const char *query_text(const struct query *a)
{
	return a->answer.data.at ? (const char *)a->answer.data.at : "";
}

bool query_refused(const struct query *a, const char *type)
{
	return strcmp(a->answer.type, type) == 0;
}

/* Shows how far it is, if that is known. */
static void show(const struct query *a, struct progress *line, const char *what)
{
	const struct client_call call = {.method = a->measure, .target = what};
	autoanswer struct client_answer answer = {.fd = -1};
	unsigned long long done = 0, all = 0;
	struct fault ignored;

	if (a->measure &&
	    client_ask(&a->paths, &call, &answer, &ignored) == 0 &&
	    answer.data.at)
		(void)sscanf((const char *)answer.data.at, "%llu %llu", &done,
		             &all);
	progress_show(line, done, all);
}

/* Waits for the answer, and says so when it takes long. */
static void wait_for(struct query *a, int sock, const char *what)
{
	struct pollfd p = {.fd = sock, .events = POLLIN};
	struct progress line;

	progress_begin(&line, a->quiet ? NULL : a->doing, what);
	while (poll(&p, 1, progress_patience(&line)) == 0)
		show(a, &line, what);
	progress_end(&line);
}

static int finish(struct query *a, const struct client_call *call, int sock,
                  struct fault *f)
{
	client_answer_fini(&a->answer);
	a->answer = (struct client_answer){.fd = -1};
	/* The end of the request; the answer may take its time. */
	(void)shutdown(sock, SHUT_WR);
	if (a->doing)
		wait_for(a, sock, call->target);
	return client_finish(sock, &a->answer, f);
}

static int once(struct query *a, const struct client_call *call,
                struct fault *f)
{
	autoclose int sock = client_begin(&a->paths, call, f);

	return sock < 0 ? sock : finish(a, call, sock, f);
}

/* "no qube named 'wrok'; did you mean 'work'?" */
static void no_such_qube(struct query *a, const char *name, struct fault *f)
{
	const struct client_call list = {.method = "admin.vm.List"};
	struct nearest n = {.to = name};
	struct fault ignored;
	char *rest = NULL;
	char *text;

	if (once(a, &list, &ignored) == 0) {
		text = (char *)(uintptr_t)query_text(a);
		for (char *line = strtok_r(text, "\n", &rest); line;
		     line = strtok_r(NULL, "\n", &rest)) {
			line[strcspn(line, " ")] = 0;
			nearest_see(&n, line);
		}
	}
	if (n.best)
		(void)!fault_set(f, -EREMOTEIO,
		                 "no qube named '%s'; did you mean '%s'?", name,
		                 n.best);
	else
		(void)!fault_set(f, -EREMOTEIO,
		                 "no qube named '%s'; those there are: "
		                 "bento ls",
		                 name);
}

/* The manager's sentence, and what to do. */
static void explain(struct query *a, const char *target, struct fault *f)
{
	char type[sizeof(a->answer.type)];
	char name[64];
	size_t len;

	visible_line(f->text);
	memcpy(type, a->answer.type, sizeof(type));
	/* It may be another than the target: a template, a netvm. */
	if (sscanf(f->text, "No such domain: '%63[^']'", name) == 1) {
		no_such_qube(a, name, f);
		memcpy(a->answer.type, type, sizeof(type));
		return;
	}
	len = strlen(f->text);
	while (len > 0 && f->text[len - 1] == '.')
		len--;
	for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
		const char *what = hints[i].what;
		bool named = what[strlen(what) - 1] == ' ';

		if (strcmp(hints[i].type, type) == 0 && (target || !named)) {
			(void)snprintf(f->text + len, sizeof(f->text) - len,
			               "; %s%s", what, named ? target : "");
			break;
		}
	}
}

/* What is locked: asks for the key, where there is somebody to ask. */
static bool unlock(struct query *a, struct fault *f)
{
	char which[sizeof(f->text)];
	const char *doing = a->doing;
	struct fault why;
	int err;

	/* Key files cannot be asked for: the sentence says which it is. */
	if (!query_refused(a, "VolumeLockedError") ||
	    !strstr(f->text, "passphrase") || !secret_askable())
		return false;
	memcpy(which, f->text, sizeof(which));
	a->doing = "unlocking";
	err = secret_unlock(a, which, &why);
	a->doing = doing;
	if (err < 0)
		*f = why;
	return err == 0;
}

int query_with(struct query *a, const struct client_call *call, struct fault *f)
{
	int err = once(a, call, f);

	/* A qube may have several. */
	for (int i = 0; i < UNLOCKS && err == -EREMOTEIO && unlock(a, f); i++) {
		f->text[0] = '\0';
		err = once(a, call, f);
	}
	if (err == -EREMOTEIO)
		explain(a, call->target, f);
	return err;
}

int query_finish(struct query *a, const struct client_call *call, int sock,
                 struct fault *f)
{
	int err = finish(a, call, sock, f);

	if (err == -EREMOTEIO)
		explain(a, call->target, f);
	return err;
}

int query(struct query *a, const char *method, const char *argument,
          const char *target, struct fault *f)
{
	const struct client_call call = {
		.method = method,
		.argument = argument,
		.target = target,
	};

	return query_with(a, &call, f);
}

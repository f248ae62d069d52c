/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/roster.h"

#include <string.h>

#include "cli/nearest.h"

static const char *value_of(char *word, const char *key)
{
	size_t len = strlen(key);

	return strncmp(word, key, len) == 0 && word[len] == '=' ? word + len + 1
	                                                        : NULL;
}

/* "work class=AppVM state=Halted uuid=..." */
static void read_line(struct roster_qube *q, char *line)
{
	char *rest = NULL;

	*q = (struct roster_qube){strtok_r(line, " ", &rest), "", "", ""};
	if (!q->name)
		q->name = "";
	for (char *word = strtok_r(NULL, " ", &rest); word;
	     word = strtok_r(NULL, " ", &rest)) {
		const char *value;

		if ((value = value_of(word, "class")))
			q->class = value;
		else if ((value = value_of(word, "state")))
			q->state = value;
		else if ((value = value_of(word, "uuid")))
			q->uuid = value;
	}
}

int roster_get(struct roster *r, struct query *a, struct fault *f)
{
	size_t lines = 1;
	char *rest = NULL;
	int err;

	*r = (struct roster){0};
	err = query(a, "admin.vm.List", NULL, NULL, f);
	if (err < 0)
		return err;
	r->text = strdup(query_text(a));
	for (const char *at = r->text; at && *at; at++)
		lines += *at == '\n';
	r->qube = calloc(lines, sizeof(*r->qube));
	if (!r->text || !r->qube)
		return fault_set(f, -ENOMEM, "out of memory");
	for (char *line = strtok_r(r->text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		read_line(&r->qube[r->count++], line);
	return 0;
}

void roster_fini(struct roster *r)
{
	free(r->qube);
	free(r->text);
	*r = (struct roster){0};
}

const struct roster_qube *roster_find(const struct roster *r, const char *name)
{
	bool uuid = strncmp(name, "uuid:", 5) == 0;

	for (size_t i = 0; i < r->count; i++)
		if (strcmp(uuid ? r->qube[i].uuid : r->qube[i].name,
		           uuid ? name + 5 : name) == 0)
			return &r->qube[i];
	return NULL;
}

bool roster_is_up(const struct roster_qube *q)
{
	return strcmp(q->state, "Halted") != 0 && strcmp(q->state, "NA") != 0;
}

int roster_missing(const struct roster *r, const char *name, struct fault *f)
{
	struct nearest n = {.to = name};

	for (size_t i = 0; i < r->count; i++)
		nearest_see(&n, r->qube[i].name);
	if (n.best)
		return fault_set(f, -EREMOTEIO,
		                 "no qube named '%s'; did you mean '%s'?", name,
		                 n.best);
	return fault_set(f, -EREMOTEIO,
	                 "no qube named '%s'; those there are: bento ls", name);
}

static bool listed(const struct option_list *l, const char *name)
{
	for (size_t i = 0; l && i < l->count; i++)
		if (strcmp(l->item[i], name) == 0)
			return true;
	return false;
}

static int pick_all(struct roster *r, const struct option_list *exclude,
                    struct fault *f)
{
	size_t kept = 0;

	for (size_t i = 0; exclude && i < exclude->count; i++)
		if (!roster_find(r, exclude->item[i]))
			return roster_missing(r, exclude->item[i], f);
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->qube[i].class, "AdminVM") != 0 &&
		    !listed(exclude, r->qube[i].name))
			r->qube[kept++] = r->qube[i];
	r->count = kept;
	return 0;
}

int roster_pick(struct roster *r, const struct frame_call *c, bool all,
                const struct option_list *exclude)
{
	autofree struct roster_qube *some = NULL;

	if (all)
		return pick_all(r, exclude, c->fault);
	some = calloc(c->count + 1, sizeof(*some));
	if (!some)
		return fault_set(c->fault, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < c->count; i++) {
		const struct roster_qube *q = roster_find(r, c->words[i]);

		if (!q)
			return roster_missing(r, c->words[i], c->fault);
		some[i] = *q;
	}
	free(r->qube);
	r->qube = take_ptr(&some);
	r->count = c->count;
	return 0;
}

int roster_each(const struct roster_job *job, struct frame_call *c)
{
	autoquery struct query a = QUERY_NONE;
	autoroster struct roster r = {0};
	int status = EXIT_SUCCESS;
	int err;

	if (job->all == (c->count > 0))
		return frame_usage(c, "which qube? give names, or --all");
	if (!job->all && job->exclude && job->exclude->count > 0)
		return frame_usage(c, "--exclude goes with --all only");
	err = query_init(&a, c);
	if (err == 0)
		err = roster_get(&r, &a, c->fault);
	if (err == 0)
		err = roster_pick(&r, c, job->all, job->exclude);
	if (err < 0)
		return err;
	a.doing = job->doing;
	for (size_t i = 0; i < r.count; i++) {
		struct fault f = {""};

		if (job->each(&a, &r.qube[i], job->with, &f) >= 0)
			continue;
		frame_warn(c, "%s: %s", r.qube[i].name, f.text);
		status = FRAME_FAILED;
	}
	return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento template`: the images that qubes run on.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/visible.h"
#include "cli/frame.h"
#include "cli/progress.h"
#include "cli/query.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "template/tplsource.h"
#include "template/tplstore.h"

#define SENTENCE (REPORT_PATH_MAX + REPORT_TEXT_MAX + 16)

struct template
{
	const char *from;
	bool json;
};

static const struct option_row rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct template, __VA_ARGS__)
#define TEXT(...) OPTIONS_TEXT(struct template, __VA_ARGS__)
#include "cli/template.def"
};

/* What a sub-verb works with. */
struct call {
	struct template *options;
	struct frame_call *frame;
	struct tplstore store;
	struct query query;
};

/* ---- list and info ---- */

static void time_text(int64_t made, char to[32])
{
	time_t t = (time_t)made;
	struct tm tm;

	(void)strftime(to, 32, "%Y-%m-%d %H:%M", localtime_r(&t, &tm));
}

static void size_text(uint64_t size, char to[32])
{
	(void)snprintf(to, 32, "%llu MiB", (unsigned long long)(size >> 20));
}

static json_t *info_json(const char *name, const struct tplstore_info *i)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:s}", "name", name,
	                 "version", (json_int_t)i->version, "size",
	                 (json_int_t)i->size, "made", (json_int_t)i->made,
	                 "older", (json_int_t)i->older, "from", i->source);
}

/* Prints it, and lets it go. */
static int print_json(json_t *json, struct fault *f)
{
	int err = 0;

	if (!json || json_dumpf(json, stdout, JSON_INDENT(2)) < 0)
		err = fault_set(f, -ENOMEM, "out of memory");
	(void)putchar('\n');
	json_decref(json);
	return err;
}

static void add_row(struct table *t, const char *name,
                    const struct tplstore_info *i)
{
	char text[32];

	table_row(t);
	table_set(t, 0, name);
	(void)snprintf(text, sizeof(text), "%u", i->version);
	table_set(t, 1, text);
	size_text(i->size, text);
	table_set(t, 2, text);
	time_text(i->made, text);
	table_set(t, 3, text);
	table_set(t, 4, i->source);
}

static int print_list(const struct call *c, char *const *names, size_t count,
                      struct fault *f)
{
	static const char *const heading[] = {"NAME", "VERSION", "SIZE", "MADE",
	                                      "FROM"};
	struct table t = {.columns = ARRAY_LEN(heading)};
	json_t *all = c->options->json ? json_array() : NULL;
	int err;

	table_row(&t);
	for (uint32_t i = 0; i < ARRAY_LEN(heading); i++)
		table_set(&t, i, heading[i]);
	for (size_t n = 0; n < count; n++) {
		struct tplstore_info i;

		/* It may have gone just now. */
		if (tplstore_info(&c->store, names[n], &i, f) < 0)
			continue;
		visible_line(i.source);
		add_row(&t, names[n], &i);
		if (all)
			(void)json_array_append_new(all,
			                            info_json(names[n], &i));
	}
	if (c->options->json)
		err = print_json(all, f);
	else
		err = table_print(&t, TABLE_COLUMNS, true, stdout);
	table_fini(&t);
	return err;
}

static int list(struct call *c)
{
	struct fault *f = c->frame->fault;
	char **names;
	size_t count;
	int err = tplstore_list(&c->store, &names, &count, f);

	if (err < 0)
		return err;
	err = print_list(c, names, count, f);
	while (count > 0)
		free(names[--count]);
	free(names);
	return err;
}

static int info(struct call *c)
{
	const char *name = c->frame->words[1];
	struct fault *f = c->frame->fault;
	struct tplstore_info i;
	char size[32], made[32];
	int err = tplstore_info(&c->store, name, &i, f);

	if (err < 0)
		return err;
	if (c->options->json)
		return print_json(info_json(name, &i), f);
	visible_line(i.source);
	size_text(i.size, size);
	time_text(i.made, made);
	(void)printf("name      %s\nversion   %u\nsize      %s\nmade      %s\n"
	             "from      %s\nin use    %u older versions\n",
	             name, i.version, size, made, i.source, i.older);
	return 0;
}

/* ---- create and verify ---- */

/* Where reports of a helper go. */
struct watch {
	struct frame_call *frame;
	struct progress progress;
	uint64_t size; /* of all that is read; 0: unknown */
	uint32_t skipped;
	uint32_t damaged;
};

/* A sentence about a file, its name made harmless. */
static void tell_file(struct watch *w, const struct report *r)
{
	autofree char *line = malloc(SENTENCE);

	if (!line)
		return;
	(void)snprintf(line, SENTENCE, "%.*s: %.*s", (int)r->path.size,
	               (const char *)r->path.at, (int)r->text.size,
	               (const char *)r->text.at);
	visible_line(line);
	progress_end(&w->progress);
	if (r->kind == REPORT_DAMAGED)
		(void)printf("%s\n", line);
	else
		frame_say(w->frame, "left out: %s", line);
}

static void told(void *ctx, const struct report *r)
{
	struct watch *w = ctx;

	if (!r) {
		progress_show(&w->progress, 0, 0);
		return;
	}
	if (r->kind == REPORT_READ)
		progress_show(&w->progress, MIN(r->done, w->size), w->size);
	else if (r->kind == REPORT_HASHED)
		progress_show(&w->progress, r->done, r->of);
	else
		tell_file(w, r);
	w->skipped += r->kind == REPORT_SKIPPED;
	w->damaged += r->kind == REPORT_DAMAGED;
}

static int write_version(struct call *c, struct tplsource *s,
                         struct tplstore_new *n)
{
	struct fault *f = c->frame->fault;
	struct watch w = {.frame = c->frame, .size = s->size};
	struct tplimport job = {
		.job = "write",
		.fd = {n->fd[0], n->fd[1], n->fd[2]},
		.count = s->count,
		.told = told,
		.ctx = &w,
		.patience_ms = 1000,
	};
	int err;

	for (uint32_t i = 0; i < s->count; i++) {
		job.kind[i] = s->kind[i];
		job.input[i] = s->fd[i];
	}
	progress_begin(&w.progress, "importing", n->name);
	err = tplimport(&job, f);
	progress_end(&w.progress);
	/* What a program could not write cannot have been read either. */
	if (err == 0)
		err = tplsource_finish(s, f);
	if (err == 0)
		err = tplstore_commit(n, c->options->from, f);
	return err;
}

/*
 * Is there a TemplateVM whose programs this image is?  Its root volume lies over
 * the version it was started with; behind a new one it begins anew, which it
 * must be halted for.  1: there is; 0: there is none; or a negative errno.
 */
static int ask_qube(struct call *c, const char *name, struct fault *f)
{
	struct query *q = &c->query;
	int err = query(q, "admin.vm.List", NULL, name, f);

	if (err == -EREMOTEIO && query_refused(q, "QubesVMNotFoundError"))
		return 0;
	if (err < 0)
		return err;
	if (!strstr(query_text(q), " class=TemplateVM "))
		return 0;
	if (!strstr(query_text(q), " state=Halted "))
		return fault_set(f, -EBUSY,
		                 "the qube %s runs on the template: shut it "
		                 "down: bento shutdown --wait %s",
		                 name, name);
	return 1;
}

/* Nobody has qubes whose manager never wrote anything. */
static bool has_qubes(const struct call *c)
{
	return faccessat(c->store.data, "manager.lmdb", F_OK, 0) == 0;
}

static int create(struct call *c)
{
	const char *name = c->frame->words[1];
	struct fault *f = c->frame->fault;
	struct tplstore_new n;
	struct tplsource s;
	int lies_over = 0;
	int err;

	if (!c->options->from)
		return frame_usage(c->frame,
		                   "from what? give --from host, debian, "
		                   "tar:FILE, oci:DIR or qube:NAME");
	if (has_qubes(c))
		lies_over = ask_qube(c, name, f);
	err = lies_over < 0 ? lies_over
	                    : tplstore_begin(&c->store, name, &n, f);
	if (err < 0)
		return err;
	err = tplsource_open(&s, c->options->from, f);
	if (err == 0) {
		err = write_version(c, &s, &n);
		tplsource_close(&s);
	}
	tplstore_end(&n);
	if (err == 0 && lies_over)
		err = query(&c->query, "bento.template.Reset", NULL, name, f);
	return err;
}

static int verify(struct call *c)
{
	const char *name = c->frame->words[1];
	struct fault *f = c->frame->fault;
	struct watch w = {.frame = c->frame};
	struct tplstore_used u;
	struct tplimport job = {
		.job = "check",
		.told = told,
		.ctx = &w,
		.patience_ms = 1000,
	};
	int err = tplstore_use(&c->store, name, &u, f);

	if (err < 0)
		return err;
	job.fd[0] = u.main_fd;
	job.fd[1] = u.data_fd;
	job.fd[2] = u.tree_fd;
	progress_begin(&w.progress, "checking", name);
	err = tplimport(&job, f);
	progress_end(&w.progress);
	if (err == 0)
		frame_say(c->frame, "the template %s is as it was made", name);
	tplstore_release(&u);
	return err;
}

static int remove_template(struct call *c)
{
	int err = 0;

	for (uint32_t i = 1; i < c->frame->count && err == 0; i++)
		err = tplstore_remove(&c->store, c->frame->words[i],
		                      c->frame->fault);
	return err;
}

static const struct {
	const char *name;
	uint32_t min, max; /* words behind it */
	int (*go)(struct call *c);
} verbs[] = {
	{"list", 0, 0, list},     {"create", 1, 1, create},
	{"info", 1, 1, info},     {"remove", 1, FRAME_ANY, remove_template},
	{"verify", 1, 1, verify},
};

static int go(void *options, struct frame_call *frame)
{
	struct call c = {
		.options = options, .frame = frame, .query = QUERY_NONE};
	size_t i = 0;
	int err;

	while (i < ARRAY_LEN(verbs) &&
	       strcmp(verbs[i].name, frame->words[0]) != 0)
		i++;
	if (i == ARRAY_LEN(verbs))
		return frame_usage(frame,
		                   "what is \"%s\"? list, create, info, "
		                   "remove or verify",
		                   frame->words[0]);
	if (frame->count - 1 < verbs[i].min)
		return frame_usage(frame, "%s which template?", verbs[i].name);
	if (frame->count - 1 > verbs[i].max)
		return frame_usage(frame, "%s takes no \"%s\"", verbs[i].name,
		                   frame->words[verbs[i].max + 1]);
	err = tplstore_open(&c.store, frame->fault);
	if (err < 0)
		return err;
	err = query_init(&c.query, frame);
	if (err == 0)
		err = verbs[i].go(&c);
	query_fini(&c.query);
	tplstore_close(&c.store);
	return err;
}

int verb_template(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct template),
		.min = 1,
		.max = FRAME_ANY,
		.go = go,
	};

	return frame_run(&frame, argv);
}

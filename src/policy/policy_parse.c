/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inclusion is a stack of frames, each a file half read or a folder half read;
 * the topmost gives the next line.
 */
#include "policy/policy_parse.h"

#include <stdio.h>

#include "policy/policy_line.h"

enum frame_kind {
	FRAME_FULL,    /* a file of rules and directives */
	FRAME_SERVICE, /* a file about one service */
	FRAME_OLD,     /* the same in the form of 4.0 */
	FRAME_FOLDER,  /* files of full form */
	FRAME_SERVICES /* files of the old form */
};

struct frame {
	enum frame_kind kind;
	char *path;
	uint8_t *text; /* owned */
	struct reader rest;
	uint32_t file;
	uint32_t line;
	struct policy_names names;
	size_t next;
	/* Service and argument; kept by the policy. */
	struct policy_rule about;
	bool closed; /* of OLD: what no rule allows is denied behind it */
};

struct parser {
	struct policy_rules *to;
	const struct policy_source *from;
	const char *folder;
	struct fault *f;
	size_t total;
	size_t depth;
	struct frame frame[POLICY_PARSE_DEPTH];
};

static struct frame *top(struct parser *p)
{
	return &p->frame[p->depth - 1];
}

static void pop(struct parser *p)
{
	struct frame *fr = top(p);

	free(fr->path);
	free(fr->text);
	policy_source_fini(&fr->names);
	*fr = (struct frame){0};
	p->depth--;
}

/* Says where the topmost file is wrong. */
static int wrong(struct parser *p, uint32_t word, struct span text,
                 const char *why)
{
	const struct frame *fr = top(p);
	char shown[80];

	policy_source_escape(text, shown, sizeof(shown));
	if (text.size == 0)
		return fault_set(p->f, -EINVAL,
		                 "%s, line %u: word %u is missing", fr->path,
		                 fr->line, word);
	return fault_set(p->f, -EINVAL, "%s, line %u, word %u: \"%s\" %s",
	                 fr->path, fr->line, word, shown, why);
}

/* Puts the place before what went wrong with a file that is included. */
static int blame(struct parser *p, uint32_t word, int err,
                 const struct fault *inner)
{
	const struct frame *fr = p->frame;

	for (size_t i = 0; i < p->depth; i++)
		if (p->frame[i].text)
			fr = &p->frame[i];
	if (p->depth == 0) {
		*p->f = *inner;
		return err;
	}
	return fault_set(p->f, err, "%s, line %u, word %u: %.300s", fr->path,
	                 fr->line, word, inner->text);
}

static int push(struct parser *p, enum frame_kind kind, const char *path,
                uint32_t word)
{
	struct frame fr = {.kind = kind};
	struct fault inner;

	if (p->depth == POLICY_PARSE_DEPTH) {
		int err = fault_set(&inner, -ELOOP,
		                    "files include one another too deep");

		return blame(p, word, err, &inner);
	}
	fr.path = strdup(path);
	if (!fr.path)
		return fault_set(p->f, -ENOMEM, "out of memory");
	p->frame[p->depth] = fr;
	return 0;
}

/* Reads a file; its frame becomes the topmost. */
static int push_file(struct parser *p, enum frame_kind kind, const char *path,
                     uint32_t word, const struct policy_rule *about)
{
	struct frame *fr = &p->frame[p->depth];
	struct fault inner;
	size_t size = 0;
	int64_t file;
	int err;

	err = push(p, kind, path, word);
	if (err < 0)
		return err;
	err = p->from->read(p->from->ctx, path, &fr->text, &size, &inner);
	if (err < 0) {
		free(fr->path);
		*fr = (struct frame){0};
		return blame(p, word, err, &inner);
	}
	fr->rest.rest = (struct span){fr->text, size};
	fr->about = about ? *about : (struct policy_rule){0};
	p->depth++;
	p->total += size;
	if (size > POLICY_FILE_MAX || p->total > POLICY_PARSE_TOTAL)
		return fault_set(p->f, -E2BIG, "%s: too much text for a policy",
		                 path);
	file = policy_rules_file(p->to, path);
	if (file < 0)
		return fault_set(p->f, (int)file, "%s: too many files", path);
	fr->file = (uint32_t)file;
	return 0;
}

/* Lists a folder; its frame becomes the topmost. */
static int push_folder(struct parser *p, enum frame_kind kind, const char *path,
                       uint32_t word)
{
	struct frame *fr = &p->frame[p->depth];
	struct fault inner;
	int err;

	err = push(p, kind, path, word);
	if (err < 0)
		return err;
	err = p->from->list(p->from->ctx, path, &fr->names, &inner);
	if (err == 0 && kind == FRAME_FOLDER)
		err = policy_source_pick(&fr->names, path, &inner);
	else if (err == -ENOENT && kind == FRAME_SERVICES)
		err = 0;
	if (err < 0) {
		p->depth++;
		pop(p);
		return blame(p, word, err, &inner);
	}
	policy_source_sort(&fr->names);
	p->depth++;
	return 0;
}

/* The path a directive names, which the caller frees.  0, or why not. */
static int resolve(struct parser *p, struct span name, uint32_t word,
                   char **path)
{
	bool absolute = name.size > 0 && name.at[0] == '/';

	if (name.size == 0)
		return wrong(p, word, name, "is not a path");
	if (asprintf(path, "%s%s%.*s", absolute ? "" : p->folder,
	             absolute ? "" : "/", (int)name.size,
	             (const char *)name.at) < 0) {
		*path = NULL;
		return fault_set(p->f, -ENOMEM, "out of memory");
	}
	return 0;
}

static int include(struct parser *p, struct reader *in)
{
	struct frame *fr = top(p);
	bool whole = fr->kind == FRAME_FULL;
	autofree char *path = NULL;
	int err = resolve(p, policy_line_word(in), 2, &path);

	if (err < 0)
		return err;
	return push_file(p, fr->kind, path, 2, whole ? NULL : &fr->about);
}

static int include_dir(struct parser *p, struct reader *in)
{
	autofree char *path = NULL;
	int err = resolve(p, policy_line_word(in), 2, &path);

	return err < 0 ? err : push_folder(p, FRAME_FOLDER, path, 2);
}

static int include_service(struct parser *p, struct reader *in)
{
	struct span service = policy_line_word(in);
	struct span argument = policy_line_word(in);
	struct policy_rule about = {0};
	autofree char *path = NULL;
	uint32_t which;
	const char *why;
	int err;

	err = policy_line_service(service, argument, &about, &which, &why);
	if (err < 0)
		return wrong(p, which + 2, which ? argument : service, why);
	err = resolve(p, policy_line_word(in), 4, &path);
	if (err < 0)
		return err;
	if (policy_rules_keep(p->to, about.service, &about.service) < 0 ||
	    policy_rules_keep(p->to, about.argument, &about.argument) < 0)
		return fault_set(p->f, -ENOMEM, "out of memory");
	return push_file(p, FRAME_SERVICE, path, 4, &about);
}

static int compat_40(struct parser *p, struct reader *in)
{
	const char *slash = strrchr(p->folder, '/');
	autofree char *path = NULL;

	(void)in;
	if (asprintf(&path, "%.*s/policy", slash ? (int)(slash - p->folder) : 0,
	             p->folder) < 0) {
		path = NULL;
		return fault_set(p->f, -ENOMEM, "out of memory");
	}
	return push_folder(p, FRAME_SERVICES, path, 1);
}

static const struct {
	const char *name;
	int (*run)(struct parser *p, struct reader *in);
	uint32_t words;     /* with the directive itself */
	bool about_service; /* also where the file is about a service */
} directives[] = {
	{"!include", include, 2, true},
	{"!include-dir", include_dir, 2, false},
	{"!include-service", include_service, 4, false},
	{"!compat-4.0", compat_40, 1, false},
};

static int directive(struct parser *p, struct span line)
{
	struct reader in = {.rest = line};
	struct reader count = in;
	struct span name = policy_line_word(&in);
	uint32_t words = 0;
	struct span extra;

	for (size_t i = 0; i < ARRAY_LEN(directives); i++) {
		if (!span_is(name, directives[i].name))
			continue;
		if (top(p)->kind != FRAME_FULL && !directives[i].about_service)
			return wrong(p, 1, name,
			             "cannot stand in a file about a service");
		while ((extra = policy_line_word(&count)).size > 0)
			if (++words > directives[i].words)
				return wrong(p, words, extra, "is too much");
		return directives[i].run(p, &in);
	}
	return wrong(p, 1, name, "is not a directive");
}

static int add(struct parser *p, const struct policy_rule *r)
{
	int err = policy_rules_add(p->to, r);

	if (err == -E2BIG)
		return fault_set(p->f, err, "%s, line %u: too many rules",
		                 top(p)->path, top(p)->line);
	return err < 0 ? fault_set(p->f, err, "out of memory") : 0;
}

static int rule(struct parser *p, struct span line)
{
	const struct frame *fr = top(p);
	struct policy_rule r = fr->about;
	struct policy_wrong bad;
	int err;

	r.file = fr->file;
	r.line = fr->line;
	err = policy_line_read(line,
	                       fr->kind == FRAME_FULL ? POLICY_FORM_FULL
	                                              : POLICY_FORM_SERVICE,
	                       &r, &bad);
	if (err < 0)
		return wrong(p, bad.word, bad.text, bad.why);
	return add(p, &r);
}

/*
 * A line of the old form as one of the new: $ for @, and blanks for the commas
 * behind the second word.
 */
static struct span renew(struct span line, uint8_t *to)
{
	static const char old[] = "$include:";
	struct reader in = {.rest = line};
	struct span rest = line;
	size_t commas;
	size_t size = 0;

	if (line.size >= sizeof(old) - 1 &&
	    memcmp(line.at, old, sizeof(old) - 1) == 0) {
		rest = span_from(line, sizeof(old) - 1);
		memcpy(to, "!include ", sizeof(old) - 1);
		memcpy(to + sizeof(old) - 1, rest.at, rest.size);
		return (struct span){to, sizeof(old) - 1 + rest.size};
	}
	(void)policy_line_word(&in);
	(void)policy_line_word(&in);
	commas = line.size - in.rest.size;
	for (; size < line.size; size++) {
		uint8_t c = line.at[size];

		to[size] = c == '$'                     ? '@'
		           : c == ',' && size >= commas ? ' '
		                                        : c;
	}
	return (struct span){to, size};
}

/* Is every byte printable ASCII or a blank?  Else *at is the first that isn't. */
static bool clean(struct span line, size_t *at)
{
	for (*at = 0; *at < line.size; (*at)++)
		if (line.at[*at] != '\t' &&
		    (line.at[*at] < 0x20 || line.at[*at] > 0x7e))
			return false;
	return true;
}

/* The number of the word in which the byte `at` is, from 1. */
static uint32_t word_at(struct span line, size_t at, struct span *word)
{
	struct reader in = {.rest = line};
	uint32_t n = 0;

	do {
		*word = policy_line_word(&in);
		n++;
	} while (line.size - in.rest.size <= at && in.rest.size > 0);
	return n;
}

/* The next line of the topmost file, which has one, without its end. */
static struct span take_line(struct frame *fr)
{
	struct span rest = fr->rest.rest;
	struct span line;
	size_t size = 0;

	while (size < rest.size && rest.at[size] != '\n')
		size++;
	line = rd_take(&fr->rest, size);
	(void)rd_take(&fr->rest, MIN(fr->rest.rest.size, (size_t)1));
	fr->line++;
	if (line.size > 0 && line.at[line.size - 1] == '\r')
		line.size--;
	return line;
}

static int one_line(struct parser *p)
{
	struct frame *fr = top(p);
	struct span line = take_line(fr);
	struct reader in = {.rest = line};
	struct span first = policy_line_word(&in);
	uint8_t renewed[POLICY_LINE_MAX];
	struct span word;
	size_t at;

	if (first.size == 0 || first.at[0] == '#')
		return 0;
	if (line.size > POLICY_LINE_MAX)
		return wrong(p, 1, first, "begins too long a line");
	if (!clean(line, &at)) {
		uint32_t n = word_at(line, at, &word);

		return wrong(p, n, word, "is not printable ASCII");
	}
	if (fr->kind == FRAME_OLD)
		line = renew(line, renewed);
	in = (struct reader){.rest = line};
	first = policy_line_word(&in);
	return first.size > 0 && first.at[0] == '!' ? directive(p, line)
	                                            : rule(p, line);
}

/* Behind a file of the old form, what it did not allow is denied. */
static int close_old(struct parser *p)
{
	static const enum policy_kind targets[] = {POLICY_ANYVM,
	                                           POLICY_ADMINVM};
	struct frame *fr = top(p);
	int err = 0;

	for (size_t i = 0; fr->closed && !err && i < ARRAY_LEN(targets); i++) {
		struct policy_rule r = fr->about;

		r.source.kind = POLICY_ANYVM;
		r.target.kind = targets[i];
		r.action = POLICY_DENY;
		r.notify = true;
		r.autostart = true;
		r.file = fr->file;
		r.line = fr->line;
		err = add(p, &r);
	}
	return err;
}

/* One file of the old folder: SERVICE or SERVICE+ARGUMENT. */
static int old_file(struct parser *p, const char *path, const char *name)
{
	const char *plus = strchr(name, '+');
	struct policy_rule about = {.any_argument = !plus};
	struct span service = span_str(name);
	int err;

	if (plus)
		service.size -= strlen(plus);
	if (!policy_line_name_ok(span_str(name)) || service.size == 0)
		return fault_set(p->f, -EINVAL, "%s: no name for a service",
		                 path);
	if (policy_rules_keep(p->to, service, &about.service) < 0 ||
	    (plus &&
	     policy_rules_keep(p->to, span_str(plus), &about.argument) < 0))
		return fault_set(p->f, -ENOMEM, "out of memory");
	err = push_file(p, FRAME_OLD, path, 1, &about);
	if (err == 0)
		top(p)->closed = true;
	return err;
}

/*
 * The next name of the old folder.  Those with an argument come first, since
 * they take the place of the file without.
 */
static const char *next_old(struct frame *fr)
{
	while (fr->next < 2 * fr->names.count) {
		bool second = fr->next >= fr->names.count;
		const char *name = fr->names.name[fr->next % fr->names.count];

		fr->next++;
		if (name[0] != '.' && !strchr(name, '+') == second)
			return name;
	}
	return NULL;
}

static int one_name(struct parser *p)
{
	struct frame *fr = top(p);
	bool old = fr->kind == FRAME_SERVICES;
	const char *name = NULL;
	autofree char *path = NULL;

	if (old)
		name = next_old(fr);
	else if (fr->next < fr->names.count)
		name = fr->names.name[fr->next++];
	if (!name) {
		pop(p);
		return 0;
	}
	if (asprintf(&path, "%s/%s", fr->path, name) < 0) {
		path = NULL;
		return fault_set(p->f, -ENOMEM, "out of memory");
	}
	return old ? old_file(p, path, name)
	           : push_file(p, FRAME_FULL, path, 2, NULL);
}

static int step(struct parser *p)
{
	struct frame *fr = top(p);
	int err;

	if (fr->kind == FRAME_FOLDER || fr->kind == FRAME_SERVICES)
		return one_name(p);
	if (fr->rest.rest.size > 0)
		return one_line(p);
	err = close_old(p);
	pop(p);
	return err;
}

int policy_parse_file(struct policy_rules *to, const struct policy_source *from,
                      const char *path, const char *folder, struct fault *f)
{
	struct parser *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return fault_set(f, -ENOMEM, "out of memory");
	p->to = to;
	p->from = from;
	p->folder = folder;
	p->f = f;
	err = push_file(p, FRAME_FULL, path, 1, NULL);
	while (err == 0 && p->depth > 0)
		err = step(p);
	while (p->depth > 0)
		pop(p);
	free(p);
	return err;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/frame.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/verbs.h"

struct common {
	bool verbose;
	bool quiet;
	bool help;
};

static const struct option_row common_rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct common, __VA_ARGS__)
#include "cli/common.def"
};

bool frame_is_qvm(const struct frame_call *c)
{
	return strcmp(c->name, c->prefix) == 0;
}

int frame_usage(struct frame_call *c, const char *fmt, ...)
{
	va_list args;

	c->usage = true;
	va_start(args, fmt);
	(void)vsnprintf(c->fault->text, sizeof(c->fault->text), fmt, args);
	va_end(args);
	return -EINVAL;
}

static void say(const char *prefix, const char *fmt, va_list args)
	__attribute__((format(printf, 2, 0)));

static void say(const char *prefix, const char *fmt, va_list args)
{
	(void)fprintf(stderr, "%s: ", prefix);
	(void)vfprintf(stderr, fmt, args);
	(void)fputc('\n', stderr);
}

void frame_warn(const struct frame_call *c, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(c->prefix, fmt, args);
	va_end(args);
}

void frame_say(const struct frame_call *c, const char *fmt, ...)
{
	va_list args;

	if (c->quiet)
		return;
	va_start(args, fmt);
	say(c->prefix, fmt, args);
	va_end(args);
}

/* The verb's rows and the common ones, whose places lie behind its own. */
static struct option_row *merge(const struct frame *frame, size_t behind)
{
	size_t common = ARRAY_LEN(common_rows);
	struct option_row *all = calloc(frame->count + common, sizeof(*all));

	if (!all)
		return NULL;
	for (size_t i = 0; i < frame->count; i++)
		all[i] = frame->rows[i];
	for (size_t i = 0; i < common; i++) {
		all[frame->count + i] = common_rows[i];
		all[frame->count + i].at += behind;
	}
	return all;
}

static void help(const struct frame_call *c, const struct option_row *rows,
                 size_t count)
{
	const struct verb *v = verbs_find(c->name);

	if (v)
		(void)printf("usage: %s %s\n\n%s\n\n", c->prefix, v->form,
		             v->what);
	options_print(rows, count);
}

static int count_words(const struct frame *frame, struct frame_call *c)
{
	const struct verb *v = verbs_find(c->name);
	const char *form = v ? v->form : "";
	const char *blank = *form ? " " : "";

	if (c->count < frame->min)
		return frame_usage(c, "something is missing: %s%s%s", c->prefix,
		                   blank, form);
	if (c->count > frame->max)
		return frame_usage(c, "what is \"%s\"? usage: %s%s%s",
		                   c->words[frame->max], c->prefix, blank,
		                   form);
	return 0;
}

static int go(const struct frame *frame, struct frame_call *c,
              char *const argv[], char *state)
{
	size_t behind = round_up(frame->size, 16);
	struct common *common = (void *)(state + behind);
	autofree struct option_row *rows = merge(frame, behind);
	size_t count = frame->count + ARRAY_LEN(common_rows);
	int words;
	int err;

	if (!rows)
		return fault_set(c->fault, -ENOMEM, "out of memory");
	words = options_sort(rows, count, state, argv, c->words, frame->most,
	                     c->fault);
	if (words < 0) {
		c->usage = true;
		return words;
	}
	c->count = (uint32_t)words;
	c->quiet = common->quiet;
	c->verbose = common->verbose;
	if (common->help) {
		help(c, rows, count);
		return EXIT_SUCCESS;
	}
	err = count_words(frame, c);
	return err < 0 ? err : frame->go(state, c);
}

/* What was written shall have arrived. */
static int flush(int status, struct fault *f)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	return fault_set(f, -EIO, "cannot write the output");
}

int frame_run(const struct frame *frame, char *const argv[])
{
	const struct verb *v = verbs_find(argv[0]);
	struct fault f = {""};
	char prefix[64];
	struct frame_call c = {.name = argv[0], .prefix = prefix, .fault = &f};
	autofree char *state = NULL;
	autofree char **words = NULL;
	size_t count = 0;
	int status;

	(void)snprintf(prefix, sizeof(prefix), "%s%s",
	               v && strcmp(v->name, argv[0]) == 0 ? "bento " : "",
	               argv[0]);
	while (argv[count])
		count++;
	state = calloc(1, round_up(frame->size, 16) + sizeof(struct common));
	words = calloc(count + 1, sizeof(*words));
	if (!state || !words) {
		frame_warn(&c, "out of memory");
		return FRAME_FAILED;
	}
	c.words = words;
	status = go(frame, &c, argv, state);
	status = flush(status, &f);
	if (status >= 0)
		return status;
	frame_warn(&c, "%s", f.text);
	return c.usage ? FRAME_USAGE : FRAME_FAILED;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento notes`, qvm-notes: a text that is kept with a qube.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "cli/editor.h"
#include "cli/query.h"
#include "cli/verbs.h"
#include "cli/wholefile.h"

struct notes_options {
	bool edit, print, delete, force;
	const char *import, *set, *append;
};

static const struct option_row rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct notes_options, __VA_ARGS__)
#define TEXT(...) OPTIONS_TEXT(struct notes_options, __VA_ARGS__)
#include "cli/notes.def"
};

#define NOTES_MAX 256000u

static int store(struct query *a, const char *qube, const struct buffer *b,
                 struct fault *f)
{
	const struct client_call call = {
		.method = "admin.vm.notes.Set",
		.target = qube,
		.payload = buffer_span(b),
	};

	return b->bad ? fault_set(f, -ENOMEM, "out of memory")
	              : query_with(a, &call, f);
}

static int edit(struct query *a, const char *qube, struct fault *f)
{
	char path[] = "/tmp/bento-notes.XXXXXX";
	autobuffer struct buffer b = {0};
	int fd = mkostemp(path, O_CLOEXEC);
	const char *old = query_text(a);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	int err;

	if (!file)
		return fault_errno(f, "make %s", path);
	(void)fputs(old, file);
	err = fclose(file) ? fault_errno(f, "write %s", path) : 0;
	if (err == 0)
		err = editor_run(path, f);
	if (err == 0)
		err = wholefile_read(path, NOTES_MAX, &b, f);
	(void)unlink(path);
	return err < 0 ? err : store(a, qube, &b, f);
}

static int sure(const struct notes_options *o, struct frame_call *c)
{
	char answer[16] = "";

	if (o->force)
		return 0;
	(void)fprintf(stderr, "Overwrite the notes of %s? [y/N] ", c->words[0]);
	if (fgets(answer, sizeof(answer), stdin) &&
	    (answer[0] == 'y' || answer[0] == 'Y'))
		return 0;
	return fault_set(c->fault, -ECANCELED, "nothing changed");
}

static int change(const struct notes_options *o, struct query *a,
                  struct frame_call *c)
{
	autobuffer struct buffer b = {0};
	size_t size = strlen(query_text(a));
	int err = 0;

	if (o->append && size > 0) {
		buffer_text(&b, query_text(a));
		if (query_text(a)[size - 1] != '\n')
			buffer_text(&b, "\n");
	} else if (size > 0) {
		err = sure(o, c);
	}
	if (err == 0 && o->import)
		err = wholefile_read(o->import, NOTES_MAX, &b, c->fault);
	if (err < 0)
		return err;
	if (o->set || o->append)
		buffer_text(&b, o->set ? o->set : o->append);
	return store(a, c->words[0], &b, c->fault);
}

static int go(void *options, struct frame_call *c)
{
	const struct notes_options *o = options;
	autoquery struct query a = QUERY_NONE;
	int err;

	if (o->edit + o->print + o->delete + (o->import != NULL) +
	            (o->set != NULL) + (o->append != NULL) >
	    1)
		return frame_usage(c, "one thing at a time");
	err = query_init(&a, c);
	if (err == 0)
		err = query(&a, "admin.vm.notes.Get", NULL, c->words[0],
		            c->fault);
	if (err < 0)
		return err;
	if (o->print) {
		(void)fputs(query_text(&a), stdout);
		return EXIT_SUCCESS;
	}
	if (o->import || o->set || o->append || o->delete)
		return change(o, &a, c);
	return edit(&a, c->words[0], c->fault);
}

int verb_notes(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct notes_options),
		.min = 1,
		.max = 1,
		.go = go,
	};

	return frame_run(&frame, argv);
}

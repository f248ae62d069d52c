/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento log`: what a qube's kernel, and programs nobody listened to, have said.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>

#include "base/visible.h"
#include "cli/roster.h"
#include "cli/verbs.h"

struct log_options {
	bool follow;
	uint32_t lines;
};

static int set_lines(void *to, const char *value, struct fault *f)
{
	struct log_options *o = to;

	return options_number(value, 1000000, &o->lines, f);
}

static const struct option_row rows[] = {
#define OPTION    OPTIONS_OPTION
#define FLAG(...) OPTIONS_FLAG(struct log_options, __VA_ARGS__)
#include "cli/log.def"
};

#define PIECE 512u

/* Puts the position where the last `lines` lines begin. */
static int skip_to_last(int fd, uint32_t lines, struct fault *f)
{
	char piece[PIECE];
	off_t at = lseek(fd, 0, SEEK_END);
	bool first = true;

	while (at > 0) {
		size_t size = (size_t)MIN(at, (off_t)PIECE);
		ssize_t n = pread(fd, piece, size, at - (off_t)size);

		if (n != (ssize_t)size)
			return fault_set(f, -EIO, "the log changes too fast");
		for (size_t i = size; i > 0; i--) {
			/* The end of the last line does not count. */
			if (piece[i - 1] == '\n' && !first && --lines == 0)
				return lseek(fd, at - (off_t)(size - i),
				             SEEK_SET) < 0
				               ? fault_errno(f, "seek")
				               : 0;
			first = false;
		}
		at -= (off_t)size;
	}
	return lseek(fd, 0, SEEK_SET) < 0 ? fault_errno(f, "seek") : 0;
}

static int print_rest(int fd, struct fault *f)
{
	bool screen = isatty(STDOUT_FILENO);
	char piece[PIECE];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) > 0) {
		if (screen)
			visible_filter(piece, (size_t)n);
		(void)fwrite(piece, 1, (size_t)n, stdout);
	}
	if (fflush(stdout) != 0)
		return fault_set(f, -EIO, "cannot write");
	return n < 0 ? fault_errno(f, "read the log") : 0;
}

/* Prints what comes, until we are ended. */
static int follow(int fd, const char *path, struct fault *f)
{
	autoclose int watch = inotify_init1(IN_CLOEXEC);
	char events[PIECE];
	int err;

	if (watch < 0 || inotify_add_watch(watch, path, IN_MODIFY) < 0)
		return fault_errno(f, "watch %s", path);
	do
		err = print_rest(fd, f);
	while (err == 0 && read(watch, events, sizeof(events)) > 0);
	return err;
}

/* Is there such a qube?  That explains a log that is not there. */
__attribute__((noinline)) /* a large frame: not on its caller's, too */
static int
explain(struct frame_call *c)
{
	autoquery struct query a = QUERY_NONE;
	autoroster struct roster r = {0};
	int err = query_init(&a, c);

	if (err == 0)
		err = roster_get(&r, &a, c->fault);
	if (err == 0 && !roster_find(&r, c->words[0]))
		err = roster_missing(&r, c->words[0], c->fault);
	if (err == 0)
		err = fault_set(c->fault, -ENOENT,
		                "%s has no log: it has not been started yet",
		                c->words[0]);
	return err;
}

static int go(void *options, struct frame_call *c)
{
	const struct log_options *o = options;
	struct paths paths;
	autofree char *path = NULL;
	autoclose int fd = -1;
	int err = paths_find(&paths, c->fault);

	if (err < 0)
		return err;
	if (c->words[0][0] == '.' || strchr(c->words[0], '/'))
		return explain(c);
	if (asprintf(&path, "%s/log/%s.log", paths.at[PATHS_STATE],
	             c->words[0]) < 0)
		return fault_set(c->fault, -ENOMEM, "out of memory");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return explain(c);
	if (fd < 0)
		return fault_errno(c->fault, "open %s", path);
	if (o->lines)
		err = skip_to_last(fd, o->lines, c->fault);
	if (err == 0)
		err = o->follow ? follow(fd, path, c->fault)
		                : print_rest(fd, c->fault);
	return err;
}

int verb_log(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct log_options),
		.min = 1,
		.max = 1,
		.go = go,
	};

	return frame_run(&frame, argv);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "supervise/streams.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

void streams_init(struct streams *s)
{
	s->terminal.raw = false;
	s->console = false;
	s->attached = false;
	s->console_fd = -1;
	s->console_theirs = -1;
	s->relay_count = 0;
	for (size_t i = 0; i < ARRAY_LEN(s->theirs); i++)
		s->theirs[i] = -1;
	for (size_t i = 0; i < ARRAY_LEN(s->ours); i++)
		s->ours[i] = -1;
}

static void carry(struct streams *s, int from, int to)
{
	assert(s->relay_count < STREAMS_RELAYS);
	relay_init(&s->relay[s->relay_count++], from, to);
}

/*
 * A pipe is opened anew where the host lets us, so that the kernel can have it
 * non-blocking without changing the description others hold too.
 */
static int hand_over(int fd)
{
	char path[32];
	struct stat st;
	int again = -1;

	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode)) {
		int mode = fcntl(fd, F_GETFL) & O_ACCMODE;

		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		again = open(path, mode | O_NONBLOCK | O_CLOEXEC);
	}
	return again >= 0 ? again : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* A pipe between a terminal of ours and the kernel's stream `i`. */
static int carry_stream(struct streams *s, int i, struct fault *f)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return fault_errno(f, "make a pipe");
	if (i == STDIN_FILENO) {
		s->theirs[i] = ends[0];
		s->ours[i] = ends[1];
		carry(s, i, ends[1]);
	} else {
		s->theirs[i] = ends[1];
		s->ours[i] = ends[0];
		carry(s, ends[0], i == STREAMS_TELL ? STDERR_FILENO : i);
	}
	return 0;
}

static int open_tell(struct streams *s, struct fault *f)
{
	int err;

	if (!isatty(STDERR_FILENO)) {
		s->theirs[STREAMS_TELL] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC,
		                                3);
		if (s->theirs[STREAMS_TELL] < 0)
			return fault_errno(f, "hand over where to trace to");
		return 0;
	}
	err = carry_stream(s, STREAMS_TELL, f);
	if (err == 0)
		s->relay[s->relay_count - 1].lines = s->console;
	return err;
}

static int open_console(struct streams *s, uint16_t *rows, uint16_t *columns,
                        struct fault *f)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	               ends) < 0)
		return fault_errno(f, "make a socket pair");
	s->console = true;
	s->console_fd = ends[0];
	s->console_theirs = ends[1];
	carry(s, STDIN_FILENO, ends[0]);
	carry(s, ends[0], STDOUT_FILENO);
	terminal_size(STDOUT_FILENO, rows, columns);
	return 0;
}

void streams_reserve(void)
{
	int fd;

	do
		fd = open("/", O_PATH | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	base_close(&fd);
}

/* Closed, or merely reserved. */
static bool is_closed(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || flags & O_PATH;
}

/* Filters what goes to a terminal of ours, be it theirs or bytes carried. */
static void make_visible(struct streams *s)
{
	for (uint32_t i = 0; i < s->relay_count; i++)
		s->relay[i].visible = s->relay[i].to == STDOUT_FILENO ||
		                      s->relay[i].to == STDERR_FILENO;
}

int streams_open(struct streams *s, struct job *j, uint32_t how,
                 struct fault *f)
{
	bool console = !(how & STREAMS_PLAIN) && isatty(STDIN_FILENO) &&
	               isatty(STDOUT_FILENO);
	int err = 0;

	streams_init(s);
	if (console)
		err = open_console(s, &j->rows, &j->columns, f);
	for (int fd = 0; fd < 3 && err == 0; fd++) {
		if (is_closed(fd)) {
			j->stream[fd] = JOB_CLOSED;
		} else if (console && isatty(fd)) {
			j->stream[fd] = JOB_TERMINAL;
		} else if (isatty(fd)) {
			j->stream[fd] = JOB_DESCRIPTOR;
			err = carry_stream(s, fd, f);
		} else {
			j->stream[fd] = JOB_DESCRIPTOR;
			s->theirs[fd] = hand_over(fd);
			if (s->theirs[fd] < 0)
				err = fault_errno(f, "hand over stream %d", fd);
		}
	}
	if (err == 0 && how & STREAMS_TRACED)
		err = open_tell(s, f);
	if (how & STREAMS_VISIBLE)
		make_visible(s);
	if (err < 0)
		streams_close(s);
	return err;
}

int streams_attach(struct streams *s, bool terminal, uint16_t *rows,
                   uint16_t *columns, struct fault *f)
{
	int err;

	streams_init(s);
	s->attached = true;
	if (!terminal)
		return 0;
	err = open_console(s, rows, columns, f);
	if (err == 0)
		s->relay[0].leaves = isatty(STDIN_FILENO);
	return err;
}

bool streams_left_by_key(const struct streams *s)
{
	return s->attached && s->console && s->relay[0].left;
}

int streams_begin(struct streams *s, struct fault *f)
{
	for (size_t i = 0; i < ARRAY_LEN(s->theirs); i++)
		base_close(&s->theirs[i]);
	base_close(&s->console_theirs);
	if (!s->console || (s->attached && !isatty(STDIN_FILENO)))
		return 0;
	return terminal_raw(&s->terminal, STDIN_FILENO, f);
}

void streams_stop_input(struct streams *s)
{
	for (uint32_t i = 0; i < s->relay_count; i++)
		if (s->relay[i].from == STDIN_FILENO)
			relay_init(&s->relay[i], -1, -1);
}

bool streams_done(const struct streams *s)
{
	for (uint32_t i = 0; i < s->relay_count; i++)
		if (!relay_ended(&s->relay[i]))
			return false;
	return true;
}

bool streams_left(const struct streams *s)
{
	for (uint32_t i = 0; i < s->relay_count; i++) {
		const struct relay *r = &s->relay[i];
		struct pollfd p = {.fd = r->from, .events = POLLIN};

		if (relay_ended(r))
			continue;
		if (r->size > 0 || r->from == s->console_fd ||
		    poll(&p, 1, 0) > 0)
			return true;
	}
	return false;
}

void streams_close(struct streams *s)
{
	terminal_restore(&s->terminal);
	for (size_t i = 0; i < ARRAY_LEN(s->theirs); i++)
		base_close(&s->theirs[i]);
	for (size_t i = 0; i < ARRAY_LEN(s->ours); i++)
		base_close(&s->ours[i]);
	base_close(&s->console_fd);
	base_close(&s->console_theirs);
	streams_init(s);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento prompt`: a terminal on which the user answers what the policy asks
 * (manager/prompts_terminal.h).
 *
 * What was typed before a question was shown does not answer it: a qube must
 * not get an answer that was meant for another's question.
 *
 * A passphrase is not shown while it is typed.  So that the terminal is as before
 * whatever ends us, signals that would are taken from a descriptor.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>

#include "base/rights.h"
#include "cli/query.h"
#include "cli/verbs.h"
#include "policy/policy_question.h"

#define MESSAGE_ROOM 64u
#define LINE_ROOM    (POLICY_QUESTION_LINE + 2) /* and one too many */
#define QUESTION_MAX ((size_t)4 << 20)

struct prompt_options {
	bool once;
};

static const struct option_row rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct prompt_options, __VA_ARGS__)
#include "cli/prompt.def"
};

struct prompt {
	int manager;
	struct policy_question *question; /* NULL: none is open */
	char number[MESSAGE_ROOM];        /* of the question */
	char line[LINE_ROOM];             /* what is typed */
	char said[MESSAGE_ROOM + POLICY_QUESTION_ANSWER];
	size_t size;
	bool answered;
	bool hidden;           /* what is typed is not shown */
	struct termios before; /* the terminal, if so */
	struct fault *fault;
};

/* Reads a file from its start to its end. */
static int read_file(int fd, struct buffer *to)
{
	ssize_t n = 1;

	while (n > 0 && to->size <= QUESTION_MAX) {
		uint8_t *room = buffer_reserve(to, 4096);

		if (!room)
			return -ENOMEM;
		n = pread(fd, room, 4096, (off_t)to->size);
		if (n < 0)
			return -errno;
		to->size += (size_t)n;
	}
	return n > 0 ? -EFBIG : 0;
}

/* What is typed is shown, or not; nothing of this where it is no terminal. */
static void hide(struct prompt *p, bool hidden)
{
	struct termios quiet;

	if (hidden == p->hidden ||
	    (hidden && tcgetattr(STDIN_FILENO, &p->before) < 0))
		return;
	quiet = p->before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	quiet.c_cc[VSUSP] = _POSIX_VDISABLE; /* a shell would show it again */
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, hidden ? &quiet : &p->before);
	p->hidden = hidden;
}

static void forget(struct prompt *p)
{
	hide(p, false);
	explicit_bzero(p->line, sizeof(p->line));
	p->size = 0;
	policy_question_free(p->question);
	p->question = NULL;
}

static int show(struct prompt *p, int file)
{
	autobuffer struct buffer json = {0};
	autobuffer struct buffer text = {0};
	int err = read_file(file, &json);

	if (err < 0)
		return fault_set(p->fault, err, "read the question: %s",
		                 strerror(-err));
	forget(p);
	err = policy_question_read(buffer_span(&json), &p->question, p->fault);
	if (err < 0)
		return err;
	policy_question_show(p->question, &text);
	if (text.bad)
		return fault_set(p->fault, -ENOMEM, "out of memory");
	(void)tcflush(STDIN_FILENO, TCIFLUSH);
	hide(p, policy_question_is_secret(p->question));
	(void)fwrite(text.at, 1, text.size, stdout);
	return 0;
}

/* 1: go on; 0: the manager has ended; or a negative errno. */
static int manager_says(struct prompt *p)
{
	char text[MESSAGE_ROOM];
	autoclose int file = -1;
	struct rights_got got;
	ssize_t n = rights_receive(p->manager, text, sizeof(text) - 1, &file, 1,
	                           &got, 0);
	int err;

	if (n <= 0)
		return n == -EINTR ? 1 : 0;
	text[n] = 0;
	if (strncmp(text, "ask ", 4) == 0 && file >= 0) {
		memcpy(p->number, text + 4, strlen(text + 4) + 1);
		err = show(p, file);
		return err < 0 ? err : 1;
	}
	if (p->question && strncmp(text, "withdraw ", 9) == 0 &&
	    strcmp(text + 9, p->number) == 0) {
		forget(p);
		(void)puts("\nNobody waits for the answer any more.");
	}
	return 1;
}

static int answer(struct prompt *p)
{
	bool secret, denied;
	char *choice;
	int err;

	if (!p->question)
		return 0;
	secret = policy_question_is_secret(p->question);
	choice = p->said + snprintf(p->said, sizeof(p->said), "%s ", p->number);
	policy_question_answer(p->question, span_str(p->line), choice);
	denied = strcmp(choice, "deny") == 0;
	forget(p);
	err = send(p->manager, p->said, strlen(p->said), MSG_NOSIGNAL) < 0
	              ? fault_errno(p->fault, "give the answer")
	              : 0;
	explicit_bzero(p->said, sizeof(p->said));
	if (err < 0)
		return err;
	(void)printf("%s%s\n", secret ? "\n" : "",
	             denied   ? "Denied."
	             : secret ? "Given."
	                      : "Allowed.");
	p->answered = true;
	return 0;
}

/* 1: go on; 0: the end of what is typed; or a negative errno. */
static int user_types(struct prompt *p)
{
	char c;
	ssize_t n = read(STDIN_FILENO, &c, 1);
	int err;

	if (n <= 0)
		return n < 0 && errno == EINTR ? 1 : 0;
	if (c != '\n') {
		/* Too long for an answer: stays too long. */
		if (p->size < sizeof(p->line) - 1)
			p->line[p->size++] = c;
		return 1;
	}
	p->line[p->size] = 0;
	err = answer(p);
	p->size = 0;
	return err < 0 ? err : 1;
}

/* A descriptor for what would end us.  The caller owns it. */
static int catch_signals(sigset_t *before)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGQUIT);
	(void)sigprocmask(SIG_BLOCK, &set, before);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int serve(struct prompt *p, int signals, bool once)
{
	struct pollfd at[] = {
		{.fd = p->manager, .events = POLLIN},
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = signals, .events = POLLIN},
	};
	int more = 1;

	while (more > 0 && !(once && p->answered)) {
		(void)fflush(stdout);
		if (poll(at, ARRAY_LEN(at), -1) < 0 && errno != EINTR)
			return fault_errno(p->fault, "wait");
		if (at[2].revents)
			more = 0;
		else if (at[0].revents)
			more = manager_says(p);
		else if (at[1].revents)
			more = user_types(p);
	}
	return MIN(more, 0);
}

static int go(void *options, struct frame_call *c)
{
	const struct prompt_options *o = options;
	autofree struct prompt *p = calloc(1, sizeof(*p));
	autoquery struct query q = QUERY_NONE;
	autoclose int signals = -1;
	sigset_t before;
	int err = query_init(&q, c);

	if (!p)
		return fault_set(c->fault, -ENOMEM, "out of memory");
	if (err == 0)
		err = query(&q, "bento.Prompt", NULL, NULL, c->fault);
	if (err < 0)
		return err;
	p->fault = c->fault;
	p->manager = q.answer.fd;
	frame_say(c, "questions of qubes appear here; Ctrl-C ends");
	(void)mlock(p, sizeof(*p));
	signals = catch_signals(&before);
	err = signals < 0 ? fault_errno(p->fault, "wait for signals")
	                  : serve(p, signals, o->once);
	forget(p);
	/* One that was caught now does what it does. */
	(void)fflush(stdout);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return err;
}

int verb_prompt(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct prompt_options),
		.min = 0,
		.max = 0,
		.go = go,
	};

	return frame_run(&frame, argv);
}

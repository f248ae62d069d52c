/* SPDX-License-Identifier: Apache-2.0 */
#include "supervise/attend.h"

#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "channel/control.h"
#include "supervise/childmaps.h"

/* Signals that concern us.  `passed` ones go on to the program. */
static const struct {
	int number;
	bool passed;
} signals[] = {
	{SIGINT, true},    {SIGTERM, true},  {SIGHUP, true},  {SIGQUIT, true},
	{SIGUSR1, true},   {SIGUSR2, true},  {SIGTSTP, true}, {SIGCONT, true},
	{SIGWINCH, false}, {SIGCHLD, false},
};

struct attendance {
	int control;  /* borrowed; -1: the kernel has gone */
	pid_t kernel; /* -1: not our child */
	struct streams *streams;
	int signal_fd;
	int status; /* exit status once it is known, else -1 */
	int how;    /* its wait status then */
	bool left;  /* without waiting for its end */
	struct fault *fault;
};

int attend_signals(int *signal_fd, struct fault *f)
{
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		(void)sigaddset(&set, signals[i].number);
	(void)signal(SIGPIPE, SIG_IGN);
	/* Inherited as ignored it would keep us from waiting. */
	(void)signal(SIGCHLD, SIG_DFL);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return fault_errno(f, "block signals");
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return fault_errno(f, "take signals");
	*signal_fd = fd;
	return 0;
}

static void tell(struct attendance *a, uint32_t kind, uint32_t v0, uint32_t v1)
{
	struct control c = {.kind = kind, .value = {ATTEND_ID, v0, v1}};

	/* That it has gone is heard of by reading. */
	if (control_send(a->control, &c, NULL, 0) < 0)
		return;
}

static void tell_window(struct attendance *a)
{
	uint16_t rows, columns;

	if (!a->streams->console)
		return;
	terminal_size(STDOUT_FILENO, &rows, &columns);
	tell(a, CONTROL_window, rows, columns);
}

/* Stops with our job, as the shell asked, until it continues us. */
static void stop_here(struct attendance *a)
{
	if (a->streams->console)
		terminal_restore(&a->streams->terminal);
	(void)raise(SIGSTOP);
}

/* The shell has used the terminal meanwhile. */
static void go_on(struct attendance *a)
{
	if (!a->streams->console)
		return;
	terminal_again(&a->streams->terminal);
	tell_window(a);
}

static bool passes(int number)
{
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (signals[i].number == number)
			return signals[i].passed;
	return false;
}

static void take_signals(struct attendance *a)
{
	struct signalfd_siginfo info;

	while (read(a->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		int number = (int)info.ssi_signo;

		if (a->streams->attached &&
		    (number == SIGHUP || number == SIGTERM)) {
			a->left = true;
			continue;
		}
		/* A terminal's own Ctrl-Z and so on are the qube's business. */
		if (passes(number) &&
		    !(a->streams->console &&
		      (number == SIGTSTP || number == SIGCONT)))
			tell(a, CONTROL_signal, (uint32_t)number, 0);
		if (number == SIGTSTP)
			stop_here(a);
		if (number == SIGCONT)
			go_on(a);
		if (number == SIGWINCH)
			tell_window(a);
	}
}

static int exit_status(uint64_t status)
{
	int how = (int)(status & 0xffff);

	if (WIFSIGNALED(how))
		return 128 + WTERMSIG(how);
	return WEXITSTATUS(how);
}

static void failed(struct attendance *a, const struct control *c)
{
	bool known = c->value[1] == ATTEND_NOT_EXECUTABLE ||
	             c->value[1] == ATTEND_NOT_FOUND;

	a->status = known ? (int)c->value[1] : ATTEND_OURS;
	(void)snprintf(a->fault->text, sizeof(a->fault->text), "%s", c->text);
}

static void taken(struct attendance *a)
{
	(void)!fault_set(a->fault, -EBUSY,
	                 "the program is on another terminal now");
	a->status = ATTEND_OURS;
}

/* It wants a file of a cell's opened. */
static void open_for(struct attendance *a, const struct control *c,
                     struct control_fds *fds)
{
	struct control answer = {.kind = CONTROL_opened};
	autoclose int pidfd = control_take(fds, 0);
	autoclose int opened = -1;

	opened = childmaps_open(a->kernel, pidfd,
	                        c->kind == CONTROL_maps ? "maps" : "statm");
	answer.value[0] = c->value[0];
	answer.value[1] = opened < 0 ? (uint64_t)-opened : 0;
	/* It may have gone since, and have said why after this. */
	(void)!control_send_raised(a->control, &answer, &opened, opened >= 0);
}

/* What the kernel says.  False when it says no more. */
static bool take_message(struct attendance *a)
{
	struct control_fds fds;
	struct control c;
	int got;

	got = control_receive(a->control, CONTROL_KERNEL, &c, &fds);
	if (got == -EAGAIN)
		return true;
	if (got <= 0)
		return false;
	if (c.kind == CONTROL_exited && a->status < 0)
		a->status = exit_status(c.value[1]);
	else if (c.kind == CONTROL_failed && a->status < 0)
		failed(a, &c);
	else if (c.kind == CONTROL_taken && a->status < 0)
		taken(a);
	else if ((c.kind == CONTROL_maps || c.kind == CONTROL_statm) &&
	         a->kernel > 0)
		open_for(a, &c, &fds);
	control_close(&fds);
	return true;
}

/* Input that has ended ends for the program, too. */
static void pass_ends(struct streams *s)
{
	for (uint32_t i = 0; i < s->relay_count; i++) {
		struct relay *r = &s->relay[i];

		if (!relay_ended(r) || r->to < 0)
			continue;
		/* One that is merely shown to us is not ended by our end. */
		if (r->to == s->console_fd && !s->attached)
			(void)shutdown(s->console_fd, SHUT_WR);
		else if (r->to == s->ours[STDIN_FILENO])
			base_close(&s->ours[STDIN_FILENO]);
		r->to = -1;
	}
}

/* The other way: who takes no output gets none, and the program SIGPIPE. */
static void pass_refusals(struct streams *s)
{
	for (uint32_t i = 0; i < s->relay_count; i++) {
		struct relay *r = &s->relay[i];

		for (int fd = STDOUT_FILENO; fd <= STREAMS_TELL; fd++) {
			if (r->to >= 0 || r->from < 0 || r->from != s->ours[fd])
				continue;
			close(s->ours[fd]);
			s->ours[fd] = -1;
			r->from = -1;
		}
	}
}

enum { AT_SIGNAL, AT_CONTROL, AT_RELAY, AT_COUNT = 2 + 2 * STREAMS_RELAYS };

/* One round.  False when the kernel has nothing more to say. */
static bool attend_once(struct attendance *a, int timeout_ms)
{
	struct streams *s = a->streams;
	struct pollfd p[AT_COUNT] = {
		[AT_SIGNAL] = {.fd = a->signal_fd, .events = POLLIN},
		[AT_CONTROL] = {.fd = a->control, .events = POLLIN},
	};

	for (uint32_t i = 0; i < s->relay_count; i++)
		relay_want(&s->relay[i], &p[AT_RELAY + 2 * i]);
	if (poll(p, 2 + 2 * s->relay_count, timeout_ms) < 0)
		return true;
	/*
	 * Always, and before the bytes: what was typed after the terminal had
	 * changed its size is not to arrive before the new size does.
	 */
	take_signals(a);
	for (uint32_t i = 0; i < s->relay_count; i++)
		relay_move(&s->relay[i], &p[AT_RELAY + 2 * i]);
	pass_ends(s);
	pass_refusals(s);
	if (p[AT_CONTROL].revents && !take_message(a)) {
		a->control = -1;
		return false;
	}
	return true;
}

/* A dying kernel's last words, made harmless for a terminal. */
static void last_words(int say)
{
	char text[2048];
	ssize_t n = read(say, text, sizeof(text));

	for (ssize_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < ' ' && c != '\n') || c >= 127)
			text[i] = '?';
	}
	if (n > 0)
		(void)fprintf(stderr, "bento-kernel: %.*s%s", (int)n, text,
		              text[n - 1] == '\n' ? "" : "\n");
}

/* The kernel ended without a word. */
static int died(int how, struct fault *f)
{
	if (!WIFSIGNALED(how))
		return fault_set(f, -EIO,
		                 "the kernel ended by itself (status %d)",
		                 WEXITSTATUS(how));
	if (WTERMSIG(how) == SIGSYS)
		return fault_set(f, -EIO,
		                 "the kernel made a forbidden host call and "
		                 "was killed");
	return fault_set(f, -EIO, "the kernel was killed by signal %d",
	                 WTERMSIG(how));
}

int attend_qube(struct started *k, struct streams *s, int signal_fd,
                struct fault *f)
{
	struct attendance a = {
		.control = k->control,
		.kernel = k->pid,
		.streams = s,
		.signal_fd = signal_fd,
		.status = -1,
		.fault = f,
	};

	while (attend_once(&a, -1))
		;
	base_close(&k->control);
	a.how = start_reap(k->pid);
	cgroup_end(&k->cgroup);
	/* All its ends are closed now: what is left is in the pipes. */
	streams_stop_input(s);
	while (!streams_done(s))
		(void)attend_once(&a, -1);
	streams_close(s);
	if (a.status < 0 && died(a.how, f) < 0)
		a.status = ATTEND_OURS;
	last_words(k->say);
	base_close(&k->say);
	return a.status;
}

int attend_program(int control, struct streams *s, int signal_fd,
                   struct fault *f)
{
	struct attendance a = {
		.control = control,
		.kernel = -1,
		.streams = s,
		.signal_fd = signal_fd,
		.status = -1,
		.fault = f,
	};

	while (a.status < 0 && !a.left && attend_once(&a, -1))
		a.left |= streams_left_by_key(s);
	if (a.left && a.status < 0) {
		streams_close(s);
		return ATTEND_LEFT;
	}
	a.control = -1;
	/* Others may hold its pipes still: only what is there is carried. */
	streams_stop_input(s);
	while (streams_left(s))
		(void)attend_once(&a, -1);
	streams_close(s);
	if (a.status < 0 && fault_set(f, -EIO, "the qube has ended") < 0)
		a.status = ATTEND_OURS;
	return a.status;
}

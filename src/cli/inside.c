/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/inside.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "channel/control.h"
#include "supervise/attend.h"
#include "supervise/order.h"

/*
 * How a program survives us: the hang-up that comes when our connection ends is
 * ignored from before we go, which the shell tells by closing its output.
 */
static const char detach[] =
	"trap '' HUP; exec \"$@\" </dev/null >/dev/null 2>&1";

/*
 * A control socket of the qube's kernel, or a negative errno.  The answer's
 * text is the qube's default_user.
 */
static int connect_to(const struct inside *i, struct query *a, struct fault *f)
{
	const struct client_call call = {
		.method = "bento.Connect",
		.target = i->qube,
		.payload = span_str(i->start ? "start" : ""),
	};
	int err;

	a->doing = i->start ? "starting" : NULL;
	err = query_with(a, &call, f);
	if (err < 0)
		return err;
	if (a->answer.fd < 0)
		return fault_set(f, -EPROTO,
		                 "the manager gave no connection to %s",
		                 i->qube);
	return take_fd(&a->answer.fd);
}

static int pack(const struct inside *i, char *const command[], struct job *j,
                struct fault *f)
{
	uint32_t count = 0;
	int err;

	while (command[count])
		count++;
	err = environment_pack(command, count, &j->args);
	if (err == 0)
		err = environment_pack(i->env->entry, i->env->count, &j->env);
	return err < 0 ? fault_set(f, err, "out of memory") : 0;
}

static uint32_t streams_flags(const struct inside *i)
{
	bool plain = i->how & INSIDE_PLAIN || !isatty(STDIN_FILENO) ||
	             !isatty(STDOUT_FILENO);

	return (i->how & INSIDE_PLAIN ? STREAMS_PLAIN : 0) |
	       (i->how & INSIDE_VISIBLE ||
	                        (plain && i->how & INSIDE_VISIBLE_IF_PLAIN)
	                ? STREAMS_VISIBLE
	                : 0);
}

static int attached(const struct inside *i, int control, struct job *j,
                    struct fault *f)
{
	autofree struct streams *s = calloc(1, sizeof(*s));
	autoclose int signal_fd = -1;
	int err = s ? pack(i, i->command, j, f)
	            : fault_set(f, -ENOMEM, "out of memory");

	if (err == 0)
		err = attend_signals(&signal_fd, f);
	if (err == 0)
		err = streams_open(s, j, streams_flags(i), f);
	if (err < 0)
		return ATTEND_OURS;
	err = order_run(control, ATTEND_ID, j, s, f);
	if (err == 0)
		err = streams_begin(s, f);
	if (err == 0)
		return attend_program(control, s, signal_fd, f);
	streams_close(s);
	return ATTEND_OURS;
}

/* Was it started?  The kernel has said so by now. */
static int judge(int control, struct fault *f)
{
	struct pollfd p = {.fd = control, .events = POLLIN};
	struct control_fds fds = {.count = 0};
	struct control c;
	int got;

	(void)poll(&p, 1, -1);
	got = control_receive(control, CONTROL_KERNEL, &c, &fds);
	control_close(&fds);
	if (got == 1 && c.kind == CONTROL_started)
		return EXIT_SUCCESS;
	if (got == 1 && c.kind == CONTROL_failed)
		(void)!fault_set(f, -ENOENT, "%s", c.text);
	else
		(void)!fault_set(f, -EIO, "the qube has ended");
	return ATTEND_OURS;
}

static int detached(const struct inside *i, int control, struct job *j,
                    struct fault *f)
{
	char *shell[] = {(char *)(uintptr_t) "/bin/sh",
	                 (char *)(uintptr_t) "-c", (char *)(uintptr_t)detach,
	                 (char *)(uintptr_t) "sh"};
	autofree struct streams *s = calloc(1, sizeof(*s));
	autofree char **all = NULL;
	autoclose int ours = -1;
	autoclose int theirs = -1;
	uint32_t count = 0;
	int ends[2], err;
	char byte;

	while (i->command[count])
		count++;
	all = calloc(ARRAY_LEN(shell) + count + 1, sizeof(*all));
	if ((!all || !s) && fault_set(f, -ENOMEM, "out of memory") < 0)
		return ATTEND_OURS;
	memcpy(all, shell, sizeof(shell));
	memcpy(all + ARRAY_LEN(shell), i->command, count * sizeof(*all));
	err = pack(i, all, j, f);
	if (err == 0 && pipe2(ends, O_CLOEXEC) < 0)
		err = fault_errno(f, "make a pipe");
	if (err < 0)
		return ATTEND_OURS;
	ours = ends[0];
	theirs = ends[1];
	j->stream[STDOUT_FILENO] = JOB_DESCRIPTOR;
	s->theirs[STDOUT_FILENO] = theirs;
	if (order_run(control, ATTEND_ID, j, s, f) < 0)
		return ATTEND_OURS;
	close(take_fd(&theirs));
	while (read(ours, &byte, 1) > 0 || errno == EINTR)
		errno = 0;
	return judge(control, f);
}

int inside_run(const struct inside *i, struct query *a, struct fault *f)
{
	struct job j = {
		.cwd = span_str(i->cwd),
	};
	autoclose int control = connect_to(i, a, f);
	int status = ATTEND_OURS;

	if (control < 0)
		return status;
	j.user = span_str(i->user ? i->user : query_text(a));
	status = i->how & INSIDE_DETACHED ? detached(i, control, &j, f)
	                                  : attached(i, control, &j, f);
	free((void *)(uintptr_t)j.args.packed.at);
	free((void *)(uintptr_t)j.env.packed.at);
	return status;
}

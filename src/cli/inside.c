/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/inside.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "supervise/attend.h"
#include "supervise/order.h"

int inside_connect(const char *qube, bool start, struct query *a,
                   struct fault *f)
{
	const struct client_call call = {
		.method = "bento.Connect",
		.target = qube,
		.payload = span_str(start ? "start" : ""),
	};
	int err;

	a->doing = start ? "starting" : NULL;
	err = query_with(a, &call, f);
	if (err < 0)
		return err;
	if (a->answer.fd < 0)
		return fault_set(f, -EPROTO,
		                 "the manager gave no connection to %s", qube);
	return take_fd(&a->answer.fd);
}

/* The kernel's next message, waited for; 0 or a negative errno. */
static int hear(int control, struct control *out, struct fault *f)
{
	struct pollfd p = {.fd = control, .events = POLLIN};
	struct control_fds fds = {.count = 0};
	int got;

	do {
		(void)poll(&p, 1, -1);
		got = control_receive(control, CONTROL_KERNEL, out, &fds);
	} while (got == -EAGAIN);
	control_close(&fds);
	return got == 1 ? 0 : fault_set(f, -EIO, "the qube has ended");
}

int inside_next(int control, uint64_t after, struct control *out,
                struct fault *f)
{
	const struct control c = {.kind = CONTROL_list, .value = {0, after}};
	int err = control_send(control, &c, NULL, 0);

	if (err < 0)
		return fault_set(f, err, "ask the kernel: %s", strerror(-err));
	err = hear(control, out, f);
	if (err == 0 && (out->kind != CONTROL_listed ||
	                 (out->value[1] && out->value[1] <= after)))
		return fault_set(f, -EPROTO, "the kernel gave no answer");
	return err;
}

static int pack(const struct inside *i, struct job *j, struct fault *f)
{
	uint32_t count = 0;
	int err;

	while (i->command[count])
		count++;
	err = environment_pack(i->command, count, &j->args);
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
	int err = s ? pack(i, j, f) : fault_set(f, -ENOMEM, "out of memory");

	if (err == 0)
		err = attend_signals(&signal_fd, f);
	if (err == 0)
		err = streams_open(s, j, streams_flags(i), f);
	if (err < 0)
		return ATTEND_OURS;
	err = order_run(control, &(struct order){.id = ATTEND_ID, .job = j}, s,
	                f);
	if (err == 0)
		err = streams_begin(s, f);
	if (err == 0)
		return attend_program(control, s, signal_fd, f);
	streams_close(s);
	return ATTEND_OURS;
}

/* Was it started? */
static int judge(const struct inside *i, int control, struct fault *f)
{
	struct control c;

	if (hear(control, &c, f) < 0)
		return ATTEND_OURS;
	if (c.kind == CONTROL_started) {
		if (i->how & INSIDE_ASIDE)
			(void)printf("%llu\n", (unsigned long long)c.value[1]);
		return EXIT_SUCCESS;
	}
	(void)!fault_set(f, -ENOENT, "%s", c.text);
	return c.kind == CONTROL_failed ? (int)(c.value[1] & 127) : ATTEND_OURS;
}

/* Nothing; or a terminal whose far end we are about to close. */
static int make_streams(const struct inside *i, struct streams *s,
                        struct job *j, struct fault *f)
{
	bool aside = i->how & INSIDE_ASIDE;
	int err;

	if (aside) {
		err = streams_attach(s, true, &j->rows, &j->columns, f);
		if (err < 0)
			return err;
	}
	for (int fd = 0; fd < 3; fd++) {
		j->stream[fd] = aside ? JOB_TERMINAL : JOB_DESCRIPTOR;
		s->theirs[fd] = aside ? -1
		                      : open("/dev/null", O_RDWR | O_CLOEXEC);
		if (!aside && s->theirs[fd] < 0)
			return fault_errno(f, "open /dev/null");
	}
	return 0;
}

static int detached(const struct inside *i, int control, struct job *j,
                    struct fault *f)
{
	autofree struct streams *s = calloc(1, sizeof(*s));
	const struct order o = {
		.id = ATTEND_ID,
		.job = j,
		.flags = CONTROL_RUN_STAYS,
	};
	int err;

	if (!s) {
		(void)!fault_set(f, -ENOMEM, "out of memory");
		return ATTEND_OURS;
	}
	streams_init(s);
	err = pack(i, j, f);
	if (err == 0)
		err = make_streams(i, s, j, f);
	if (err == 0)
		err = order_run(control, &o, s, f);
	streams_close(s);
	return err < 0 ? ATTEND_OURS : judge(i, control, f);
}

int inside_run(const struct inside *i, struct query *a, struct fault *f)
{
	struct job j = {
		.cwd = span_str(i->cwd),
	};
	autoclose int control = inside_connect(i->qube, i->start, a, f);
	int status = ATTEND_OURS;

	if (control < 0)
		return status;
	j.user = span_str(i->user ? i->user : query_text(a));
	status = i->how & (INSIDE_DETACHED | INSIDE_ASIDE)
	                 ? detached(i, control, &j, f)
	                 : attached(i, control, &j, f);
	free((void *)(uintptr_t)j.args.packed.at);
	free((void *)(uintptr_t)j.env.packed.at);
	return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento attach`: be where a program is that was started in a qube before.
 */
#include "cli/inside.h"
#include "cli/verbs.h"
#include "supervise/attend.h"
#include "supervise/order.h"

/* Has the program a terminal?  1, 0, or a negative errno. */
static int has_terminal(int control, uint32_t pid, struct fault *f)
{
	struct control c;
	int err = inside_next(control, pid - 1, &c, f);

	if (err < 0)
		return err;
	if (c.value[1] != pid)
		return fault_set(f, -ESRCH, "no program has the number %u",
		                 pid);
	return (c.value[2] & CONTROL_LISTED_TERMINAL) != 0;
}

static int attach(int control, uint32_t pid, struct fault *f)
{
	autofree struct streams *s = calloc(1, sizeof(*s));
	autoclose int signal_fd = -1;
	struct order o = {.id = ATTEND_ID, .pid = pid};
	int terminal = has_terminal(control, pid, f);
	int err = terminal < 0 ? terminal : attend_signals(&signal_fd, f);

	if (!s)
		err = fault_set(f, -ENOMEM, "out of memory");
	if (err == 0)
		err = streams_attach(s, terminal, &o.rows, &o.columns, f);
	if (err < 0)
		return ATTEND_OURS;
	err = order_attach(control, &o, s, f);
	if (err == 0)
		err = streams_begin(s, f);
	if (err == 0)
		return attend_program(control, s, signal_fd, f);
	streams_close(s);
	return ATTEND_OURS;
}

static int go(void *options, struct frame_call *c)
{
	autoquery struct query q = QUERY_NONE;
	autoclose int control = -1;
	uint32_t pid;
	int err = options_number(c->words[1], INT32_MAX, &pid, c->fault);

	(void)options;
	if (err < 0)
		return frame_usage(c,
		                   "\"%s\" is no number: bento ps %s lists "
		                   "them",
		                   c->words[1], c->words[0]);
	if (query_init(&q, c) < 0)
		return ATTEND_OURS;
	control = inside_connect(c->words[0], false, &q, c->fault);
	err = control < 0 ? ATTEND_OURS : attach(control, pid, c->fault);
	if (c->fault->text[0])
		frame_warn(c, "%s", c->fault->text);
	if (err != ATTEND_LEFT)
		return err;
	frame_say(c, "%u goes on: bento attach %s %u", pid, c->words[0], pid);
	return EXIT_SUCCESS;
}

int verb_attach(char *const argv[])
{
	static const struct frame frame = {
		.min = 2,
		.max = 2,
		.go = go,
	};

	streams_reserve();
	return frame_run(&frame, argv);
}

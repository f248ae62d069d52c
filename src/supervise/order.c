/* SPDX-License-Identifier: Apache-2.0 */
#include "supervise/order.h"

#include <string.h>

#include "base/memfile.h"
#include "channel/control.h"

int order_file(const char *name, const void *bytes, size_t size,
               struct fault *f)
{
	int fd = memfile_make(name, (struct span){bytes, size});

	if (fd < 0)
		return fault_set(f, fd, "make a memory file: %s",
		                 strerror(-fd));
	return fd;
}

static int ask(int control, const struct order *o, const struct control *c,
               const int *fds, uint32_t count)
{
	return o->confined ? control_send(control, c, fds, count)
	                   : control_send_raised(control, c, fds, count);
}

int order_attach(int control, const struct order *o, const struct streams *s,
                 struct fault *f)
{
	struct control c = {
		.kind = CONTROL_attach,
		.value = {o->id, o->pid, o->rows, o->columns},
	};
	int err = ask(control, o, &c, &s->console_theirs, s->console);

	if (err < 0)
		return fault_set(f, err, "ask the kernel for it: %s",
		                 strerror(-err));
	return 0;
}

int order_run(int control, const struct order *o, const struct streams *s,
              struct fault *f)
{
	struct control c = {
		.kind = CONTROL_run,
		.value = {o->id, o->flags},
	};
	const struct job *j = o->job;
	autofree uint8_t *bytes = NULL;
	autoclose int record = -1;
	int fd[CONTROL_FDS_MAX];
	uint32_t count = 0;
	size_t size;
	int err;

	err = job_format(j, &bytes, &size);
	if (err < 0)
		return fault_set(f, err, "the command line is too long or odd");
	record = order_file("bento-job", bytes, size, f);
	if (record < 0)
		return record;
	fd[count++] = record;
	for (size_t i = 0; i < ARRAY_LEN(j->stream); i++)
		if (j->stream[i] == JOB_DESCRIPTOR)
			fd[count++] = s->theirs[i];
	if (s->console)
		fd[count++] = s->console_theirs;
	err = ask(control, o, &c, fd, count);
	if (err < 0)
		return fault_set(f, err, "ask the kernel to run it: %s",
		                 strerror(-err));
	return 0;
}

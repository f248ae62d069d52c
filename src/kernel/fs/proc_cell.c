/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/proc_cell.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/core/limits.h"
#include "kernel/fs/proc_process.h"
#include "kernel/owner.h"
#include "kernel/task/cells.h"

#pragma weak owner_ask_maps /* nobody to ask in unit tests */
#pragma weak owner_ask_statm
#pragma weak owner_forget

/* A task's question; it goes with the call. */
struct job {
	struct owner_request request;
	struct kernel *kernel;
	struct task *task;
	int32_t pid;
	enum proc_cell_file file;
	int fd;
	bool done;
};

static void drop(struct task *t)
{
	struct job *j = t->job;

	t->job = NULL;
	if (!j->done)
		owner_forget(&j->request);
	base_close(&j->fd);
	limits_free(j->kernel, j, sizeof(*j));
}

static void answered(struct owner_request *r, int fd)
{
	struct job *j = container_of(r, struct job, request);

	j->fd = fd;
	j->done = true;
	task_wake(j->task);
}

static struct cell *cell_of(const struct pseudo_ctx *c)
{
	const struct process *p = proc_process_of(c);

	if (!p)
		return NULL;
	list_for_each (at, &p->tasks) {
		struct task *t = list_entry(at, struct task, in_process);

		if (t->cell && t->cell->host_pid > 0)
			return t->cell;
	}
	return NULL;
}

static long ask(const struct pseudo_ctx *c, enum proc_cell_file file)
{
	struct cell *cell = cell_of(c);
	autoclose int pidfd = -1;
	struct job *j;
	int err;

	if (!cell || !owner_ask_maps)
		return -ENOENT;
	if (c->task->job && c->task->job_drop)
		c->task->job_drop(c->task);
	pidfd = (int)syscall(SYS_pidfd_open, cell->host_pid, 0);
	j = pidfd < 0 ? NULL : limits_alloc(c->kernel, sizeof(*j));
	if (!j)
		return pidfd < 0 ? -ENOENT : -ENOMEM;
	list_init(&j->request.link);
	j->request.answered = answered;
	j->kernel = c->kernel;
	j->task = c->task;
	j->pid = c->pid;
	j->file = file;
	j->fd = -1;
	err = file == PROC_CELL_MAPS
	              ? owner_ask_maps(c->kernel, pidfd, &j->request)
	              : owner_ask_statm(c->kernel, pidfd, &j->request);
	if (err < 0) {
		limits_free(c->kernel, j, sizeof(*j));
		return -ENOENT;
	}
	c->task->job = j;
	c->task->job_drop = drop;
	return task_sleep_deep(c->task);
}

long proc_cell_read(const struct pseudo_ctx *c, enum proc_cell_file file,
                    struct text *out)
{
	struct task *t = c->task;
	struct job *j = t ? t->job : NULL;
	char part[2048];
	ssize_t n;

	if (!t)
		return -ENOENT;
	if (!j || t->job_drop != drop || j->pid != c->pid || j->file != file)
		return ask(c, file);
	if (!j->done)
		return task_sleep_deep(t);
	if (j->fd < 0)
		return -ENOENT;
	if (lseek(j->fd, 0, SEEK_SET) < 0)
		return -ENOENT;
	while ((n = read(j->fd, part, sizeof(part))) > 0)
		text_add_bytes(out, part, (size_t)n);
	return 0;
}

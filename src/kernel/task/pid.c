/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/pid.h"

int pid_create(struct pids **out)
{
	struct pids *ps = calloc(1, sizeof(*ps));

	if (!ps)
		return -ENOMEM;
	/* Untouched pages of it cost nothing. */
	ps->entry = calloc(PID_MAX, sizeof(*ps->entry));
	if (!ps->entry) {
		free(ps);
		return -ENOMEM;
	}
	*out = ps;
	return 0;
}

void pid_destroy(struct pids *ps)
{
	if (!ps)
		return;
	free(ps->entry);
	free(ps);
}

static bool is_free(const struct pid_entry *e)
{
	return !e->task && !e->process && !e->pgrp && !e->session;
}

int32_t pid_next(struct pids *ps)
{
	int32_t id = ps->last;

	for (int32_t tries = 0; tries < PID_MAX; tries++) {
		if (++id >= PID_MAX)
			id = PID_AGAIN;
		if (is_free(&ps->entry[id])) {
			ps->last = id;
			ps->top = MAX(ps->top, id);
			return id;
		}
	}
	return -EAGAIN;
}

struct pid_entry *pid_entry(const struct kernel *k, int32_t id)
{
	if (!k->pids || id <= 0 || id >= PID_MAX)
		return NULL;
	return &k->pids->entry[id];
}

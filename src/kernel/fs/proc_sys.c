/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/proc_sys.h"

#include <string.h>

#include "kernel/fs/world.h"
#include "kernel/task/cred.h"
#include "kernel/task/pid.h"

#define NAME_ROOM 64u

long proc_sys_file_nr(const struct pseudo_ctx *c, struct text *out)
{
	(void)c;
	text_add(out, "1024\t0\t1048576\n");
	return 0;
}

static long set_name(const struct pseudo_ctx *c, struct span text, char to[65])
{
	if (c->task && !cred_capable(c->task->cred, CRED_CAP_SYS_ADMIN))
		return -EPERM;
	if (text.size > 0 && text.at[text.size - 1] == '\n')
		text.size--;
	if (text.size > NAME_ROOM)
		return -EINVAL;
	memset(to, 0, NAME_ROOM + 1);
	memcpy(to, text.at, text.size);
	return 0;
}

long proc_sys_hostname(const struct pseudo_ctx *c, struct text *out)
{
	text_add(out, "%s\n", c->kernel->hostname);
	return 0;
}

long proc_sys_set_hostname(const struct pseudo_ctx *c, struct span text)
{
	return set_name(c, text, c->kernel->hostname);
}

long proc_sys_domainname(const struct pseudo_ctx *c, struct text *out)
{
	text_add(out, "%s\n", c->kernel->domainname);
	return 0;
}

long proc_sys_set_domainname(const struct pseudo_ctx *c, struct span text)
{
	return set_name(c, text, c->kernel->domainname);
}

long proc_sys_ns_last_pid(const struct pseudo_ctx *c, struct text *out)
{
	text_add(out, "%d\n", c->kernel->pids->last);
	return 0;
}

long proc_sys_pid_max(const struct pseudo_ctx *c, struct text *out)
{
	(void)c;
	text_add(out, "%d\n", PID_MAX);
	return 0;
}

long proc_sys_threads_max(const struct pseudo_ctx *c, struct text *out)
{
	text_add(out, "%u\n", c->kernel->limits.tasks);
	return 0;
}

long proc_sys_boot_id(const struct pseudo_ctx *c, struct text *out)
{
	text_add(out, "%s\n", c->kernel->world->boot_id);
	return 0;
}

long proc_sys_uuid(const struct pseudo_ctx *c, struct text *out)
{
	char id[37];

	(void)c;
	world_uuid(id);
	text_add(out, "%s\n", id);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/plan.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "manager/disk.h"
#include "manager/property.h"
#include "supervise/door.h"
#include "supervise/keeper.h"
#include "supervise/machine.h"

#define FDS_MAX 8u

struct plan {
	char name[QUBE_NAME_MAX + 1];
	struct start start;
	struct machine machine;
	bool machine_open;
	int fd[FDS_MAX]; /* ours, to be closed */
	uint32_t fds;
};

void plan_destroy(struct plan *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; i < p->fds; i++)
		base_close(&p->fd[i]);
	if (p->machine_open)
		machine_close(&p->machine);
	free(p);
}

/* The kernel's memory and tasks, as the properties say. */
static void set_limits(struct manager *m, const struct qube *q, struct plan *p)
{
	uint64_t mib = property_number(m->ledger, q, "maxmem");

	if (mib == 0)
		mib = property_number(m->ledger, q, "memory");
	p->start.record.flags = LAUNCH_LISTEN;
	p->start.record.memory = MAX(mib, (uint64_t)16) << 20;
	p->start.record.tasks = (uint32_t)property_number(m->ledger, q, "pids");
	p->start.record.name = span_str(p->name);
}

int plan_create(struct manager *m, const struct qube *q, struct plan **out,
                struct fault *f)
{
	struct plan *p = calloc(1, sizeof(*p));

	if (!p)
		return fault_set(f, -ENOMEM, "out of memory");
	memcpy(p->name, q->name, sizeof(p->name));
	set_limits(m, q, p);
	*out = p;
	return 0;
}

static int keep_fd(struct plan *p, int fd, struct fault *f)
{
	if (fd < 0)
		return fd;
	if (p->fds == FDS_MAX) {
		close(fd);
		return fault_set(f, -E2BIG, "too many descriptors");
	}
	p->fd[p->fds++] = fd;
	return fd;
}

/* The log of a qube: kept from one start to the next. */
static int open_log(struct manager *m, const char *name, struct fault *f)
{
	char file[QUBE_NAME_MAX + 8];
	struct tm tm;
	time_t now = time(NULL);
	char when[32];
	int fd;

	(void)snprintf(file, sizeof(file), "%s.log", name);
	fd = openat(m->logs, file,
	            O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
	            0600);
	if (fd < 0)
		return fault_errno(f, "open the log %s", file);
	if (gmtime_r(&now, &tm) &&
	    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
		(void)dprintf(fd, "%s start\n", when);
	return fd;
}

int plan_start(struct manager *m, struct plan *p, struct keeper *out,
               struct fault *f)
{
	autoclose int log = open_log(m, p->name, f);
	int doors = paths_open_below(m->runtime, "qubes", f);
	char socket[QUBE_NAME_MAX + 8];
	int err, cell, door;

	(void)snprintf(socket, sizeof(socket), "%s.sock", p->name);
	if (log < 0 || doors < 0) {
		base_close(&doors);
		return -EIO;
	}
	door = keep_fd(p, door_make(doors, socket, f), f);
	close(doors);
	if (door < 0)
		return door;
	cell = keep_fd(p, start_open_cell(f), f);
	if (cell < 0)
		return cell;
	err = machine_open(&p->machine, f);
	if (err < 0)
		return err;
	p->machine_open = true;
	err = start_fd(&p->start, cell, f);
	if (err == 0)
		err = start_fd(&p->start, door, f);
	if (err == 0)
		err = machine_add(&p->machine, &p->start, f);
	return err < 0 ? err : keeper_start(&p->start, log, out, f);
}

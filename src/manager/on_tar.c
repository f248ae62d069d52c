/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes as tar archives, in and out, by a worker: the manager itself never
 * reads one.  Before the worker reads what somebody else may have written it
 * locks itself into the volume's folder, where the host has Landlock.
 */
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "manager/disk.h"
#include "manager/handlers.h"
#include "manager/keyring.h"
#include "manager/listener.h"
#include "manager/property_compute.h"
#include "manager/worker.h"
#include "volume/revision.h"
#include "volume/tarball.h"

/*
 * How the last exports ended.  An export is answered when it begins, with its
 * number; how it went is asked for behind the archive's end.
 */
#define ENDS 64u

struct on_tar_ends {
	uint64_t last; /* number that was given */
	struct end {
		uint64_t id;
		bool over;
		int err;
		struct fault why;
		struct call *waiting; /* for it; or NULL */
	} at[ENDS];
};

struct tar {
	struct call *call; /* NULL: it has been answered */
	uint64_t id;       /* of an export */
	char uuid[QUBE_UUID_SIZE];
	char volume[16];
	int fd;     /* the archive's end for the worker */
	int other;  /* that it must not hold; or -1 */
	bool sized; /* a line with the new size comes first */
	struct keyring_key key;
};

/* No file but those of the volume from now on, and no program. */
static int confine(int home, struct fault *f)
{
	const uint64_t all = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
	const struct landlock_ruleset_attr wanted = {.handled_access_fs = all};
	const struct landlock_path_beneath_attr here = {
		.allowed_access = all & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE,
		.parent_fd = home,
	};
	autoclose int rules = (int)syscall(SYS_landlock_create_ruleset, &wanted,
	                                   sizeof(wanted), 0);

	if (rules < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
		return 0;
	if (rules < 0 ||
	    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
	            &here, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		return fault_errno(f, "lock the helper in");
	return 0;
}

/* "BYTES\n" at the front of the archive. */
static int take_size(int fd, uint64_t *size, struct fault *f)
{
	char c = 0;

	*size = 0;
	while (read(fd, &c, 1) == 1 && c >= '0' && c <= '9')
		if (__builtin_mul_overflow(*size, 10u, size) ||
		    __builtin_add_overflow(*size, (uint64_t)(c - '0'), size))
			break;
	if (c != '\n' || *size == 0)
		return fault_set(f, -EINVAL, "the first line is no size");
	return 0;
}

static int with_live(int home, const struct tar *t,
                     int (*work)(struct volume *v, int fd, struct fault *f),
                     struct fault *f)
{
	autoclose int live = revision_live(home, f);
	struct volume *v;
	int err, closed;

	if (live < 0)
		return live;
	err = volume_open(live, keyring_bytes(&t->key), &v, f);
	if (err < 0)
		return err;
	err = work(v, t->fd, f);
	closed = volume_close(v);
	if (err == 0 && closed < 0)
		err = fault_set(f, closed, "close the volume");
	return err;
}

static int import(const struct manager *m, const void *what, struct fault *f)
{
	const struct tar *t = what;
	autoclose int home = disk_open(m, t->uuid, t->volume, f);
	struct volume_limits limits = {0};
	int err = home < 0 ? home : confine(home, f);

	/* Blocking, whatever the connection was to the manager. */
	if (err == 0 && fcntl(t->fd, F_SETFL, 0) < 0)
		err = fault_errno(f, "read the archive");
	if (err == 0 && t->sized)
		err = take_size(t->fd, &limits.bytes, f);
	if (err == 0)
		err = revision_clear(home, keyring_bytes(&t->key), f);
	if (err == 0 && t->sized)
		err = revision_resize(home, keyring_bytes(&t->key), &limits, f);
	return err < 0 ? err : with_live(home, t, tarball_import, f);
}

static int export(const struct manager *m, const void *what, struct fault *f)
{
	const struct tar *t = what;
	autoclose int home = disk_open(m, t->uuid, t->volume, f);
	int err = home < 0 ? home : confine(home, f);

	close(t->other);
	return err < 0 ? err : with_live(home, t, tarball_export, f);
}

static void done(struct manager *m, void *what, int err, const struct fault *f)
{
	struct tar *t = what;
	struct call *c = t->call;
	struct end *end = c ? NULL : &m->ends->at[t->id % ENDS];

	explicit_bzero(&t->key, sizeof(t->key));
	if (end && end->id == t->id) {
		end->over = true;
		end->err = err;
		end->why = *f;
		c = end->waiting;
		end->waiting = NULL;
	}
	if (c)
		call_finish(c, err < 0 ? call_fault(c, err, f) : 0);
}

/* A place for how the next export ends.  NULL: no memory. */
static struct end *new_end(struct manager *m)
{
	struct end *e;

	if (!m->ends)
		m->ends = calloc(1, sizeof(*m->ends));
	if (!m->ends)
		return NULL;
	e = &m->ends->at[++m->ends->last % ENDS];
	if (e->waiting)
		call_finish(e->waiting,
		            call_fail(e->waiting, EX_QubesException,
		                      "too many exports since: nobody knows"));
	*e = (struct end){.id = m->ends->last};
	return e;
}

int on_tar_exported(struct call *c)
{
	uint64_t id = 0;
	struct end *e;

	if (!property_compute_number(c->argument, &id) || !c->m->ends ||
	    id == 0 || c->m->ends->at[id % ENDS].id != id)
		return call_fail(c, EX_QubesValueError, "no export '%.32s'",
		                 c->argument);
	e = &c->m->ends->at[id % ENDS];
	if (e->over)
		return e->err < 0 ? call_fault(c, e->err, &e->why) : 0;
	if (e->waiting)
		return call_fail(c, EX_QubesException,
		                 "somebody waits for that export already");
	e->waiting = c;
	return CALL_LATER;
}

static int begin(struct call *c, worker_work *work, const struct tar *like)
{
	struct tar *t = malloc(sizeof(*t));
	struct fault f;
	int err;

	if (!t)
		return call_fail(c, EX_QubesMemoryError, "out of memory");
	*t = *like;
	memcpy(t->uuid, c->target.uuid, sizeof(t->uuid));
	(void)snprintf(t->volume, sizeof(t->volume), "%.15s", c->argument);
	err = worker_start(c->m, work, done, t, &f);
	if (err < 0) {
		free(t);
		return call_fault(c, err, &f);
	}
	return 0;
}

int on_tar_import(struct call *c)
{
	struct tar t = {
		.call = c,
		.other = -1,
		.sized = strstr(c->name, "WithSize") != NULL,
	};
	int err = on_volume_halted(c);

	if (err == 0)
		err = on_volume_key(c, &t.key);
	if (err < 0)
		return err;
	t.fd = listener_socket(c->conn);
	err = begin(c, import, &t);
	return err < 0 ? err : CALL_LATER;
}

/* The reading end goes with the answer, which is the export's number. */
int on_tar_export(struct call *c)
{
	autoclose int ours = -1;
	autoclose int theirs = -1;
	struct tar t = {.call = NULL};
	struct end *end;
	int ends[2];
	int err = on_volume_halted(c);

	if (err == 0)
		err = on_volume_key(c, &t.key);
	if (err < 0)
		return err;
	end = new_end(c->m);
	if (!end)
		return call_fail(c, EX_QubesMemoryError, "out of memory");
	t.id = end->id;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return call_fail(c, EX_QubesException, "no pipe: %s",
		                 strerror(errno));
	theirs = ends[0];
	ours = ends[1];
	t.fd = ours;
	t.other = theirs;
	err = begin(c, export, &t);
	if (err < 0)
		return err;
	c->fd = take_fd(&theirs);
	buffer_printf(&c->answer, "%llu", (unsigned long long)t.id);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes as tar archives, in and out, by a worker (manager/chore_tar.h). */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "manager/handlers.h"
#include "manager/keyring.h"
#include "manager/listener.h"
#include "manager/manager.h"
#include "manager/property_compute.h"
#include "manager/worker.h"

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
};

static void done(struct manager *m, void *what, int err, const struct fault *f)
{
	const struct tar *t = what;
	struct call *c = t->call;
	struct end *end = c ? NULL : &m->ends->at[t->id % ENDS];

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

/* Has a worker do it, with the archive's end for it (borrowed). */
static int begin(struct call *c, struct chore *w, const struct tar *like)
{
	struct tar *t = malloc(sizeof(*t));
	struct fault f;
	int err;

	if (!t)
		return call_fail(c, EX_QubesMemoryError, "out of memory");
	*t = *like;
	memcpy(w->uuid, c->target.uuid, sizeof(w->uuid));
	(void)snprintf(w->volume, sizeof(w->volume), "%.15s", c->argument);
	err = worker_start(c->m, w, done, t, &f);
	explicit_bzero(&w->key, sizeof(w->key));
	if (err < 0) {
		free(t);
		return call_fault(c, err, &f);
	}
	return 0;
}

int on_tar_import(struct call *c)
{
	const struct tar t = {.call = c};
	struct chore w = {
		.kind = CHORE_import,
		/* A line with the new size comes first. */
		.number = strstr(c->name, "WithSize") != NULL,
	};
	int err = on_volume_halted(c);

	if (err == 0)
		err = on_volume_key(c, &w.key);
	if (err < 0)
		return err;
	w.fd = listener_socket(c->conn);
	err = begin(c, &w, &t);
	return err < 0 ? err : CALL_LATER;
}

/* The reading end goes with the answer, which is the export's number. */
int on_tar_export(struct call *c)
{
	autoclose int ours = -1;
	autoclose int theirs = -1;
	struct chore w = {.kind = CHORE_export};
	struct tar t = {.call = NULL};
	struct end *end;
	int ends[2];
	int err = on_volume_halted(c);

	if (err == 0)
		err = on_volume_key(c, &w.key);
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
	w.fd = ours;
	err = begin(c, &w, &t);
	if (err < 0)
		return err;
	c->fd = take_fd(&theirs);
	buffer_printf(&c->answer, "%llu", (unsigned long long)t.id);
	return 0;
}

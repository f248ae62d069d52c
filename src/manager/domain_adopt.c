/* SPDX-License-Identifier: Apache-2.0 */
/* A new manager finds what a former one left, and starts what is to run. */
#include "manager/domain_inside.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#include "manager/leftover.h"
#include "manager/manager.h"
#include "manager/property.h"

/* Meets the kernel behind a door, if there is one and a qube of that name. */
static void adopt(struct manager *m, const char *name)
{
	struct domain *d;
	struct fault f;
	struct qube q;

	if (qube_find(m->ledger, name, &q) < 0)
		return;
	d = domain_create(m, &q);
	if (!d)
		return;
	if (domain_meet(d, &f) < 0) {
		domain_destroy(d);
		domain_forget_door(m, name);
		return;
	}
	/* Whether it is paused, and since when it runs. */
	(void)!domain_order(d, CONTROL_state, DOMAIN_NO_COOKIE, 0);
}

static void start_by_itself(struct manager *m, const struct qube *q)
{
	struct domain *d;
	struct fault f;

	if (domain_find(m, q->id) || !property_true(m->ledger, q, "autostart"))
		return;
	if (domain_launch(m, q, "", &d, &f) < 0)
		(void)fprintf(stderr, "start %s: %s\n", q->name, f.text);
}

/* Tries every door. */
static int look_behind_doors(struct manager *m, struct fault *f)
{
	int fd = openat(m->doors, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	int err;

	if (!d) {
		err = fault_errno(f, "look for qubes that run");
		base_close(&fd);
		return err;
	}
	err = ledger_begin(m->ledger, false, f);
	while (err == 0 && (e = readdir(d))) {
		char name[QUBE_NAME_MAX + 1];
		const char *end = strrchr(e->d_name, '.');

		if (!end || strcmp(end, ".sock") != 0 ||
		    (size_t)(end - e->d_name) > QUBE_NAME_MAX)
			continue;
		(void)snprintf(name, sizeof(name), "%.*s",
		               (int)(end - e->d_name), e->d_name);
		adopt(m, name);
	}
	closedir(d);
	ledger_abort(m->ledger);
	return err;
}

int domain_adopt(struct manager *m, struct fault *f)
{
	struct ledger_walk w;
	struct qube q;
	int err = look_behind_doors(m, f);

	if (err == 0)
		err = leftover_sweep(m, f);
	if (err == 0)
		err = ledger_begin(m->ledger, false, f);
	if (err < 0)
		return err;
	qube_walk_begin(&w, m->ledger);
	while (qube_walk_next(&w, &q))
		if (q.class != QUBE_AdminVM)
			start_by_itself(m, &q);
	qube_walk_end(&w);
	ledger_abort(m->ledger);
	return 0;
}

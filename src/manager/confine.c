/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/confine.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/hostcalls.h"
#include "base/landlock.h"
#include "policy/policy_store.h"

#include "base/hostcalls_words.h"
static const struct hostcalls_row manager_rows[] = {
#include "manager/seccomp.def"
};

#include "base/hostcalls_words.h"
static const struct hostcalls_row worker_rows[] = {
#include "manager/worker.def"
};

#define PLACES_MAX 8u
#define HERE       (LANDLOCK_READ | LANDLOCK_WRITE)

/* No other file from now on, where the host has Landlock; then the calls. */
static int enter(const struct landlock_place *place, size_t count,
                 const struct hostcalls_row *rows, size_t row_count,
                 struct fault *f)
{
	static const struct rlimit no_core = {0, 0};
	autoclose int plan = landlock_plan(place, count, LANDLOCK_NO_ABSTRACT,
	                                   f);
	int err = plan < 0 && plan != -EOPNOTSUPP ? plan : 0;

	if (err == 0 && plan >= 0)
		err = landlock_enter(plan, f);
	if (err < 0)
		return err;
	if (setrlimit(RLIMIT_CORE, &no_core) < 0)
		return fault_errno(f, "forbid core files");
	err = hostcalls_enter(rows, row_count);
	return err < 0 ? fault_set(f, err, "install the seccomp filter: %s",
	                           strerror(-err))
	               : 0;
}

/* The folder PATH/.. of a folder of policies; -1 if there is none. */
static int open_above(const char *path)
{
	char above[PATHS_MAX];
	int n = snprintf(above, sizeof(above), "%s", path);
	char *slash = n > 0 && (size_t)n < sizeof(above) ? strrchr(above, '/')
	                                                 : NULL;

	if (!slash || slash == above)
		return -1;
	*slash = '\0';
	return open(above, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void add(struct landlock_place *place, size_t *count, int fd,
                unsigned what)
{
	if (fd >= 0)
		place[(*count)++] = (struct landlock_place){fd, what, true};
}

/*
 * Policies: the user's are made, so that what is put there later can be read, and
 * written to, since that is what a method does.  Those of the machine are read;
 * where there are none yet, from /etc, which everybody may read.  But what root may
 * read there is nobody's business: then what is made later is for the next manager.
 */
static int add_policies(struct landlock_place *place, size_t *count,
                        struct fault *f)
{
	struct policy_folders folders;
	char *own, *etc;
	int fd = -1;

	if (policy_store_folders(&folders) < 0)
		return fault_set(f, -ENOMEM, "out of memory");
	own = folders.path[POLICY_LAYER_CONFIG];
	etc = folders.path[POLICY_LAYER_ETC];
	if (own) {
		paths_make(own);
		add(place, count, open_above(own), LANDLOCK_READ);
		add(place, count, open(own, O_PATH | O_DIRECTORY | O_CLOEXEC),
		    HERE);
	}
	if (etc)
		fd = open_above(etc);
	if (fd < 0 && geteuid() != 0)
		fd = open("/etc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	add(place, count, fd, LANDLOCK_READ);
	policy_store_folders_fini(&folders);
	return 0;
}

int confine_manager(const struct manager *m, struct fault *f)
{
	struct landlock_place place[PLACES_MAX] = {
		{.fd = m->data, .what = HERE},
		{.fd = m->logs, .what = HERE},
		{.fd = m->runtime, .what = HERE},
	};
	size_t count = 3;
	int err = add_policies(place, &count, f);

	if (err == 0)
		err = enter(place, count, manager_rows, ARRAY_LEN(manager_rows),
		            f);
	for (size_t i = 0; i < count; i++)
		if (place[i].owned)
			close(place[i].fd);
	return err;
}

/* Keeps these and the standard ones, and closes all else. */
static int keep_only(const int fd[], size_t count, struct fault *f)
{
	unsigned from = STDERR_FILENO + 1;

	/* The next higher one that is kept, again and again. */
	for (;;) {
		unsigned next = ~0u;

		for (size_t i = 0; i < count; i++)
			if (fd[i] >= 0 && (unsigned)fd[i] >= from)
				next = MIN(next, (unsigned)fd[i]);
		if (next > from &&
		    syscall(SYS_close_range, from, next - 1, 0) < 0)
			return fault_errno(f, "close what is not ours");
		if (next == ~0u)
			return 0;
		from = next + 1;
	}
}

/*
 * A new root keeps the version of the template that it lies over, whose signature
 * is checked.
 */
static int add_templates(const struct manager *m, struct landlock_place *place,
                         size_t *count, struct fault *f)
{
	int templates = paths_open_below(m->data, "templates", f);
	int keys = templates < 0 ? -1 : paths_open_below(m->data, "keys", f);

	add(place, count, templates, HERE);
	add(place, count, keys, LANDLOCK_READ);
	place[(*count)++] = (struct landlock_place){.fd = m->data,
	                                            .what = LANDLOCK_LIST};
	return keys < 0 ? -EIO : 0;
}

int confine_worker(struct manager *m, const struct chore *w, int report,
                   struct fault *f)
{
	const int kept[] = {m->data, m->volumes, m->life, report, w->fd};
	struct landlock_place place[PLACES_MAX] = {
		{.fd = m->volumes, .what = HERE},
	};
	bool archive = w->kind == CHORE_import || w->kind == CHORE_export;
	size_t count = 1;
	int err = keep_only(kept, ARRAY_LEN(kept), f);

	/* A stranger's archive is not to reach another qube's volumes. */
	if (err == 0 && archive) {
		count = 0;
		add(place, &count,
		    openat(m->volumes, w->uuid,
		           O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
		    HERE);
	}
	if (err == 0 && *w->image)
		err = add_templates(m, place, &count, f);
	if (err == 0)
		err = enter(place, count, worker_rows, ARRAY_LEN(worker_rows),
		            f);
	for (size_t i = 0; i < count; i++)
		if (place[i].owned)
			close(place[i].fd);
	close(m->data);
	m->data = -1;
	return err;
}

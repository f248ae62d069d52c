/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/proc_mounts.h"

#include <string.h>

#include "kernel/core/limits.h"
#include "kernel/fs/device.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/proc_process.h"
#include "kernel/fs/world.h"

struct line {
	const struct mount *mount;
	char *point; /* LIMIT_PATH bytes */
	char options[128];
};

/* Where it is mounted as the process sees it; false: out of its sight. */
static bool describe(struct line *l, struct task *of, const struct mount *m)
{
	struct path at = {(struct mount *)(uintptr_t)m, m->root};
	bool reachable = false;

	l->mount = m;
	if (path_name(of, &at, l->point, LIMIT_PATH, &reachable) < 0 ||
	    !reachable)
		return false;
	(void)mount_options(m, l->options, sizeof(l->options));
	return true;
}

static void add_source(struct text *out, const struct mount *m)
{
	const char *s = m->source[0] ? m->source : "none";

	text_add_escaped(out, s, strlen(s));
}

static void add_table(struct text *out, const struct line *l)
{
	add_source(out, l->mount);
	text_add(out, " ");
	text_add_escaped(out, l->point, strlen(l->point));
	text_add(out, " %s %s 0 0\n", l->mount->sb->ops->name, l->options);
}

static void add_info(struct text *out, const struct line *l)
{
	const struct mount *m = l->mount;
	uint64_t dev = m->sb->dev;

	text_add(out, "%u %u %u:%u / ", m->id, m->parent ? m->parent->id : 0,
	         DEVICE_MAJOR(dev), DEVICE_MINOR(dev));
	text_add_escaped(out, l->point, strlen(l->point));
	text_add(out, " %s - %s ", l->options, m->sb->ops->name);
	add_source(out, m);
	text_add(out, " %s\n", m->sb->read_only ? "ro" : "rw");
}

static long each(const struct pseudo_ctx *c, struct text *out,
                 void (*add)(struct text *out, const struct line *l))
{
	struct task *of = proc_process_task(c);
	struct line l = {.point = malloc(LIMIT_PATH)};
	struct mount *m = NULL;

	if (!l.point)
		return -ENOMEM;
	while ((m = mount_next(c->kernel, m)) != NULL)
		if (describe(&l, of, m))
			add(out, &l);
	free(l.point);
	return 0;
}

long proc_mounts_table(const struct pseudo_ctx *c, struct text *out)
{
	return each(c, out, add_table);
}

long proc_mounts_info(const struct pseudo_ctx *c, struct text *out)
{
	return each(c, out, add_info);
}

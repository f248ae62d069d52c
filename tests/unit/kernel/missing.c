/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stand-ins for parts that the library may be built without: a test needs no
 * files to try how processes live and die.
 */
#include "kernel/fs/fd.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/world.h"
#include "kernel/trace.h"

#define WEAK __attribute__((weak))

WEAK struct fdtable *fd_table_create(struct kernel *k)
{
	return (struct fdtable *)k;
}

WEAK struct fdtable *fd_table_copy(struct fdtable *ft)
{
	return ft;
}

WEAK struct fdtable *fd_table_get(struct fdtable *ft)
{
	return ft;
}

WEAK void fd_table_put(struct fdtable *ft, struct task *t)
{
	(void)ft, (void)t;
}

WEAK struct fsctx *path_fsctx_copy(struct fsctx *f)
{
	struct fsctx *copy = malloc(sizeof(*copy));

	*copy = *f;
	copy->refs = 1;
	return copy;
}

WEAK struct fsctx *path_fsctx_get(struct fsctx *f)
{
	f->refs++;
	return f;
}

WEAK void path_fsctx_put(struct fsctx *f)
{
	if (--f->refs == 0)
		free(f);
}

WEAK void path_put(struct path *p)
{
	(void)p;
}

WEAK int tmpfs_create(struct kernel *k, uint64_t max_bytes, uint32_t root_mode,
                      struct superblock **out)
{
	(void)k, (void)max_bytes, (void)root_mode;
	*out = NULL;
	return 0;
}

WEAK long mount_add(struct kernel *k, struct superblock *sb,
                    const struct path *at, uint32_t flags, const char *source,
                    struct path *root)
{
	(void)k, (void)sb, (void)at, (void)flags, (void)source, (void)root;
	return 0;
}

WEAK void mount_fini(struct kernel *k)
{
	(void)k;
}

WEAK void inode_superblock_put(struct superblock *sb)
{
	(void)sb;
}

WEAK void trace_enter(struct task *t)
{
	(void)t;
}

WEAK void trace_answer(struct task *t, long result, enum slot_action action)
{
	(void)t, (void)result, (void)action;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Root, working directory and umask of a task, shared or copied by clone(2).
 */
#include "kernel/core/limits.h"
#include "kernel/fs/mount.h"

static struct kernel *kernel_of(const struct fsctx *f)
{
	return f->root.mount->kernel;
}

struct fsctx *path_fsctx_create(const struct path *root)
{
	struct fsctx *f = limits_alloc(root->mount->kernel, sizeof(*f));

	if (!f)
		return NULL;
	*f = (struct fsctx){.refs = 1, .umask = 022};
	f->root = *root;
	f->cwd = *root;
	path_get(&f->root);
	path_get(&f->cwd);
	return f;
}

struct fsctx *path_fsctx_copy(struct fsctx *f)
{
	struct fsctx *copy = limits_alloc(kernel_of(f), sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *f;
	copy->refs = 1;
	path_get(&copy->root);
	path_get(&copy->cwd);
	return copy;
}

struct fsctx *path_fsctx_get(struct fsctx *f)
{
	f->refs++;
	return f;
}

void path_fsctx_put(struct fsctx *f)
{
	struct kernel *k;

	if (!f || --f->refs > 0)
		return;
	k = kernel_of(f);
	path_put(&f->cwd);
	path_put(&f->root);
	limits_free(k, f, sizeof(*f));
}

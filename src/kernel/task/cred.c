/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/cred.h"

#include <string.h>

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void sift_down(uint32_t *a, size_t root, size_t count)
{
	for (;;) {
		size_t child = 2 * root + 1;
		uint32_t held = a[root];

		if (child >= count)
			return;
		if (child + 1 < count && a[child + 1] > a[child])
			child++;
		if (held >= a[child])
			return;
		a[root] = a[child];
		a[child] = held;
		root = child;
	}
}

/* By heap: qsort(3) makes host calls of its own when there is much to sort. */
static void sort(uint32_t *a, size_t count)
{
	for (size_t i = count / 2; i > 0; i--)
		sift_down(a, i - 1, count);
	for (size_t i = count; i > 1; i--) {
		uint32_t top = a[0];

		a[0] = a[i - 1];
		a[i - 1] = top;
		sift_down(a, 0, i - 1);
	}
}

static int set_groups(struct cred *c, const uint32_t *groups, uint32_t count)
{
	c->groups = NULL;
	c->group_count = 0;
	if (count == 0)
		return 0;
	c->groups = reallocarray(NULL, count, sizeof(*groups));
	if (!c->groups)
		return -ENOMEM;
	memcpy(c->groups, groups, count * sizeof(*groups));
	c->group_count = count;
	return 0;
}

int cred_set_groups(struct cred *c, const uint32_t *groups, uint32_t count)
{
	uint32_t *old = c->groups;
	uint32_t old_count = c->group_count;
	int err = set_groups(c, groups, count);

	if (err < 0) {
		c->groups = old;
		c->group_count = old_count;
		return err;
	}
	free(old);
	if (count > 0)
		sort(c->groups, count);
	return 0;
}

struct cred *cred_create(uint32_t uid, uint32_t gid, const uint32_t *groups,
                         uint32_t count)
{
	struct cred *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	if (cred_set_groups(c, groups, count) < 0) {
		free(c);
		return NULL;
	}
	c->refs = 1;
	c->uid = c->euid = c->suid = c->fsuid = uid;
	c->gid = c->egid = c->sgid = c->fsgid = gid;
	c->cap_bounding = CRED_CAPS_ALL;
	if (uid == 0)
		c->cap_permitted = c->cap_effective = CRED_CAPS_ALL;
	return c;
}

struct cred *cred_copy(const struct cred *from)
{
	struct cred *c = malloc(sizeof(*c));

	if (!c)
		return NULL;
	*c = *from;
	c->refs = 1;
	if (set_groups(c, from->groups, from->group_count) < 0) {
		free(c);
		return NULL;
	}
	return c;
}

struct cred *cred_get(struct cred *c)
{
	c->refs++;
	return c;
}

void cred_put(struct cred *c)
{
	if (!c || --c->refs > 0)
		return;
	free(c->groups);
	free(c);
}

void cred_publish(struct task *t)
{
	struct slot *s = t->slot;
	const struct cred *c = t->cred;

	if (!s)
		return;
	atomic_store_explicit(&s->uid, c->uid, memory_order_relaxed);
	atomic_store_explicit(&s->euid, c->euid, memory_order_relaxed);
	atomic_store_explicit(&s->gid, c->gid, memory_order_relaxed);
	atomic_store_explicit(&s->egid, c->egid, memory_order_relaxed);
}

void cred_replace(struct task *t, struct cred *c)
{
	cred_put(t->cred);
	t->cred = c;
	cred_publish(t);
}

bool cred_capable(const struct cred *c, int cap)
{
	return c->cap_effective >> cap & 1;
}

bool cred_in_group(const struct cred *c, uint32_t gid)
{
	if (c->fsgid == gid)
		return true;
	return cred_has_group(c, gid);
}

bool cred_has_group(const struct cred *c, uint32_t gid)
{
	return c->group_count > 0 &&
	       bsearch(&gid, c->groups, c->group_count, sizeof(gid), compare);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a path back to its name: upwards from the end, then to the front.
 */
#include <stdio.h>

#include "kernel/fs/dentry.h"

#define DELETED " (deleted)"

/* Of a file in no directory: "pipe:[12]", or just as it is labelled. */
static long nameless(const struct dentry *d, char *to, size_t room)
{
	int n;

	if (d->size > 0 && d->name[d->size - 1] == ':')
		n = snprintf(to, room, "%s[%llu]", d->name,
		             (unsigned long long)d->inode->ino);
	else
		n = snprintf(to, room, "%s", d->name);
	return n < 0 || (size_t)n >= room ? -ENAMETOOLONG : n;
}

static bool prepend(char *to, size_t *at, const char *what, size_t size)
{
	if (size > *at)
		return false;
	*at -= size;
	memcpy(to + *at, what, size);
	return true;
}

long path_name(struct task *t, const struct path *p, char *to, size_t room,
               bool *reachable)
{
	const struct path *root = t && t->fs ? &t->fs->root : NULL;
	const struct mount *m = p->mount;
	const struct dentry *d = p->dentry;
	size_t at = room;
	bool within = true;

	if (m == m->kernel->fs->nowhere) {
		if (reachable)
			*reachable = false;
		return nameless(d, to, room);
	}
	if (!prepend(to, &at, "", 1) ||
	    (d->deleted && !prepend(to, &at, DELETED, sizeof(DELETED) - 1)))
		return -ENAMETOOLONG;
	while (!root || m != root->mount || d != root->dentry) {
		if (d == m->root) {
			if (!m->parent) {
				within = !root && m == m->kernel->fs->root;
				break;
			}
			d = m->point;
			m = m->parent;
			continue;
		}
		if (!d->parent) {
			within = false;
			break;
		}
		if (!prepend(to, &at, d->name, d->size) ||
		    !prepend(to, &at, "/", 1))
			return -ENAMETOOLONG;
		d = d->parent;
	}
	if (to[at] != '/' && !prepend(to, &at, "/", 1))
		return -ENAMETOOLONG;
	memmove(to, to + at, room - at);
	if (reachable)
		*reachable = within;
	return (long)(room - at - 1);
}

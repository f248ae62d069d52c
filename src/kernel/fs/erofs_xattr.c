/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/erofs_xattr.h"

#include <string.h>

struct search {
	struct span name;
	uint8_t *to;
	size_t room;
	long result;
};

/* Returns 1 when it was the one. */
static int match(void *ctx, const struct imgread_xattr *x)
{
	struct search *s = ctx;
	size_t prefix = strlen(x->prefix);

	if (s->name.size != prefix + x->suffix.size ||
	    memcmp(s->name.at, x->prefix, prefix) != 0 ||
	    !span_eq(span_from(s->name, prefix), x->suffix))
		return 0;
	s->result = (long)x->value.size;
	if (s->room > 0 && x->value.size > s->room)
		s->result = -ERANGE;
	else if (s->room > 0 && x->value.size > 0)
		memcpy(s->to, x->value.at, x->value.size);
	return 1;
}

long erofs_xattr_get(struct inode *i, struct task *t, struct span name,
                     void *to, size_t room)
{
	const struct erofs_node *n = erofs_node_of(i);
	struct search s = {name, to, room, -ENODATA};
	int err = imgread_xattr_each(&n->fs->image, &n->image, match, &s);

	(void)t;
	if (err == 0 && s.result == -ENODATA)
		inode_note_attr(i, name, false);
	return err < 0 ? err : s.result;
}

struct listing {
	char *to;
	size_t room;
	size_t used;
};

static int list_one(void *ctx, const struct imgread_xattr *x)
{
	struct listing *l = ctx;
	size_t prefix = strlen(x->prefix);
	size_t size = prefix + x->suffix.size + 1;

	if (l->room > 0) {
		if (size > l->room - l->used)
			return -ERANGE;
		memcpy(l->to + l->used, x->prefix, prefix);
		memcpy(l->to + l->used + prefix, x->suffix.at, x->suffix.size);
		l->to[l->used + size - 1] = '\0';
	}
	l->used += size;
	return 0;
}

long erofs_xattr_list(struct inode *i, struct task *t, char *to, size_t room)
{
	const struct erofs_node *n = erofs_node_of(i);
	struct listing l = {to, room, 0};
	int err = imgread_xattr_each(&n->fs->image, &n->image, list_one, &l);

	(void)t;
	return err < 0 ? err : (long)l.used;
}

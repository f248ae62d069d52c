/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/overlay_dir.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/core/hashtable.h"
#include "kernel/core/limits.h"
#include "kernel/fs/dots.h"
#include "kernel/fs/overlay_copy.h"

#define NONE UINT32_MAX

struct entry {
	uint64_t ino;
	uint32_t hash_next; /* index of the next of its bucket */
	uint8_t type;
	uint8_t size;
	bool whiteout;
	char name[];
};

/* All names of a directory; while it is taken, found by hash as well. */
struct snapshot {
	struct kernel *kernel;
	struct entry **entry; /* visible ones and whiteouts */
	size_t count;
	size_t room;
	uint32_t *bucket;
	size_t bucket_count;
	bool taken;
};

/* A dirsink that never is full. */
struct collector {
	struct dirsink sink;
	struct snapshot *all;
	struct file *from;
	struct inode *upper; /* when that is what is read */
	struct task *task;
	bool failed;
};

bool overlay_dir_whiteout(const struct inode *i)
{
	return inode_is(i, S_IFCHR) && i->rdev == 0;
}

static struct span name_of(const struct entry *e)
{
	return (struct span){(const uint8_t *)e->name, e->size};
}

static void clear(struct snapshot *s)
{
	for (size_t i = 0; i < s->count; i++)
		limits_free(s->kernel, s->entry[i],
		            sizeof(struct entry) + s->entry[i]->size);
	limits_free(s->kernel, s->entry, s->room * sizeof(*s->entry));
	limits_free(s->kernel, s->bucket, s->bucket_count * sizeof(*s->bucket));
	*s = (struct snapshot){.kernel = s->kernel};
}

static bool known(const struct snapshot *s, struct span name)
{
	uint32_t at = NONE;

	if (s->bucket_count)
		at = s->bucket[hashtable_text(name) & (s->bucket_count - 1)];
	while (at != NONE && !span_eq(name_of(s->entry[at]), name))
		at = s->entry[at]->hash_next;
	return at != NONE;
}

static void link_in(struct snapshot *s, uint32_t index)
{
	struct entry *e = s->entry[index];
	uint32_t *b =
		&s->bucket[hashtable_text(name_of(e)) & (s->bucket_count - 1)];

	e->hash_next = *b;
	*b = index;
}

static int grow(struct snapshot *s)
{
	size_t room = s->room ? s->room * 2 : 32;
	struct entry **entry = limits_alloc(s->kernel, room * sizeof(*entry));
	uint32_t *bucket = limits_alloc(s->kernel, room * sizeof(*bucket));

	if (!entry || !bucket) {
		limits_free(s->kernel, entry, room * sizeof(*entry));
		limits_free(s->kernel, bucket, room * sizeof(*bucket));
		return -ENOMEM;
	}
	if (s->count)
		memcpy(entry, s->entry, s->count * sizeof(*entry));
	limits_free(s->kernel, s->entry, s->room * sizeof(*entry));
	limits_free(s->kernel, s->bucket, s->bucket_count * sizeof(*bucket));
	s->entry = entry;
	s->room = room;
	s->bucket = bucket;
	s->bucket_count = room;
	memset(bucket, 0xff, room * sizeof(*bucket));
	for (uint32_t i = 0; i < s->count; i++)
		link_in(s, i);
	return 0;
}

static bool is_whiteout(struct collector *c, struct span name)
{
	struct inode *i;
	bool yes;

	if (c->upper->ops->lookup(c->upper, c->task, name, &i) < 0)
		return false;
	yes = overlay_dir_whiteout(i);
	inode_put(i);
	return yes;
}

static bool collect(struct dirsink *sink, struct span name, uint64_t ino,
                    uint8_t type, int64_t next)
{
	struct collector *c = container_of(sink, struct collector, sink);
	struct snapshot *s = c->all;
	struct entry *e;

	c->from->pos = next;
	if (name.size == 0 || name.size > LIMIT_NAME || known(s, name))
		return true;
	if (s->count == s->room && grow(s) < 0) {
		c->failed = true;
		return false;
	}
	e = limits_alloc(s->kernel, sizeof(*e) + name.size);
	if (!e) {
		c->failed = true;
		return false;
	}
	e->ino = ino;
	e->type = type;
	e->size = (uint8_t)name.size;
	memcpy(e->name, name.at, name.size);
	e->whiteout = c->upper && type == S_IFCHR >> 12 && is_whiteout(c, name);
	s->entry[s->count] = e;
	link_in(s, (uint32_t)s->count);
	s->count++;
	return true;
}

static long read_real(struct snapshot *s, struct inode *real, bool upper,
                      struct task *t)
{
	struct collector c = {
		.sink = {.add = collect},
		.all = s,
		.upper = upper ? real : NULL,
		.task = t,
	};
	long err = overlay_copy_open(real, t, O_RDONLY | O_DIRECTORY, &c.from);

	if (err < 0)
		return err;
	c.from->pos = DOTS_FIRST;
	err = c.from->ops->readdir(c.from, t, &c.sink);
	file_put(c.from);
	return c.failed ? -ENOMEM : MIN(err, 0);
}

static long take(struct snapshot *s, struct overlay_node *n, struct task *t)
{
	long err = 0;

	clear(s);
	if (n->upper)
		err = read_real(s, n->upper, true, t);
	if (err == 0 && n->lower && !n->gone)
		err = read_real(s, n->lower, false, t);
	if (err < 0)
		clear(s);
	else
		s->taken = true;
	return err;
}

static long read_dir(struct file *f, struct task *t, struct dirsink *sink)
{
	struct snapshot *s = f->private;
	size_t at = (size_t)MAX(f->pos, DOTS_FIRST) - DOTS_FIRST;
	long err;

	if (at == 0 || !s->taken) {
		err = take(s, overlay_node_of(f->inode), t);
		if (err < 0)
			return err;
	}
	for (; at < s->count; at++) {
		const struct entry *e = s->entry[at];

		if (!e->whiteout &&
		    !sink->add(sink, name_of(e), e->ino, e->type,
		               (int64_t)at + 1 + DOTS_FIRST))
			break;
	}
	return 0;
}

static long sync_dir(struct file *f, struct task *t, bool data_only)
{
	(void)f, (void)t, (void)data_only;
	return 0;
}

static void release(struct file *f)
{
	struct snapshot *s = f->private;

	clear(s);
	limits_free(f->kernel, s, sizeof(*s));
}

static const struct file_ops ops = {
	.seek = dots_seek,
	.readdir = read_dir,
	.fsync = sync_dir,
	.release = release,
};

long overlay_dir_open(struct inode *i, struct task *t, struct file *f)
{
	struct overlay_node *n = overlay_node_of(i);
	struct snapshot *s;
	struct file *probe;
	long err;

	/* A template may keep some directories to itself. */
	if (n->lower) {
		err = overlay_copy_open(n->lower, t, O_RDONLY | O_DIRECTORY,
		                        &probe);
		if (err < 0)
			return err;
		file_put(probe);
	}
	s = limits_alloc(f->kernel, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->kernel = f->kernel;
	f->private = s;
	f->ops = &ops;
	return 0;
}

long overlay_dir_empty(struct overlay_node *n, struct task *t)
{
	struct snapshot s = {.kernel = n->fs->kernel};
	long err = take(&s, n, t);

	for (size_t i = 0; i < s.count && err == 0; i++)
		if (!s.entry[i]->whiteout)
			err = -ENOTEMPTY;
	clear(&s);
	return err;
}

long overlay_dir_clear(struct inode *upper, struct task *t)
{
	struct snapshot s = {.kernel = upper->sb->kernel};
	long err = read_real(&s, upper, true, t);

	for (size_t i = 0; i < s.count && err == 0; i++) {
		struct span name = name_of(s.entry[i]);
		struct inode *w;

		if (!s.entry[i]->whiteout)
			continue;
		err = upper->ops->lookup(upper, t, name, &w);
		if (err < 0)
			break;
		err = upper->ops->unlink(upper, t, name, w);
		inode_put(w);
	}
	clear(&s);
	return err;
}

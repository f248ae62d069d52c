/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/hostdir.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

#include "kernel/core/limits.h"
#include "kernel/fs/dots.h"
#include "kernel/fs/etc_hidden.h"
#include "kernel/fs/hostnode.h"

#define BATCH ((size_t)32 * 1024)

struct entry {
	uint64_t ino;
	size_t name; /* offset in `names` */
	uint8_t size;
	uint8_t type;
};

struct snapshot {
	struct entry *entry;
	size_t count;
	size_t room;
	char *names;
	size_t names_size;
	size_t names_room;
	bool taken;
};

/* Doubles a charged array until it holds `want` bytes. */
static int grow(struct kernel *k, void *at, size_t *room, size_t used,
                size_t want)
{
	size_t bigger = MAX(*room, 1024);
	void *p;

	if (want <= *room)
		return 0;
	while (bigger < want)
		bigger *= 2;
	p = limits_alloc(k, bigger);
	if (!p)
		return -ENOMEM;
	if (used)
		memcpy(p, *(void **)at, used);
	limits_free(k, *(void **)at, *room);
	*(void **)at = p;
	*room = bigger;
	return 0;
}

static int add(struct snapshot *s, struct hostnode *n, const struct dirent64 *d)
{
	struct kernel *k = n->fs->kernel;
	size_t size = strlen(d->d_name);
	size_t used = s->count * sizeof(*s->entry);

	if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 ||
	    size > LIMIT_NAME || etc_hidden(n, d->d_name))
		return 0;
	if (grow(k, &s->entry, &s->room, used, used + sizeof(*s->entry)) < 0 ||
	    grow(k, &s->names, &s->names_room, s->names_size,
	         s->names_size + size) < 0)
		return -ENOMEM;
	s->entry[s->count++] = (struct entry){
		.ino = hostnode_number(n->fs, n->dev, d->d_ino),
		.name = s->names_size,
		.size = (uint8_t)size,
		.type = d->d_type,
	};
	memcpy(s->names + s->names_size, d->d_name, size);
	s->names_size += size;
	return 0;
}

static long take(struct snapshot *s, struct hostnode *n)
{
	autofree char *batch = malloc(BATCH);
	autoclose int fd = -1;

	if (!batch)
		return -ENOMEM;
	fd = hostnode_open(n, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return take_fd(&fd);
	s->count = 0;
	s->names_size = 0;
	for (;;) {
		long got = syscall(SYS_getdents64, fd, batch, BATCH);

		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		for (long at = 0; at < got;) {
			struct dirent64 *d = (void *)(batch + at);

			if (add(s, n, d) < 0)
				return -ENOMEM;
			at += d->d_reclen;
		}
	}
	s->taken = true;
	return 0;
}

static long read_dir(struct file *f, struct task *t, struct dirsink *sink)
{
	struct snapshot *s = f->private;
	size_t at = (size_t)MAX(f->pos, DOTS_FIRST) - DOTS_FIRST;
	long err;

	(void)t;
	if (at == 0 || !s->taken) {
		err = take(s, hostnode_of(f->inode));
		if (err < 0)
			return err;
	}
	for (; at < s->count; at++) {
		const struct entry *e = &s->entry[at];
		struct span name = {(uint8_t *)s->names + e->name, e->size};

		if (!sink->add(sink, name, e->ino, e->type,
		               (int64_t)at + 1 + DOTS_FIRST))
			break;
	}
	return 0;
}

static void release(struct file *f)
{
	struct snapshot *s = f->private;

	limits_free(f->kernel, s->entry, s->room);
	limits_free(f->kernel, s->names, s->names_room);
	limits_free(f->kernel, s, sizeof(*s));
}

static long sync_dir(struct file *f, struct task *t, bool data_only)
{
	(void)f, (void)t, (void)data_only;
	return 0;
}

static const struct file_ops ops = {
	.seek = dots_seek,
	.readdir = read_dir,
	.fsync = sync_dir,
	.release = release,
};

long hostdir_open(struct inode *i, struct file *f)
{
	struct snapshot *s = limits_alloc(i->sb->kernel, sizeof(*s));
	autoclose int fd = -1;

	if (!s)
		return -ENOMEM;
	/* Whether we may read it is to be known now. */
	fd = hostnode_open(hostnode_of(i), O_RDONLY | O_DIRECTORY);
	if (fd < 0) {
		limits_free(i->sb->kernel, s, sizeof(*s));
		return take_fd(&fd);
	}
	f->private = s;
	f->ops = &ops;
	return 0;
}

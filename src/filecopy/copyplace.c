/* SPDX-License-Identifier: Apache-2.0 */
#include "filecopy/copyplace.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "filecopy/copywire.h"

#define FOLDER (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

int copyplace_init(struct copyplace *p, int root, int proc)
{
	*p = (struct copyplace){
		.root = root,
		.proc = proc,
		.at = -1,
		.named = proc < 0,
		.path = calloc(1, COPYWIRE_NAME_MAX + 1),
	};
	return p->path ? 0 : -ENOMEM;
}

void copyplace_fini(struct copyplace *p)
{
	if (p->at >= 0)
		close(p->at);
	free(p->path);
	*p = (struct copyplace){.root = -1, .proc = -1, .at = -1};
}

static void forget(struct copyplace *p)
{
	if (p->at >= 0)
		close(p->at);
	p->at = -1;
	p->path[0] = '\0';
}

/* One component deeper: `len` bytes of `name`. */
static int descend(struct copyplace *p, const char *name, size_t len)
{
	char one[NAME_MAX + 1];
	size_t have = strlen(p->path);
	int fd;

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	/* Names are checked before; this one would be the way out. */
	if (len == 2 && name[0] == '.' && name[1] == '.')
		return -EINVAL;
	memcpy(one, name, len);
	one[len] = '\0';
	fd = openat(p->at < 0 ? p->root : p->at, one, FOLDER);
	if (fd < 0)
		return -errno;
	if (p->at >= 0)
		close(p->at);
	p->at = fd;
	if (have > 0)
		p->path[have++] = '/';
	memcpy(p->path + have, one, len + 1);
	return 0;
}

int copyplace_enter(struct copyplace *p, const char *name, const char **last)
{
	const char *slash = strrchr(name, '/');
	size_t len = slash ? (size_t)(slash - name) : 0;
	size_t have = strlen(p->path);
	size_t at = 0;
	int err = 0;

	if (len > COPYWIRE_NAME_MAX)
		return -ENAMETOOLONG;
	/* From where we are if it lies below, else from the root. */
	if (have <= len && memcmp(p->path, name, have) == 0 &&
	    (have == 0 || have == len || name[have] == '/'))
		at = have + (have > 0 && have < len);
	else
		forget(p);
	while (at < len && err == 0) {
		size_t one = MIN(strcspn(name + at, "/"), len - at);

		err = descend(p, name + at, one);
		at += one + 1;
	}
	if (err < 0) {
		forget(p);
		return err;
	}
	*last = slash ? slash + 1 : name;
	return p->at < 0 ? p->root : p->at;
}

static int create_named(int folder, struct copyplace_file *out)
{
	uint64_t number;

	for (int tries = 0; tries < 8; tries++) {
		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return -EIO;
		(void)snprintf(out->temp, sizeof(out->temp),
		               ".bento-copy-%016llx",
		               (unsigned long long)number);
		out->fd = openat(folder, out->temp,
		                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
		                         O_CLOEXEC,
		                 0600);
		if (out->fd >= 0)
			return 0;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

int copyplace_create(struct copyplace *p, int folder,
                     struct copyplace_file *out)
{
	*out = (struct copyplace_file){.fd = -1};
	if (!p->named) {
		out->fd = openat(folder, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC,
		                 0600);
		if (out->fd >= 0)
			return 0;
		if (errno != EOPNOTSUPP && errno != EISDIR)
			return -errno;
		p->named = true;
	}
	return create_named(folder, out);
}

static int link_nameless(const struct copyplace *p, int folder,
                         const char *last, int fd)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", fd);
	if (linkat(p->proc, number, folder, last, AT_SYMLINK_FOLLOW) < 0)
		return -errno;
	return 0;
}

static int rename_hidden(int folder, const char *last, const char *temp)
{
	if (renameat2(folder, temp, folder, last, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	/* A file system that cannot: two names for a moment, then one. */
	if (linkat(folder, temp, folder, last, 0) < 0)
		return -errno;
	if (unlinkat(folder, temp, 0) < 0)
		return -errno;
	return 0;
}

int copyplace_keep(struct copyplace *p, int folder, const char *last,
                   struct copyplace_file *file)
{
	int err = file->temp[0] ? rename_hidden(folder, last, file->temp)
	                        : link_nameless(p, folder, last, file->fd);

	if (err < 0)
		return err;
	file->temp[0] = '\0';
	copyplace_drop(folder, file);
	return 0;
}

void copyplace_drop(int folder, struct copyplace_file *file)
{
	if (file->temp[0])
		(void)unlinkat(folder, file->temp, 0);
	if (file->fd >= 0)
		close(file->fd);
	*file = (struct copyplace_file){.fd = -1};
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/world_image.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/fs/file.h"
#include "kernel/fs/overlay_copy.h"

static const char *const ours[] = {
	"etc/hostname", "etc/hosts",  "etc/machine-id", "etc/resolv.conf",
	"etc/mtab",     "etc/passwd", "etc/group",      "etc/shadow",
};

static const char *const accounts[] = {
	"etc/passwd",
	"etc/group",
	"etc/shadow",
};

int world_image_look(struct inode *dir, struct span name, struct inode **out)
{
	long err = -ENOENT;

	*out = NULL;
	if (dir && inode_is(dir, S_IFDIR))
		err = dir->ops->lookup(dir, NULL, name, out);
	return err == -ENOENT ? 0 : (int)err;
}

bool world_image_ours(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (strcmp(path, ours[i]) == 0)
			return true;
	return false;
}

void world_image_follow(struct inode *root, const char *path, char *to,
                        size_t room)
{
	size_t first = strcspn(path, "/");
	struct inode *i = NULL;
	char target[256];
	long size = 0;

	(void)snprintf(to, room, "%s", path);
	if (world_image_look(root, (struct span){(const uint8_t *)path, first},
	                     &i) < 0 ||
	    !i)
		return;
	if (inode_is(i, S_IFLNK))
		size = i->ops->readlink(i, NULL, target, sizeof(target) - 1);
	inode_put(i);
	if (size <= 0)
		return;
	target[size] = '\0';
	(void)snprintf(to, room, "%s%s", target + strspn(target, "/"),
	               path + first);
}

/* The file at a path of the image, all its directories real; or NULL. */
static struct inode *find(struct inode *root, const char *path)
{
	struct inode *at = inode_get(root);

	while (at && *path) {
		size_t size = strcspn(path, "/");
		struct inode *next = NULL;

		(void)!world_image_look(
			at, (struct span){(const uint8_t *)path, size}, &next);
		inode_put(at);
		at = next;
		path += size + (path[size] == '/');
	}
	return at;
}

/* Its contents; 0 if there are none, or too many. */
static size_t read_text(struct inode *i, char *to, size_t room)
{
	struct file *f;
	struct uio u;
	int64_t pos = 0;
	long got;

	if (!inode_is(i, S_IFREG) || i->size >= room ||
	    overlay_copy_open(i, NULL, 0, &f) < 0)
		return 0;
	uio_init_kernel(&u, to, (size_t)i->size);
	got = f->ops->read(f, &u, &pos);
	file_put(f);
	return got > 0 ? (size_t)got : 0;
}

/* The line of an account in a text, with its end; empty if there is none. */
static struct span line_of(const char *text, size_t size, const char *name)
{
	size_t len = strlen(name);
	size_t at = 0;

	while (at < size) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t next = end ? (size_t)(end - text) + 1 : size;

		if (next - at > len && memcmp(text + at, name, len) == 0)
			return (struct span){(const uint8_t *)text + at,
			                     next - at};
		at = next;
	}
	return (struct span){NULL, 0};
}

size_t world_image_accounts(struct inode *root, const char *path, char *to,
                            size_t used, size_t room)
{
	struct span line = line_of(to, used, "user:");
	autofree char *text = NULL;
	struct inode *i = NULL;
	size_t size = 0;

	for (size_t a = 0; a < ARRAY_LEN(accounts); a++)
		if (strcmp(path, accounts[a]) == 0)
			i = find(root, path);
	if (!i)
		return 0;
	text = malloc(room);
	if (text)
		size = read_text(i, text, room);
	inode_put(i);
	if (size == 0 || line.size + size + 1 > room)
		return 0;
	if (text[size - 1] != '\n')
		text[size++] = '\n';
	if (line_of(text, size, "user:").size == 0) {
		memcpy(text + size, line.at, line.size);
		size += line.size;
	}
	memcpy(to, text, size);
	return size;
}

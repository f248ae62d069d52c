/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/world_stay.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/file.h"
#include "kernel/fs/hand.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/target.h"
#include "kernel/fs/volumefs.h"
#include "kernel/task/uio.h"

#define DEEPEST   6   /* folders of /etc/skel in each other */
#define NAMES_MAX 256 /* in one of these */
#define SKEL      "/etc/skel"
#define CHUNK     ((size_t)65536)
#define PATH_ROOM 2048u /* a place, and names of /etc/skel below it */

/* ---- making ---- */

struct owner {
	uint32_t uid, gid;
};
static const struct owner root_owner = {0, 0};

/* Makes one thing whose folder is there.  0 also when it is there. */
static long make_one(struct task *t, const char *at, uint32_t mode,
                     struct span target, struct owner owner)
{
	return hand_make(t, at,
	                 &(struct inode_new){.mode = mode,
	                                     .uid = owner.uid,
	                                     .gid = owner.gid,
	                                     .target = target});
}

static long make_folder(struct task *t, const char *at, uint32_t mode,
                        struct owner owner)
{
	return make_one(t, at, S_IFDIR | mode, (struct span){NULL, 0}, owner);
}

/* The folders on the way to it, of root's. */
static long make_way(struct task *t, const char *at)
{
	char way[PATH_ROOM];
	long err = 0;

	(void)snprintf(way, sizeof(way), "%s", at);
	for (char *slash = strchr(way + 1, '/'); slash && err == 0;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		err = make_folder(t, way, 0755, root_owner);
		*slash = '/';
	}
	return err;
}

static bool is_there(struct task *t, const char *at)
{
	struct path p;
	long err = path_lookup(t, AT_FDCWD, at, 0, &p);

	if (err == 0)
		path_put(&p);
	return err == 0;
}

/* ---- a new home ---- */

struct names {
	struct dirsink sink;
	char name[NAMES_MAX][LIMIT_NAME + 1];
	uint32_t count;
};

static bool add_name(struct dirsink *s, struct span name, uint64_t ino,
                     uint8_t type, int64_t next)
{
	struct names *n = container_of(s, struct names, sink);

	(void)ino, (void)type, (void)next;
	if (n->count == NAMES_MAX || name.size > LIMIT_NAME)
		return false;
	memcpy(n->name[n->count], name.at, name.size);
	n->name[n->count++][name.size] = '\0';
	return true;
}

static long read_names(struct task *t, const char *at, struct names *out)
{
	struct path p;
	struct file *f;
	long err = path_lookup(t, AT_FDCWD, at, PATH_DIRECTORY, &p);

	if (err < 0)
		return err;
	err = file_open(t, &p, O_RDONLY, &f);
	path_put(&p);
	if (err < 0)
		return err;
	out->sink.add = add_name;
	out->count = 0;
	err = f->ops->readdir ? f->ops->readdir(f, NULL, &out->sink) : 0;
	file_put(f);
	return err;
}

static long open_at(struct task *t, const char *at, uint32_t flags,
                    struct file **out)
{
	struct path p;
	long err = path_lookup(t, AT_FDCWD, at, 0, &p);

	if (err < 0)
		return err;
	err = file_open(t, &p, flags, out);
	path_put(&p);
	return err;
}

/* Without a task, transfers wait for the disk: nobody else is served yet. */
static long copy_bytes(struct file *from, struct file *to)
{
	autofree uint8_t *chunk = malloc(CHUNK);
	int64_t at = 0, done = 0;
	long n;

	if (!chunk)
		return -ENOMEM;
	do {
		struct uio u;

		uio_init_kernel(&u, chunk, CHUNK);
		n = from->ops->read(from, &u, &at);
		for (long left = n; left > 0;) {
			long put;

			uio_init_kernel(&u, chunk + (n - left), (size_t)left);
			put = to->ops->write(to, &u, &done);
			if (put <= 0)
				return put < 0 ? put : -EIO;
			left -= put;
		}
	} while (n > 0);
	return n;
}

static long copy_file(struct task *t, const char *from, const char *to,
                      uint32_t mode, struct owner owner)
{
	struct file *in, *out = NULL;
	long err = open_at(t, from, O_RDONLY, &in);

	if (err < 0)
		return err;
	err = make_one(t, to, S_IFREG | mode, (struct span){NULL, 0}, owner);
	if (err == 0)
		err = open_at(t, to, O_WRONLY, &out);
	if (err == 0) {
		err = copy_bytes(in, out);
		file_put(out);
	}
	file_put(in);
	return err;
}

static long copy_link(struct task *t, struct inode *i, const char *to,
                      struct owner owner)
{
	char target[PATH_ROOM];
	long size = i->ops->readlink(i, NULL, target, sizeof(target));

	if (size < 0)
		return size;
	return make_one(t, to, S_IFLNK | 0777,
	                (struct span){(uint8_t *)target, (size_t)size}, owner);
}

static long copy_folder(struct task *t, const char *from, const char *to,
                        struct owner owner, unsigned depth);

static long copy_one(struct task *t, const char *from, const char *to,
                     struct owner owner, unsigned depth)
{
	struct path p;
	struct inode *i;
	long err = path_lookup(t, AT_FDCWD, from, 0, &p);

	if (err < 0)
		return err;
	i = path_inode(&p);
	if (inode_is(i, S_IFREG))
		err = copy_file(t, from, to, i->mode & 0777, owner);
	else if (inode_is(i, S_IFLNK))
		err = copy_link(t, i, to, owner);
	else if (inode_is(i, S_IFDIR) && depth < DEEPEST)
		err = copy_folder(t, from, to, owner, depth + 1);
	path_put(&p);
	return err;
}

static long copy_folder(struct task *t, const char *from, const char *to,
                        struct owner owner, unsigned depth)
{
	autofree struct names *n = malloc(sizeof(*n));
	autofree char *paths = malloc((size_t)2 * PATH_ROOM);
	long err;

	if (!n || !paths)
		return -ENOMEM;
	err = make_folder(t, to, depth == 0 ? 0700 : 0755, owner);
	if (err == 0)
		err = read_names(t, from, n);
	for (uint32_t i = 0; i < n->count && err == 0; i++) {
		(void)snprintf(paths, PATH_ROOM, "%s/%s", from, n->name[i]);
		(void)snprintf(paths + PATH_ROOM, PATH_ROOM, "%s/%s", to,
		               n->name[i]);
		err = copy_one(t, paths, paths + PATH_ROOM, owner, depth);
	}
	return err;
}

/* What is bound at /home is a folder with one for `user`. */
static long fill_home(struct task *t, const struct world_options *o,
                      const char *at)
{
	const struct owner user = {o->user_uid, o->user_gid};
	char home[PATH_ROOM];

	(void)snprintf(home, sizeof(home), "%s/user", at);
	if (is_there(t, home))
		return 0;
	if (is_there(t, SKEL))
		return copy_folder(t, SKEL, home, user, 0);
	return make_folder(t, home, 0700, user);
}

static long fill_local(struct task *t, const struct world_options *o,
                       const char *at)
{
	static const char *const folders[] = {
		"bin", "etc", "games", "include", "lib", "sbin", "share", "src",
	};
	char path[PATH_ROOM];
	long err = 0;

	(void)o;
	for (size_t i = 0; i < ARRAY_LEN(folders) && err == 0; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", at, folders[i]);
		err = make_folder(t, path, 0755, root_owner);
	}
	return err;
}

/* What is made the first time behind a bind, by where it appears. */
static const struct {
	const char *at;
	long (*fill)(struct task *t, const struct world_options *o,
	             const char *from);
} fills[] = {
	{"/home", fill_home},
	{"/usr/local", fill_local},
};

/* ---- mounting ---- */

static long mount_volume(struct kernel *k, struct task *t,
                         const struct world_volume *v)
{
	struct superblock *sb;
	struct path at;
	long err = volumefs_create(k, v->volume, &sb);

	if (err < 0)
		return err;
	err = make_way(t, v->at);
	if (err == 0)
		err = make_folder(t, v->at, 0755, root_owner);
	if (err == 0)
		err = path_lookup(t, AT_FDCWD, v->at,
		                  PATH_FOLLOW | PATH_DIRECTORY, &at);
	if (err == 0) {
		uint32_t flags = MOUNT_NOSUID | MOUNT_NODEV;

		flags |= v->writable ? 0 : MOUNT_RDONLY;
		err = mount_add(k, sb, &at, flags, v->name, NULL);
		path_put(&at);
	}
	inode_superblock_put(sb);
	return err;
}

static long bind(struct kernel *k, struct task *t,
                 const struct world_options *o, const struct world_bind *b)
{
	struct path from, at;
	long err = make_way(t, b->from);

	if (err == 0)
		err = make_folder(t, b->from, 0755, root_owner);
	for (size_t i = 0; i < ARRAY_LEN(fills) && err == 0; i++)
		if (strcmp(fills[i].at, b->at) == 0)
			err = fills[i].fill(t, o, b->from);
	if (err == 0)
		err = make_way(t, b->at);
	if (err == 0)
		err = make_folder(t, b->at, 0755, root_owner);
	if (err == 0)
		err = path_lookup(t, AT_FDCWD, b->from,
		                  PATH_FOLLOW | PATH_DIRECTORY, &from);
	if (err < 0)
		return err;
	err = path_lookup(t, AT_FDCWD, b->at, PATH_FOLLOW | PATH_DIRECTORY,
	                  &at);
	if (err == 0) {
		err = mount_bind(k, &from, &at, true);
		path_put(&at);
	}
	path_put(&from);
	return err;
}

struct volume *world_stay_root(const struct world_options *o)
{
	for (size_t i = 0; i < o->volume_count; i++)
		if (strcmp(o->volume[i].at, "/") == 0)
			return o->volume[i].volume;
	return NULL;
}

bool world_stay_covers(const struct world_options *o, const char *at)
{
	for (size_t i = 0; i < o->bind_count; i++)
		if (strcmp(o->bind[i].at, at) == 0)
			return true;
	for (size_t i = 0; i < o->volume_count; i++)
		if (strcmp(o->volume[i].at, at) == 0)
			return true;
	return false;
}

long world_stay_mount(struct kernel *k, const struct world_options *o,
                      const struct path *root)
{
	struct task *t;
	long err;

	if (o->volume_count == 0 && o->bind_count == 0)
		return 0;
	err = hand_take(k, root, &t);
	if (err < 0)
		return err;
	for (size_t i = 0; i < o->volume_count && err == 0; i++)
		if (strcmp(o->volume[i].at, "/") != 0)
			err = mount_volume(k, t, &o->volume[i]);
	for (size_t i = 0; i < o->bind_count && err == 0; i++)
		err = bind(k, t, o, &o->bind[i]);
	hand_drop(t);
	return err;
}

long world_stay_make(struct kernel *k, const struct path *root, const char *at,
                     bool file)
{
	struct task *t;
	long err = hand_take(k, root, &t);

	if (err < 0)
		return err;
	err = make_way(t, at);
	if (err == 0)
		err = make_one(t, at, file ? S_IFREG | 0644 : S_IFDIR | 0755,
		               (struct span){NULL, 0}, root_owner);
	hand_drop(t);
	return err;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first files and mounts of a qube.
 *
 * What is our own is made directly in the tmpfs file systems, by the rows of
 * world.def, before anything is mounted; then come the mounts, in order.
 */
#include "kernel/fs/world.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/rights.h"
#include "kernel/core/limits.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/templates.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/fs/volumefs.h"
#include "kernel/fs/world_image.h"
#include "kernel/fs/world_stay.h"
#include "kernel/fs/world_text.h"

#define CPUINFO_MAX ((size_t)1024 * 1024)
#define PLACES      8
#define FDS_USUAL   1024u
#define FDS_MOST    (1u << 20)
#define FDS_KEPT    512u /* descriptors that files leave to others */
#define SHARE_AT    384  /* bytes of a share's path and a link before it */

/* A tmpfs and where it will be mounted; "" is the root's upper side. */
struct place {
	const char *at;
	struct superblock *sb;
};

struct builder {
	struct kernel *k;
	const struct world_options *options;
	struct superblock *lower; /* a reference */
	struct inode *image;      /* its root, if it is one; else NULL */
	struct place place[PLACES];
	size_t place_count;
};

/* ---- what must be taken from the host before the jail ---- */

static void read_cpuinfo(struct world *w)
{
	autofree char *text = malloc(CPUINFO_MAX);
	autoclose int fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t n;

	if (!text || fd < 0)
		return;
	while ((n = read(fd, text + used, CPUINFO_MAX - used)) > 0)
		used += (size_t)n;
	w->cpuinfo = realloc(text, used ? used : 1);
	if (!w->cpuinfo)
		return;
	text = NULL;
	w->cpuinfo_size = used;
}

void world_uuid(char to[37])
{
	uint8_t b[16];
	size_t at = 0;

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		memset(b, 0, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* RFC 4122, version 4 */
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(b); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			to[at++] = '-';
		(void)snprintf(to + at, 3, "%02x", b[i]);
		at += 2;
	}
}

/* A machine's id is such a number without the dashes. */
static void make_ids(struct world *w)
{
	char id[37];
	size_t at = 0;

	world_uuid(w->boot_id);
	world_uuid(id);
	for (size_t i = 0; id[i]; i++)
		if (id[i] != '-')
			w->machine_id[at++] = id[i];
}

/* Each large file in memory is a descriptor of ours, and so is much else. */
static void raise_limit(struct world *w)
{
	struct rlimit files;
	uint64_t most;

	w->fd_limit = FDS_USUAL / 2;
	rights_allow_many();
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	most = MIN(files.rlim_cur, (rlim_t)FDS_MOST);
	w->fd_limit = (int)(most - MIN(most / 2, FDS_KEPT));
}

int world_open(struct kernel *k)
{
	struct world *w;
	struct timespec now;

	if (k->world)
		return 0;
	w = limits_alloc(k, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->next_key = 1;
	list_init(&w->mapped);
	list_init(&w->volumes);
	w->spill_fd = -1;
	list_init(&w->images);
	w->self_fds = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	clock_gettime(CLOCK_REALTIME, &now);
	w->boot_time = (uint64_t)now.tv_sec;
	read_cpuinfo(w);
	make_ids(w);
	raise_limit(w);
	/* Modes of files made in shares are the guest's to choose. */
	umask(0);
	k->world = w;
	return 0;
}

int world_keep(struct kernel *k, int fd)
{
	if (fd < k->world->fd_limit)
		return fd;
	close(fd);
	return -ENFILE;
}

int world_reopen(struct kernel *k, int fd, int flags)
{
	struct open_how how = {.flags = (uint32_t)flags | O_CLOEXEC};
	char name[16];
	long again;

	if (k->world->self_fds < 0)
		return -ENODEV;
	(void)snprintf(name, sizeof(name), "%d", fd);
	again = syscall(SYS_openat2, k->world->self_fds, name, &how,
	                sizeof(how));
	if (again < 0)
		return errno == EMFILE ? -ENFILE : -errno;
	return world_keep(k, (int)again);
}

void world_spill(struct kernel *k, int dir_fd)
{
	base_close(&k->world->spill_fd);
	k->world->spill_fd = dir_fd;
}

/* Not every file system has O_TMPFILE: a name that is gone at once will do. */
static int spill_by_name(struct kernel *k)
{
	struct open_how how = {.flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC |
	                                O_NOFOLLOW,
	                       .mode = 0600,
	                       .resolve = RESOLVE_BENEATH};
	char name[37];
	long fd;

	world_uuid(name);
	fd = syscall(SYS_openat2, k->world->spill_fd, name, &how, sizeof(how));
	if (fd < 0)
		return -errno;
	(void)unlinkat(k->world->spill_fd, name, 0);
	return (int)fd;
}

int world_spill_open(struct kernel *k)
{
	struct open_how how = {.flags = O_RDWR | O_TMPFILE | O_CLOEXEC,
	                       .mode = 0600,
	                       .resolve = RESOLVE_BENEATH};
	long fd;

	if (k->world->spill_fd < 0)
		return -ENOENT;
	fd = syscall(SYS_openat2, k->world->spill_fd, ".", &how, sizeof(how));
	if (fd < 0)
		fd = errno == EOPNOTSUPP || errno == EISDIR ? spill_by_name(k)
		                                            : -errno;
	return (int)fd;
}

void world_note_folder(struct kernel *k, int fd, const char *inside)
{
	struct world *w = k->world;
	char name[16];
	char path[2048];
	ssize_t size;
	size_t at = w->folder_count;

	(void)snprintf(name, sizeof(name), "%d", fd);
	if (w->self_fds < 0 || at == WORLD_FOLDERS)
		return;
	size = readlinkat(w->self_fds, name, path, sizeof(path));
	if (size <= 0 || (size_t)size == sizeof(path))
		return;
	w->folder[at].outside = strndup(path, (size_t)size);
	(void)snprintf(w->folder[at].inside, sizeof(w->folder[at].inside),
	               "%s%s", *inside && inside[0] != '/' ? "/" : "", inside);
	if (w->folder[at].outside)
		w->folder_count++;
}

bool world_inside(struct kernel *k, const char *outside, char *to, size_t room)
{
	struct world *w = k->world;
	size_t best = 0;
	size_t longest = 0;

	for (size_t i = 0; i < w->folder_count; i++) {
		size_t size = strlen(w->folder[i].outside);

		if (size > longest &&
		    strncmp(outside, w->folder[i].outside, size) == 0 &&
		    (outside[size] == '/' || outside[size] == '\0')) {
			longest = size;
			best = i;
		}
	}
	if (longest == 0)
		return false;
	(void)snprintf(to, room, "%s%s", w->folder[best].inside,
	               outside + longest);
	return true;
}

void world_destroy(struct kernel *k)
{
	struct world *w = k->world;

	if (!w)
		return;
	inode_superblock_put(w->memfds);
	mount_fini(k);
	base_close(&w->self_fds);
	base_close(&w->spill_fd);
	free(w->cpuinfo);
	for (size_t i = 0; i < w->folder_count; i++)
		free(w->folder[i].outside);
	limits_free(k, w, sizeof(*w));
	k->world = NULL;
}

/* ---- our own files ---- */

/* The tmpfs a path will lie on, and the rest of the path in it. */
static struct superblock *place_of(const struct builder *b, const char **path)
{
	struct superblock *sb = b->place[0].sb;
	size_t best = 0;
	const char *rest = *path;

	for (size_t i = 1; i < b->place_count; i++) {
		size_t size = strlen(b->place[i].at);

		if (size > best && strncmp(*path, b->place[i].at, size) == 0 &&
		    ((*path)[size] == '/' || (*path)[size] == '\0')) {
			best = size;
			sb = b->place[i].sb;
			rest = *path + size + ((*path)[size] == '/');
		}
	}
	*path = rest;
	return sb;
}

/* One step of make(): the child of that name, made if there is none. */
static int make_step(struct superblock *sb, struct inode *dir, struct span name,
                     const struct inode_new *how, struct inode **out)
{
	struct inode *i = tmpfs_child(dir, name);
	int err = 0;

	if (!inode_is(dir, S_IFDIR) || name.size > LIMIT_NAME)
		return -ENOTDIR;
	if (!i) {
		i = tmpfs_inode(sb, how);
		if (!i)
			return -ENOMEM;
		err = tmpfs_enter(dir, name, i);
		inode_put(i);
	}
	if (err == 0)
		*out = i;
	return err;
}

/*
 * Makes what is missing on the way to the last component of `path`, then that
 * as `how` says unless it is there.  Directories on the way belong to whom
 * their parent belongs.  Where the image has a directory, it is as there; what
 * else the image has at that path stays, unless `path` is ours: *out is NULL.
 */
static int make(struct builder *b, const char *path,
                const struct inode_new *how, struct inode **out)
{
	bool ours = world_image_ours(path);
	struct superblock *sb = place_of(b, &path);
	struct inode *dir = sb->root;
	struct inode *below = NULL;
	int err = 0;

	*out = NULL;
	if (b->image && sb == b->place[0].sb)
		below = inode_get(b->image);
	while (*path && err == 0) {
		size_t size = strcspn(path, "/");
		struct span name = {(const uint8_t *)path, size};
		bool last = path[size] == '\0';
		struct inode_new between = {
			S_IFDIR | 0755, dir->uid, dir->gid, 0, {NULL, 0}};
		struct inode *next;

		path += size + !last;
		if (size == 0)
			continue;
		err = world_image_look(below, name, &next);
		if (err < 0)
			break;
		inode_put(below);
		below = next;
		if (below && inode_is(below, S_IFDIR)) {
			between.mode = below->mode;
			between.uid = below->uid;
			between.gid = below->gid;
		} else if (below && !(last && ours)) {
			goto put_below;
		}
		if (last && !(below && S_ISDIR(how->mode)))
			between = *how;
		err = make_step(sb, dir, name, &between, &dir);
	}
	if (err == 0)
		*out = dir;
put_below:
	inode_put(below);
	return err;
}

static int make_text(struct builder *b, const char *path, uint32_t mode,
                     const char *text, size_t size)
{
	struct inode_new how = {.mode = S_IFREG | mode};
	struct inode *i;
	struct uio u;
	int64_t pos = 0;
	long done;
	int err = make(b, path, &how, &i);

	if (err < 0 || size == 0 || !i)
		return err;
	uio_init_kernel(&u, (void *)(uintptr_t)text, size);
	done = filedata_write(&((struct tmpfs_node *)i->private)->data, &u,
	                      &pos);
	return done < 0 ? (int)done : 0;
}

typedef size_t text_maker(struct kernel *k, const struct world_options *o,
                          char *to, size_t room);

static int make_made(struct builder *b, const char *path, uint32_t mode,
                     text_maker *maker)
{
	autofree char *text = malloc(WORLD_TEXT_MAX);
	size_t size;

	if (!text)
		return -ENOMEM;
	size = maker(b->k, b->options, text, WORLD_TEXT_MAX);
	if (b->image) {
		size_t merged = world_image_accounts(b->image, path, text, size,
		                                     WORLD_TEXT_MAX);

		size = merged > 0 ? merged : size;
	}
	return make_text(b, path, mode, text, size);
}

static int make_link(struct builder *b, const char *path, const char *target)
{
	struct inode_new how = {.mode = S_IFLNK | 0777,
	                        .target = span_str(target)};
	struct inode *i;

	return make(b, path, &how, &i);
}

enum whose { ROOT, USER };

static int make_dir(struct builder *b, const char *path, uint32_t mode,
                    enum whose owner)
{
	struct inode_new how = {.mode = S_IFDIR | mode};
	struct inode *i;

	if (owner == USER) {
		how.uid = b->options->user_uid;
		how.gid = b->options->user_gid;
	}
	return make(b, path, &how, &i);
}

static int add_place(struct builder *b, const char *at, uint32_t mode)
{
	struct superblock *sb;
	int err;

	assert(b->place_count < PLACES);
	err = tmpfs_create(b->k, UINT64_MAX, mode, &sb);
	if (err == 0)
		b->place[b->place_count++] = (struct place){at, sb};
	return err;
}

static int make_tmpfs(struct builder *b, const char *path, uint32_t mode,
                      enum whose owner)
{
	int err = make_dir(b, path, mode, owner);
	char at[64];

	(void)snprintf(at, sizeof(at), "/%s", path);
	if (err < 0 || world_stay_covers(b->options, at))
		return err;
	return add_place(b, path, mode);
}

static int make_files(struct builder *b)
{
#define DIR(path, mode, owner)   ROW(make_dir(b, path, mode, owner))
#define TMPFS(path, mode, owner) ROW(make_tmpfs(b, path, mode, owner))
#define LINK(path, target)       ROW(make_link(b, path, target))
#define TEXT(path, mode, text) \
	ROW(make_text(b, path, mode, text, sizeof(text) - 1))
#define MADE(path, mode, function) \
	ROW(make_made(b, path, mode, world_text_##function))
#define ROW(call)     \
	if (err == 0) \
		err = (call);
	int err = 0;
#include "kernel/fs/world.def"
#undef ROW
	return err;
}

/* ---- mounts ---- */

/* The place of an absolute or relative path, by the kernel's own walk. */
static long walk(const struct path *root, const char *path, struct path *out)
{
	struct path at = *root;

	path_get(&at);
	while (*path) {
		size_t size = strcspn(path, "/");
		struct span name = {(const uint8_t *)path, size};
		struct path next;
		long err;

		path += size;
		if (*path == '/')
			path++;
		if (size == 0)
			continue;
		err = path_child(NULL, &at, name, &next);
		path_put(&at);
		if (err < 0)
			return err;
		at = next;
	}
	*out = at;
	return 0;
}

/* Takes over the reference to `sb`. */
static long mount_at(struct builder *b, const struct path *root, const char *at,
                     struct superblock *sb, uint32_t flags)
{
	struct path where;
	long err = walk(root, at, &where);

	if (err == 0) {
		err = mount_add(b->k, sb, &where, flags, sb->ops->name, NULL);
		path_put(&where);
	}
	inode_superblock_put(sb);
	return err;
}

static int create_shm(struct kernel *k, struct superblock **out)
{
	return tmpfs_create(k, UINT64_MAX, 01777, out);
}

/* The kernel's own file systems, in the order they are mounted. */
static const struct own {
	const char *at;
	int (*create)(struct kernel *k, struct superblock **out);
	uint32_t flags;
} own_mounts[] = {
	{"proc", procfs_create, MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC},
	{"sys", sysfs_create, MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC},
	{"dev", devfs_create, MOUNT_NOSUID | MOUNT_NOEXEC},
	{"dev/pts", devpts_create, MOUNT_NOSUID | MOUNT_NOEXEC},
	{"dev/shm", create_shm, MOUNT_NOSUID | MOUNT_NODEV},
};

static long mount_own(struct builder *b, const struct path *root)
{
	for (size_t i = 0; i < ARRAY_LEN(own_mounts); i++) {
		const struct own *o = &own_mounts[i];
		struct superblock *sb;
		long err;

		err = o->create(b->k, &sb);
		if (err == 0)
			err = mount_at(b, root, o->at, sb, o->flags);
		if (err < 0)
			return err;
	}
	return 0;
}

static long mount_places(struct builder *b, const struct path *root)
{
	for (size_t i = 1; i < b->place_count; i++) {
		struct superblock *sb = inode_superblock_get(b->place[i].sb);
		long err = mount_at(b, root, b->place[i].at, sb,
		                    MOUNT_NOSUID | MOUNT_NODEV);

		if (err < 0)
			return err;
	}
	return 0;
}

/*
 * Where a share goes, relative to the root.  A link of the template at the
 * start (bin -> usr/bin) is followed: a folder of ours would hide it.
 */
static void place_share(const struct builder *b, const struct world_share *s,
                        char to[SHARE_AT])
{
	const struct world_options *o = b->options;
	const char *at = s->at + strspn(s->at, "/");
	size_t first = strcspn(at, "/");

	if (b->image) {
		world_image_follow(b->image, at, to, SHARE_AT);
		return;
	}
	for (size_t i = 0; i < o->template_count; i++) {
		if (o->template[i].fd >= 0 ||
		    strlen(o->template[i].name) != first ||
		    strncmp(o->template[i].name, at, first) != 0)
			continue;
		(void)snprintf(to, SHARE_AT, "%s%s", o->template[i].link,
		               at + first);
		return;
	}
	(void)snprintf(to, SHARE_AT, "%s", at);
}

static int make_point(struct builder *b, const struct world_share *s)
{
	struct inode_new how = {.mode = s->is_file ? S_IFREG | 0644
	                                           : S_IFDIR | 0755};
	struct inode *i;
	char at[SHARE_AT];

	place_share(b, s, at);
	return at[0] ? make(b, at, &how, &i) : -EINVAL;
}

static long mount_share(struct builder *b, const struct path *root,
                        struct world_share *s)
{
	const struct world_options *w = b->options;
	struct hostfs_options o = {
		.dir_fd = s->fd,
		.writable = s->writable,
		.host_uid = w->host_uid,
		.host_gid = w->host_gid,
		.guest_uid = w->user_uid,
		.guest_gid = w->user_gid,
	};
	struct superblock *sb;
	char at[SHARE_AT];
	long err;

	place_share(b, s, at);
	/* What stays may hide where it was made. */
	if (b->options->volume_count > 0) {
		char whole[SHARE_AT + 1];

		(void)snprintf(whole, sizeof(whole), "/%s", at);
		err = world_stay_make(b->k, root, whole, s->is_file);
		if (err < 0)
			return err;
	}
	world_note_folder(b->k, s->fd, s->at);
	err = hostfs_create(b->k, &o, &sb);
	if (err < 0)
		return err;
	return mount_at(b, root, at, sb, MOUNT_NOSUID | MOUNT_NODEV);
}

/* The root: our own files over the template, and what stays over both. */
static int create_top(struct builder *b, struct superblock **out)
{
	struct volume *v = world_stay_root(b->options);
	struct superblock *below, *volume;
	int err = overlay_create(b->k, b->lower, b->place[0].sb, &below);

	if (err < 0 || !v) {
		*out = below;
		return err;
	}
	err = volumefs_create(b->k, v, &volume);
	if (err == 0) {
		err = overlay_create(b->k, below, volume, out);
		inode_superblock_put(volume);
	}
	inode_superblock_put(below);
	return err;
}

static long mount_all(struct builder *b, struct path *root, struct path *home)
{
	struct superblock *top;
	long err = create_top(b, &top);

	if (err < 0)
		return err;
	err = mount_add(b->k, top, NULL, 0, "overlay", root);
	inode_superblock_put(top);
	if (err < 0)
		return err;
	err = mount_places(b, root);
	if (err == 0)
		err = mount_own(b, root);
	if (err == 0)
		err = world_stay_mount(b->k, b->options, root);
	for (size_t i = 0; i < b->options->share_count && err == 0; i++) {
		struct world_share s = b->options->share[i];

		err = mount_share(b, root, &s);
	}
	if (err == 0)
		err = walk(root, "home/user", home);
	if (err < 0)
		path_put(root);
	return err;
}

/* Puts our tools under what is there; root's, whoever has installed them. */
static int add_tools(struct builder *b)
{
	struct hostfs_options o = {
		.dir_fd = b->options->tools_fd,
		.template = true,
		.of_root = true,
	};
	struct superblock *tools, *both;
	int err;

	world_note_folder(b->k, o.dir_fd, "");
	err = hostfs_create(b->k, &o, &tools);
	if (err < 0)
		return err;
	err = overlay_join(b->k, tools, b->lower, &both);
	inode_superblock_put(tools);
	if (err < 0)
		return err;
	inode_superblock_put(b->lower);
	b->lower = both;
	return 0;
}

/* The template, or the folders that serve as one. */
static int create_template(struct builder *b)
{
	struct fault f;
	int err;

	if (b->options->image.main_fd == 0)
		return templates_create(b->k, b->options, &b->lower);
	err = erofs_create(b->k, &b->options->image, &b->lower, &f);
	if (err < 0)
		(void)fprintf(stderr, "template image: %s\n", f.text);
	else
		b->image = b->lower->root;
	return err;
}

/* The read-only side of the root. */
static int create_lower(struct builder *b)
{
	int err = create_template(b);

	if (err == 0 && b->options->tools_fd > 0)
		err = add_tools(b);
	return err;
}

int world_create(struct kernel *k, const struct world_options *o,
                 struct path *root, struct path *home)
{
	struct builder b = {.k = k, .options = o};
	long err;

	err = world_open(k);
	if (err == 0)
		err = create_lower(&b);
	if (err == 0)
		err = add_place(&b, "", 0755);
	if (err == 0 && o->spill_fd > 0) {
		world_spill(k, o->spill_fd);
		tmpfs_use_disk(b.place[0].sb,
		               o->spill_max ? o->spill_max : WORLD_SPILL_MAX);
	}
	if (err == 0)
		err = make_files(&b);
	for (size_t i = 0; i < o->share_count && err == 0; i++)
		err = make_point(&b, &o->share[i]);
	if (err == 0)
		err = mount_all(&b, root, home);
	for (size_t i = 0; i < b.place_count; i++)
		inode_superblock_put(b.place[i].sb);
	inode_superblock_put(b.lower);
	return (int)err;
}

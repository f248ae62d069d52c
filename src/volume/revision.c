/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/revision.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>

#include "volume/object.h"

#define NAME 40

/* ---- folders ---- */

static int open_dir(int at, const char *name)
{
	return openat(at, name,
	              O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Calls `each` with every name but the dots until it returns non-zero. */
static int for_names(int dir_fd, int (*each)(void *arg, const char *name),
                     void *arg)
{
	int again = open_dir(dir_fd, ".");
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	struct dirent *e;
	int err = 0;

	if (!dir) {
		err = -errno;
		base_close(&again);
		return err;
	}
	while (err == 0 && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			err = each(arg, e->d_name);
	(void)closedir(dir);
	return err;
}

static int unlink_in(void *arg, const char *name)
{
	const int *dir = arg;

	if (unlinkat(*dir, name, 0) < 0 && errno != EISDIR && errno != EPERM)
		return -errno;
	return 0;
}

/* A folder of ours with its objects: two levels, and no more. */
static int remove_volume(int home, const char *name)
{
	autoclose int dir = open_dir(home, name);
	autoclose int objects = dir < 0 ? -1 : open_dir(dir, "objects");
	int err = 0;

	if (dir < 0)
		return errno == ENOENT ? 0 : -errno;
	if (objects >= 0)
		err = for_names(objects, unlink_in, &objects);
	if (err == 0 && objects >= 0 && unlinkat(dir, "objects", AT_REMOVEDIR))
		err = -errno;
	if (err == 0)
		err = for_names(dir, unlink_in, &dir);
	if (err == 0 && unlinkat(home, name, AT_REMOVEDIR) < 0)
		err = -errno;
	return err;
}

/* What `live` points to: "vol.N". */
static int live_name(int home, char name[NAME])
{
	ssize_t size = readlinkat(home, "live", name, NAME - 1);

	if (size < 0)
		return -errno;
	name[size] = '\0';
	if (strncmp(name, "vol.", 4) != 0 || !object_number(name + 4))
		return -EIO;
	return 0;
}

int revision_live(int home_fd, struct fault *f)
{
	char name[NAME];
	int err = live_name(home_fd, name);
	int fd;

	if (err < 0)
		return fault_set(f, err, "there is no volume");
	fd = open_dir(home_fd, name);
	return fd < 0 ? fault_errno(f, "open the volume") : fd;
}

/* The live volume's folder, locked until *lock is closed. */
static int lock_live(int home, int *lock, struct fault *f)
{
	int dir = revision_live(home, f);
	autoclose int fd = -1;

	if (dir < 0)
		return dir;
	fd = openat(dir, "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*lock = take_fd(&fd);
		return dir;
	}
	close(dir);
	if (fd >= 0 && errno == EWOULDBLOCK)
		return fault_set(f, -EBUSY,
		                 "the volume is in use: stop the qube first");
	return fault_errno(f, "lock the volume");
}

/* ---- copying ---- */

struct copying {
	int from, to; /* folders of objects */
	bool links;   /* the host cannot clone */
	struct revision_watch *watch;
};

static int copy_file(int from, int to, const char *name)
{
	autoclose int in = openat(from, name,
	                          O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	autoclose int out = -1;

	if (in < 0)
		return -errno;
	out = openat(to, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return out < 0 ? -errno : object_copy(in, out);
}

/* Can the host share blocks?  Tried on the first object. */
static bool can_clone(int from, int to, const char *name)
{
	autoclose int in = openat(from, name,
	                          O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	autoclose int out = -1;
	bool can;

	if (in < 0)
		return false;
	out = openat(to, "probe", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	can = out >= 0 && ioctl(out, FICLONE, in) == 0;
	(void)unlinkat(to, "probe", 0);
	return can;
}

static int copy_one(void *arg, const char *name)
{
	struct copying *c = arg;

	if (object_number(name) == 0)
		return 0; /* half a copy */
	if (c->watch)
		c->watch->step(c->watch->ctx, c->watch->done++, c->watch->all);
	if (!c->links && !can_clone(c->from, c->to, name))
		c->links = true;
	if (c->links && linkat(c->from, name, c->to, name, 0) == 0)
		return 0;
	if (c->links && errno != EMLINK && errno != EXDEV)
		return -errno;
	return copy_file(c->from, c->to, name);
}

/* What the manager keeps with a volume never changes: a second name will do. */
static int link_base(void *arg, const char *name)
{
	const struct copying *c = arg;

	if (strncmp(name, "base.", 5) != 0)
		return 0;
	return linkat(c->from, name, c->to, name, 0) < 0 ? -errno : 0;
}

/* Everything of the volume in `from`, into the new folder `name` of `home`. */
static int copy_volume(int from, int home, const char *name,
                       struct revision_watch *watch, bool synced)
{
	static const char *const files[] = {"header", "meta.mdb", "lock"};
	autoclose int objects = open_dir(from, "objects");
	autoclose int to = -1;
	struct copying c = {.from = objects, .to = -1, .watch = watch};
	struct copying base = {.from = from};
	struct stat st;
	int err = 0;

	if (objects < 0 || mkdirat(home, name, 0700) < 0)
		return -errno;
	to = open_dir(home, name);
	if (to < 0 || mkdirat(to, "objects", 0700) < 0)
		return -errno;
	c.to = open_dir(to, "objects");
	if (c.to < 0)
		return -errno;
	err = for_names(objects, copy_one, &c);
	close(c.to);
	for (size_t i = 0; i < ARRAY_LEN(files) && err == 0; i++)
		err = copy_file(from, to, files[i]);
	base.to = to;
	if (err == 0)
		err = for_names(from, link_base, &base);
	/* Whether it was closed in order is part of what it is. */
	if (err == 0 && fstatat(from, "open", &st, AT_SYMLINK_NOFOLLOW) == 0)
		err = copy_file(from, to, "open");
	if (err == 0 && synced && syncfs(to) < 0)
		err = -errno;
	return err;
}

/* ---- putting in place ---- */

/* `made` becomes the volume in use; the one before goes. */
static int put_live(int home, const char *made, bool synced)
{
	char before[NAME];
	char name[NAME];
	uint64_t number = 0;
	int had = live_name(home, before);

	if (had == 0)
		number = object_number(before + 4);
	(void)snprintf(name, sizeof(name), "vol.%llu",
	               (unsigned long long)number + 1);
	/* Nobody uses it: a crash left it behind. */
	(void)remove_volume(home, name);
	(void)unlinkat(home, "new.live", 0);
	if (renameat(home, made, home, name) < 0 ||
	    symlinkat(name, home, "new.live") < 0 ||
	    renameat(home, "new.live", home, "live") < 0 ||
	    (synced && fsync(home) < 0))
		return -errno;
	return had == 0 ? remove_volume(home, before) : 0;
}

static int sweep_one(void *arg, const char *name)
{
	const int *home = arg;
	char live[NAME];

	if (strncmp(name, "new.", 4) == 0 ||
	    (strncmp(name, "vol.", 4) == 0 && live_name(*home, live) == 0 &&
	     strcmp(name, live) != 0)) {
		if (unlinkat(*home, name, 0) < 0)
			return remove_volume(*home, name);
	}
	return 0;
}

/* What a crash left behind. */
static int sweep(int home)
{
	return for_names(home, sweep_one, &home);
}

static int report(int err, const char *what, struct fault *f)
{
	if (err >= 0)
		return 0;
	return fault_set(f, err, "%s the volume: %s", what, strerror(-err));
}

int revision_init(int home_fd, const struct volume_limits *limits,
                  enum header_lock how, struct span secret, struct fault *f)
{
	autoclose int dir = -1;
	int err;

	if (mkdirat(home_fd, "new.vol", 0700) < 0 && errno != EEXIST)
		return fault_errno(f, "make a volume");
	dir = open_dir(home_fd, "new.vol");
	if (dir < 0)
		return fault_errno(f, "make a volume");
	err = volume_create(dir, limits, how, secret, f);
	if (err < 0)
		return err;
	return report(put_live(home_fd, "new.vol", true), "make", f);
}

/* ---- revisions ---- */

struct ids {
	uint64_t *id;
	size_t count;
};

static int note_id(void *arg, const char *name)
{
	struct ids *all = arg;
	uint64_t id = strncmp(name, "rev.", 4) == 0 ? object_number(name + 4)
	                                            : 0;
	uint64_t *more;

	if (id == 0)
		return 0;
	more = reallocarray(all->id, all->count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	more[all->count++] = id;
	all->id = more;
	return 0;
}

static int by_age(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a;
	uint64_t right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

int revision_list(int home_fd, uint64_t **ids, struct fault *f)
{
	struct ids all = {0};
	int err = for_names(home_fd, note_id, &all);

	if (err < 0) {
		free(all.id);
		return report(err, "list the revisions of", f);
	}
	if (all.count)
		qsort(all.id, all.count, sizeof(*all.id), by_age);
	*ids = all.id;
	return (int)all.count;
}

static void revision_name(uint64_t id, char name[NAME])
{
	(void)snprintf(name, NAME, "rev.%llu", (unsigned long long)id);
}

/* Removes the oldest until `keep` are left. */
static int prune(int home, uint32_t keep, struct fault *f)
{
	autofree uint64_t *ids = NULL;
	int count = revision_list(home, &ids, f);
	int err = MIN(count, 0);

	for (int i = 0; i + (int)MIN(keep, INT32_MAX / 2) < count && err == 0;
	     i++) {
		char name[NAME];

		revision_name(ids[i], name);
		err = report(remove_volume(home, name), "forget a revision of",
		             f);
	}
	return err;
}

int revision_take(int home_fd, uint32_t keep, uint64_t *id, struct fault *f)
{
	autofree uint64_t *ids = NULL;
	autoclose int lock = -1;
	autoclose int dir = -1;
	uint64_t now = (uint64_t)time(NULL);
	char name[NAME];
	int count;
	int err;

	if (keep == 0)
		return prune(home_fd, 0, f);
	dir = lock_live(home_fd, &lock, f);
	if (dir < 0)
		return dir;
	count = revision_list(home_fd, &ids, f);
	if (count < 0)
		return count;
	/* Two in one second, or a clock that went back. */
	if (count > 0)
		now = MAX(now, ids[count - 1] + 1);
	err = sweep(home_fd);
	if (err == 0)
		err = copy_volume(dir, home_fd, "new.rev", NULL, true);
	revision_name(now, name);
	if (err == 0 && (renameat(home_fd, "new.rev", home_fd, name) < 0 ||
	                 fsync(home_fd) < 0))
		err = -errno;
	if (err < 0)
		return report(err, "keep a revision of", f);
	if (id)
		*id = now;
	return prune(home_fd, keep, f);
}

int revision_revert(int home_fd, uint64_t id, struct fault *f)
{
	autofree uint64_t *ids = NULL;
	autoclose int lock = -1;
	autoclose int live = lock_live(home_fd, &lock, f);
	autoclose int dir = -1;
	char name[NAME];
	int count;
	int err;

	if (live < 0)
		return take_fd(&live);
	count = revision_list(home_fd, &ids, f);
	if (count < 0)
		return count;
	if (count == 0)
		return fault_set(f, -ENOENT,
		                 "the volume has no revision: `bento volume "
		                 "snapshot` makes one");
	revision_name(id ? id : ids[count - 1], name);
	dir = open_dir(home_fd, name);
	if (dir < 0)
		return fault_set(f, -ENOENT, "the volume has no revision %llu",
		                 (unsigned long long)id);
	err = sweep(home_fd);
	if (err == 0)
		err = copy_volume(dir, home_fd, "new.vol", NULL, true);
	if (err == 0)
		err = put_live(home_fd, "new.vol", true);
	return report(err, "revert", f);
}

static int count_one(void *arg, const char *name)
{
	int64_t *count = arg;

	*count += object_number(name) != 0;
	return 0;
}

int64_t revision_measure(int home_fd, struct fault *f)
{
	autoclose int live = revision_live(home_fd, f);
	autoclose int objects = live < 0 ? -1 : open_dir(live, "objects");
	int64_t count = 0;
	int err;

	if (live < 0)
		return take_fd(&live);
	err = objects < 0 ? -EIO : for_names(objects, count_one, &count);
	return err < 0 ? report(err, "look into", f) : count;
}

static int clone(int from_home_fd, int to_home_fd, struct revision_watch *watch,
                 bool synced, struct fault *f)
{
	autoclose int lock = -1;
	autoclose int live = lock_live(from_home_fd, &lock, f);
	int err;

	if (live < 0)
		return take_fd(&live);
	err = sweep(to_home_fd);
	if (err == 0)
		err = copy_volume(live, to_home_fd, "new.vol", watch, synced);
	if (err == 0)
		err = put_live(to_home_fd, "new.vol", synced);
	return report(err, "clone", f);
}

int revision_clone(int from_home_fd, int to_home_fd,
                   struct revision_watch *watch, struct fault *f)
{
	return clone(from_home_fd, to_home_fd, watch, true, f);
}

int revision_borrow(int from_home_fd, int to_home_fd, struct fault *f)
{
	return clone(from_home_fd, to_home_fd, NULL, false, f);
}

int revision_clear(int home_fd, const uint8_t *key, struct fault *f)
{
	autoclose int live = revision_live(home_fd, f);
	autoclose int dir = -1;
	struct volume *v;
	int err;

	if (live < 0)
		return take_fd(&live);
	err = volume_open(live, key, &v, f);
	if (err < 0)
		return err;
	err = sweep(home_fd);
	if (err == 0 && mkdirat(home_fd, "new.vol", 0700) < 0)
		err = -errno;
	if (err == 0)
		dir = open_dir(home_fd, "new.vol");
	if (err < 0 || dir < 0) {
		(void)volume_close(v);
		return report(err < 0 ? err : -EIO, "clear", f);
	}
	err = volume_create_like(dir, v, key, f);
	if (err == 0)
		err = report(put_live(home_fd, "new.vol", true), "clear", f);
	volume_abandon(v);
	return err;
}

int revision_resize(int home_fd, const uint8_t *key,
                    const struct volume_limits *limits, struct fault *f)
{
	autoclose int live = revision_live(home_fd, f);
	struct volume *v;
	int err;

	if (live < 0)
		return take_fd(&live);
	err = volume_open(live, key, &v, f);
	if (err < 0)
		return err;
	volume_resize(v, limits);
	return report(volume_close(v), "resize", f);
}

struct relocking {
	int home;
	struct header new;
	struct fault *f;
};

static int relock_one(void *arg, const char *name)
{
	struct relocking *r = arg;
	autoclose int dir = -1;
	struct header old;
	int err;

	if (strncmp(name, "vol.", 4) != 0 && strncmp(name, "rev.", 4) != 0)
		return 0;
	dir = open_dir(r->home, name);
	err = dir < 0 ? fault_errno(r->f, "open a revision")
	              : header_load(dir, &old, r->f);
	if (err < 0 || old.lock == HEADER_OPEN ||
	    memcmp(old.uuid, r->new.uuid, sizeof(old.uuid)) != 0)
		return err;
	return header_store(dir, &r->new, r->f);
}

int revision_relock(int home_fd, const uint8_t key[HEADER_KEY],
                    enum header_lock how, struct span secret, struct fault *f)
{
	struct relocking r = {.home = home_fd, .f = f};
	autoclose int live = revision_live(home_fd, f);
	int err = live < 0 ? live : header_load(live, &r.new, f);

	if (err == 0 && r.new.lock == HEADER_OPEN)
		err = fault_set(f, -EINVAL, "the volume is not encrypted");
	if (err == 0)
		err = sweep(home_fd);
	if (err == 0)
		err = header_lock(&r.new, how, secret, key, f);
	return err < 0 ? err : for_names(home_fd, relock_one, &r);
}

int revision_take_base(int from_dir_fd, int to_dir_fd, struct fault *f)
{
	struct copying c = {.from = from_dir_fd, .to = to_dir_fd};

	return report(for_names(from_dir_fd, link_base, &c), "copy", f);
}

static int remove_one(void *arg, const char *name)
{
	const int *home = arg;

	if (unlinkat(*home, name, 0) == 0)
		return 0;
	return remove_volume(*home, name);
}

int revision_remove(int home_fd, struct fault *f)
{
	autoclose int lock = -1;
	struct fault ignored;
	autoclose int live = lock_live(home_fd, &lock, &ignored);

	if (live == -EBUSY) {
		*f = ignored;
		return take_fd(&live);
	}
	return report(for_names(home_fd, remove_one, &home_fd), "remove", f);
}

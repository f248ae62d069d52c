/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "manager/call.h"
#include "manager/rootbase.h"
#include "manager/worker.h"
#include "volume/revision.h"

#define DEPTH_MAX 8 /* of a volume's folder: we make no deeper ones */

static const struct {
	unsigned bit;
	const char *name;
} volumes_of[] = {
	{DISK_PRIVATE, "private"},
	{DISK_ROOT, "root"},
};

unsigned disk_volumes(enum qube_class class)
{
	switch (class) {
	case QUBE_AppVM:
		return DISK_PRIVATE;
	case QUBE_TemplateVM:
	case QUBE_StandaloneVM:
		return DISK_PRIVATE | DISK_ROOT;
	case QUBE_AdminVM:
	case QUBE_DispVM:
	case QUBE_RemoteVM:
	case QUBE_CLASSES:
		break;
	}
	return 0;
}

unsigned disk_volume_bit(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(volumes_of); i++)
		if (strcmp(volumes_of[i].name, name) == 0)
			return volumes_of[i].bit;
	return 0;
}

const char *disk_default_size(const char *volume)
{
	/* 2 GiB for a home, 10 GiB for what programs need. */
	return strcmp(volume, "private") == 0 ? "2147483648" : "10737418240";
}

static void doomed_key(char key[LEDGER_KEY_MAX], const char *uuid)
{
	(void)snprintf(key, LEDGER_KEY_MAX, "doomed/%s", uuid);
}

void disk_doom(struct ledger *l, const char *uuid)
{
	char key[LEDGER_KEY_MAX];

	doomed_key(key, uuid);
	ledger_put_text(l, key, "");
}

void disk_save(struct ledger *l, const char *uuid)
{
	char key[LEDGER_KEY_MAX];

	doomed_key(key, uuid);
	ledger_delete(l, key);
}

int disk_open(const struct manager *m, const char *uuid, const char *volume,
              struct fault *f)
{
	char path[QUBE_UUID_SIZE + 16];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", uuid, volume);
	fd = openat(m->volumes, path,
	            O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fault_errno(f, "open the volume %s", volume);
	return fd;
}

/* A root over an image keeps to the version that there is now. */
static int keep_base(int home, const char *name, const char *image,
                     struct fault *f)
{
	autoclose int live = -1;

	if (strcmp(name, "root") != 0 || !*image)
		return 0;
	live = revision_live(home, f);
	return live < 0 ? live : rootbase_keep(live, image, true, f);
}

static int make_volume(int fd, const char *name, struct fault *f)
{
	struct volume_limits limits = {
		.bytes = strtoull(disk_default_size(name), NULL, 10),
	};

	return revision_init(fd, &limits, HEADER_OPEN, (struct span){NULL, 0},
	                     f);
}

int disk_make(const struct manager *m, const char *uuid,
              const struct disk_wish *w, struct fault *f)
{
	autoclose int folder = paths_open_below(m->volumes, uuid, f);
	int err;

	if (folder < 0)
		return folder;
	for (size_t i = 0; i < ARRAY_LEN(volumes_of); i++) {
		autoclose int fd = -1;

		if (!(w->volumes & volumes_of[i].bit))
			continue;
		fd = paths_open_below(folder, volumes_of[i].name, f);
		if (fd < 0)
			return fd;
		err = make_volume(fd, volumes_of[i].name, f);
		if (err == 0)
			err = keep_base(fd, volumes_of[i].name, w->image, f);
		if (err < 0)
			return err;
	}
	if (fsync(folder) < 0 || fsync(m->volumes) < 0)
		return fault_errno(f, "write the folder of volumes");
	return 0;
}

/* Empties a folder.  0 or -errno. */
static int empty(int folder, int depth)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	int err = 0;

	if (!d) {
		err = -errno;
		base_close(&fd);
		return err;
	}
	while (err == 0 && (e = readdir(d))) {
		autoclose int below = -1;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(folder, e->d_name, 0) == 0)
			continue;
		if (errno != EISDIR || depth == 0) {
			err = -errno;
			break;
		}
		below = openat(folder, e->d_name,
		               O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		err = below < 0 ? -errno : empty(below, depth - 1);
		if (err == 0 && unlinkat(folder, e->d_name, AT_REMOVEDIR) < 0)
			err = -errno;
	}
	closedir(d);
	return err;
}

int disk_drop(const struct manager *m, const char *uuid, struct fault *f)
{
	autoclose int folder = openat(m->volumes, uuid,
	                              O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	                                      O_CLOEXEC);
	int err;

	if (folder < 0 && errno == ENOENT)
		return 0;
	if (folder < 0)
		return fault_errno(f, "open the volumes of %s", uuid);
	err = empty(folder, DEPTH_MAX);
	if (err == 0 && unlinkat(m->volumes, uuid, AT_REMOVEDIR) < 0)
		err = -errno;
	if (err < 0)
		return fault_set(f, err, "remove the volumes of %s: %s", uuid,
		                 strerror(-err));
	if (fsync(m->volumes) < 0)
		return fault_errno(f, "write the folder of volumes");
	return 0;
}

/* How much there will be to copy, for whoever watches. */
static int measure(const struct manager *m, const char *uuid, unsigned volumes,
                   struct revision_watch *watch, struct fault *f)
{
	for (size_t i = 0; i < ARRAY_LEN(volumes_of) && watch; i++) {
		autoclose int home = -1;
		int64_t count;

		if (!(volumes & volumes_of[i].bit))
			continue;
		home = disk_open(m, uuid, volumes_of[i].name, f);
		if (home < 0)
			return home;
		count = revision_measure(home, f);
		if (count < 0)
			return (int)count;
		watch->all += (uint64_t)count;
	}
	return 0;
}

int disk_copy(const struct manager *m, const char *from, const char *to,
              const struct disk_wish *w, struct fault *f)
{
	autoclose int folder = paths_open_below(m->volumes, to, f);
	int counted;

	if (folder < 0)
		return folder;
	counted = measure(m, from, w->volumes, w->watch, f);
	if (counted < 0)
		return counted;
	for (size_t i = 0; i < ARRAY_LEN(volumes_of); i++) {
		autoclose int src = -1, dst = -1;
		int err;

		if (!(w->volumes & volumes_of[i].bit))
			continue;
		src = disk_open(m, from, volumes_of[i].name, f);
		if (src < 0)
			return src;
		dst = paths_open_below(folder, volumes_of[i].name, f);
		if (dst < 0)
			return dst;
		err = revision_clone(src, dst, w->watch, f);
		if (err == 0)
			err = keep_base(dst, volumes_of[i].name, w->image, f);
		if (err < 0)
			return err;
	}
	if (fsync(folder) < 0 || fsync(m->volumes) < 0)
		return fault_errno(f, "write the folder of volumes");
	return 0;
}

/* Removes a folder below another; not being there is no error.  0 or -errno. */
static int drop_below(int folder, const char *name)
{
	autoclose int below = openat(
		folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int err;

	if (below < 0)
		return errno == ENOENT ? 0 : -errno;
	err = empty(below, DEPTH_MAX);
	if (err == 0 && unlinkat(folder, name, AT_REMOVEDIR) < 0)
		err = -errno;
	return err;
}

/* When the volume in use was last opened or closed, or copied from. */
static int changed_at(int home, struct timespec *out, struct fault *f)
{
	autoclose int live = revision_live(home, f);
	struct stat st;

	if (live < 0)
		return live;
	if (fstat(live, &st) < 0)
		return fault_errno(f, "look at a volume");
	*out = st.st_mtim;
	return 0;
}

static bool is_as_of(int folder, const char *name, const struct timespec *when)
{
	struct stat st;

	return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_mtim.tv_sec == when->tv_sec &&
	       st.st_mtim.tv_nsec == when->tv_nsec;
}

/*
 * Makes `volume` of this folder be there as VOLUME.committed, as it was when its
 * qube last ended.  While that runs, what was committed before stays; 0, too, if
 * there never was one.
 */
static int commit_volume(int folder, const char *volume, struct fault *f)
{
	autoclose int home = -1, made = -1;
	char committed[32], fresh[32];
	struct timespec when[2];
	int err;

	(void)snprintf(committed, sizeof(committed), "%s.committed", volume);
	(void)snprintf(fresh, sizeof(fresh), "%s.new", volume);
	home = paths_open_below(folder, volume, f);
	if (home < 0)
		return home;
	err = changed_at(home, &when[1], f);
	if (err < 0)
		return err;
	when[0] = when[1];
	if (is_as_of(folder, committed, &when[1]))
		return 0;
	err = drop_below(folder, fresh);
	if (err < 0)
		return fault_set(f, err, "remove %s: %s", fresh,
		                 strerror(-err));
	made = paths_open_below(folder, fresh, f);
	if (made < 0)
		return made;
	err = revision_clone(home, made, NULL, f);
	if (err < 0)
		(void)drop_below(folder, fresh);
	if (err < 0)
		return err == -EBUSY ? 0 : err;
	/* To copy may have touched it: as of now. */
	if (changed_at(home, &when[1], f) < 0 || futimens(made, when) < 0)
		return fault_errno(f, "date a copy");
	err = drop_below(folder, committed);
	if (err < 0 || renameat(folder, fresh, folder, committed) < 0)
		return fault_errno(f, "put %s in its place", committed);
	return 0;
}

/*
 * The folder of a qube whose volumes others get snapshots of, for one worker at a
 * time: two that start at once would commit the same volume beside each other.
 */
static int open_alone(const struct manager *m, const char *uuid,
                      struct fault *f)
{
	autoclose int folder = paths_open_below(m->volumes, uuid, f);

	if (folder < 0)
		return take_fd(&folder);
	while (flock(folder, LOCK_EX) < 0)
		if (errno != EINTR)
			return fault_errno(f, "lock the volumes of %s", uuid);
	return take_fd(&folder);
}

int disk_commit(const struct manager *m, const char *uuid, const char *volume,
                struct fault *f)
{
	autoclose int folder = open_alone(m, uuid, f);

	return folder < 0 ? folder : commit_volume(folder, volume, f);
}

bool disk_is_there(const struct manager *m, const char *uuid)
{
	return faccessat(m->volumes, uuid, F_OK, 0) == 0;
}

bool disk_is_used(const struct manager *m, const char *uuid)
{
	char path[QUBE_UUID_SIZE + 8];

	(void)snprintf(path, sizeof(path), "%s/used", uuid);
	return faccessat(m->volumes, path, F_OK, 0) == 0;
}

int disk_use(const struct manager *m, const char *uuid, struct fault *f)
{
	char path[QUBE_UUID_SIZE + 8];
	autoclose int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/used", uuid);
	fd = openat(m->volumes, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return fd < 0 ? fault_errno(f, "note that a volume is used") : 0;
}

int disk_snapshot(const struct manager *m, const char *from, const char *to,
                  const char *volume, struct fault *f)
{
	autoclose int theirs = open_alone(m, from, f);
	autoclose int ours = -1, src = -1, dst = -1;
	char committed[32];
	int err;

	if (theirs < 0)
		return theirs;
	ours = paths_open_below(m->volumes, to, f);
	if (ours < 0)
		return ours;
	err = commit_volume(theirs, volume, f);
	if (err < 0)
		return err;
	err = drop_below(ours, volume);
	if (err < 0)
		return fault_set(f, err, "remove an old snapshot: %s",
		                 strerror(-err));
	dst = paths_open_below(ours, volume, f);
	if (dst < 0)
		return dst;
	(void)snprintf(committed, sizeof(committed), "%s.committed", volume);
	src = openat(theirs, committed,
	             O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* It runs for the first time: what it keeps is not there yet. */
	if (src < 0 && errno == ENOENT)
		return make_volume(dst, volume, f);
	if (src < 0)
		return fault_errno(f, "open %s", committed);
	return revision_borrow(src, dst, f);
}

void disk_discard(const struct manager *m, const char *uuid, const char *volume)
{
	autoclose int folder = openat(m->volumes, uuid,
	                              O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	                                      O_CLOEXEC);

	/* What stays is removed with the next start, or with the qube. */
	if (folder >= 0)
		(void)drop_below(folder, volume);
}

int disk_beside(const struct manager *m, const char *uuid, const char *volume,
                struct fault *f)
{
	autoclose int folder = paths_open_below(m->volumes, uuid, f);
	char fresh[32];
	int err;

	if (folder < 0)
		return take_fd(&folder);
	(void)snprintf(fresh, sizeof(fresh), "%s.new", volume);
	err = drop_below(folder, fresh);
	if (err < 0)
		return fault_set(f, err, "remove %s: %s", fresh,
		                 strerror(-err));
	return paths_open_below(folder, fresh, f);
}

int disk_exchange(const struct manager *m, const char *uuid, const char *volume,
                  struct fault *f)
{
	autoclose int folder = paths_open_below(m->volumes, uuid, f);
	char fresh[32];

	if (folder < 0)
		return folder;
	(void)snprintf(fresh, sizeof(fresh), "%s.new", volume);
	if (renameat2(folder, fresh, folder, volume, RENAME_EXCHANGE) < 0)
		return fault_errno(f, "put the copy in its place");
	/* What it was; if this fails, the next copy does it. */
	(void)drop_below(folder, fresh);
	return fsync(folder) < 0 ? fault_errno(f, "write the volume") : 0;
}

int disk_replace(const struct manager *m, const char *from, const char *to,
                 const char *volume, struct revision_watch *watch,
                 struct fault *f)
{
	autoclose int src = disk_open(m, from, volume, f);
	autoclose int made = -1;
	int err;

	if (src < 0)
		return src;
	err = measure(m, from, disk_volume_bit(volume), watch, f);
	if (err < 0)
		return err;
	made = disk_beside(m, to, volume, f);
	if (made < 0)
		return made;
	err = revision_clone(src, made, watch, f);
	return err < 0 ? err : disk_exchange(m, to, volume, f);
}

struct drop {
	char uuid[QUBE_UUID_SIZE];
	struct call *call;
};

static int forget(struct manager *m, const char *uuid, struct fault *f)
{
	int err = ledger_begin(m->ledger, true, f);

	if (err < 0)
		return err;
	disk_save(m->ledger, uuid);
	return ledger_commit(m->ledger, f);
}

/* Should it have failed, the next manager tries again. */
static void drop_done(struct manager *m, void *what, int err,
                      const struct fault *why)
{
	const struct drop *d = what;
	struct fault f = *why;

	if (err == 0 && !qube_uuid_passes(d->uuid))
		err = forget(m, d->uuid, &f);
	if (err < 0)
		(void)fprintf(stderr, "%s\n", f.text);
	if (d->call)
		call_finish(d->call,
		            err < 0 ? call_fault(d->call, err, &f) : 0);
}

int disk_drop_later(struct manager *m, const char *uuid, struct call *c,
                    struct fault *f)
{
	struct drop *d = calloc(1, sizeof(*d));
	struct chore w = {.kind = CHORE_drop};
	int err;

	if (!d)
		return fault_set(f, -ENOMEM, "out of memory");
	(void)snprintf(d->uuid, sizeof(d->uuid), "%s", uuid);
	memcpy(w.uuid, d->uuid, sizeof(w.uuid));
	d->call = c;
	err = worker_start(m, &w, drop_done, d, f);
	if (err < 0)
		free(d);
	return err;
}

/* The first that is doomed; false if none is. */
static bool find_doomed(struct manager *m, char uuid[QUBE_UUID_SIZE])
{
	struct ledger_walk w;
	bool found;

	ledger_walk_begin(&w, m->ledger, "doomed/");
	found = ledger_walk_next(&w);
	if (found)
		(void)snprintf(uuid, QUBE_UUID_SIZE, "%.36s", w.rest);
	ledger_walk_end(&w);
	return found;
}

static int sweep_doomed(struct manager *m, struct fault *f)
{
	char uuid[QUBE_UUID_SIZE];
	bool found;
	int err;

	for (;;) {
		err = ledger_begin(m->ledger, false, f);
		if (err < 0)
			return err;
		found = find_doomed(m, uuid);
		ledger_abort(m->ledger);
		if (!found)
			return 0;
		err = disk_drop(m, uuid, f);
		if (err == 0)
			err = forget(m, uuid, f);
		if (err < 0)
			return err;
	}
}

/* In a transaction: is this the folder of a disposable that is no more? */
static bool is_passed(struct manager *m, const char *uuid)
{
	char name[QUBE_UUID_SIZE + 8];
	struct qube q;

	(void)snprintf(name, sizeof(name), "uuid:%.36s", uuid);
	return qube_uuid_passes(uuid) && qube_find(m->ledger, name, &q) < 0;
}

static int sweep_passed(struct manager *m, struct fault *f)
{
	int fd = openat(m->volumes, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	int err;

	if (!d) {
		err = fault_errno(f, "look for what disposables have left");
		base_close(&fd);
		return err;
	}
	err = ledger_begin(m->ledger, false, f);
	while (err == 0 && (e = readdir(d)))
		if (is_passed(m, e->d_name))
			err = disk_drop(m, e->d_name, f);
	ledger_abort(m->ledger);
	closedir(d);
	return err;
}

int disk_sweep(struct manager *m, struct fault *f)
{
	int err = sweep_doomed(m, f);

	return err < 0 ? err : sweep_passed(m, f);
}

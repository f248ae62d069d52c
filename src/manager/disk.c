/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "manager/call.h"
#include "manager/worker.h"

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

int disk_make(const struct manager *m, const char *uuid, unsigned volumes,
              struct fault *f)
{
	autoclose int folder = paths_open_below(m->volumes, uuid, f);

	if (folder < 0)
		return folder;
	for (size_t i = 0; i < ARRAY_LEN(volumes_of); i++) {
		autoclose int fd = -1;

		if (!(volumes & volumes_of[i].bit))
			continue;
		fd = paths_open_below(folder, volumes_of[i].name, f);
		if (fd < 0)
			return fd;
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

/* The contents of a file; shared with the source where the host can. */
static int copy_file(int from, int to, const char *name)
{
	autoclose int src = openat(from, name,
	                           O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	autoclose int dst = -1;
	ssize_t n;

	if (src < 0)
		return -errno;
	dst = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (dst < 0)
		return -errno;
	if (ioctl(dst, FICLONE, src) < 0) {
		do
			n = copy_file_range(src, NULL, dst, NULL,
			                    (size_t)1 << 30, 0);
		while (n > 0 || (n < 0 && errno == EINTR));
		if (n < 0)
			return -errno;
	}
	return fsync(dst) < 0 ? -errno : 0;
}

/* All that is in a folder, which has files and folders only. */
static int copy_folder(int from, int to, int depth)
{
	int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	int err = 0;

	if (!d) {
		err = -errno;
		base_close(&fd);
		return err;
	}
	while (err == 0 && (e = readdir(d))) {
		autoclose int src = -1, dst = -1;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		src = openat(from, e->d_name,
		             O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (src < 0 && errno == ENOTDIR) {
			err = copy_file(from, to, e->d_name);
			continue;
		}
		if (src < 0 || depth == 0 || mkdirat(to, e->d_name, 0700) < 0) {
			err = depth ? -errno : -ELOOP;
			break;
		}
		dst = openat(to, e->d_name,
		             O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		err = dst < 0 ? -errno : copy_folder(src, dst, depth - 1);
	}
	closedir(d);
	if (err == 0 && fsync(to) < 0)
		err = -errno;
	return err;
}

int disk_copy(const struct manager *m, const char *from, const char *to,
              unsigned volumes, struct fault *f)
{
	autoclose int folder = paths_open_below(m->volumes, to, f);

	if (folder < 0)
		return folder;
	for (size_t i = 0; i < ARRAY_LEN(volumes_of); i++) {
		autoclose int src = -1, dst = -1;
		int err;

		if (!(volumes & volumes_of[i].bit))
			continue;
		src = disk_open(m, from, volumes_of[i].name, f);
		if (src < 0)
			return src;
		dst = paths_open_below(folder, volumes_of[i].name, f);
		if (dst < 0)
			return dst;
		err = copy_folder(src, dst, DEPTH_MAX);
		if (err < 0)
			return fault_set(f, err, "copy the volume %s: %s",
			                 volumes_of[i].name, strerror(-err));
	}
	if (fsync(folder) < 0 || fsync(m->volumes) < 0)
		return fault_errno(f, "write the folder of volumes");
	return 0;
}

struct drop {
	char uuid[QUBE_UUID_SIZE];
	struct call *call;
};

static int drop_work(const struct manager *m, const void *what, struct fault *f)
{
	return disk_drop(m, ((const struct drop *)what)->uuid, f);
}

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

	if (err == 0)
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
	int err;

	if (!d)
		return fault_set(f, -ENOMEM, "out of memory");
	(void)snprintf(d->uuid, sizeof(d->uuid), "%s", uuid);
	d->call = c;
	err = worker_start(m, drop_work, drop_done, d, f);
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

int disk_sweep(struct manager *m, struct fault *f)
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

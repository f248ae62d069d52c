/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/volume.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "volume/object.h"
#include "volume/recover.h"

/* For objects to come, with what the disk needs to name them; and to delete with. */
#define LATER    (VOLUME_LATER_MAX + ((uint64_t)1 << 20))
#define RESERVE  (LATER + ((uint64_t)1 << 20))
#define PER_FILE 4096u /* bytes of the limit for each inode, if not said */

/* Which key of the volume's is for what: crypto_kdf's subkeys. */
enum subkey { NAMES = 1, RECORDS, OBJECTS };

static const char context[crypto_kdf_CONTEXTBYTES + 1] = "bentovol";

/* ---- making ---- */

static struct volume_limits checked(const struct volume_limits *l)
{
	struct volume_limits c = {MIN(l->bytes, VOLUME_BYTES_MAX),
	                          MIN(l->inodes, VOLUME_INODES_MAX)};

	if (c.inodes == 0)
		c.inodes = MAX(c.bytes / PER_FILE, 16);
	return c;
}

static struct vrecord_time now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (struct vrecord_time){ts.tv_sec, (uint32_t)ts.tv_nsec};
}

/* The first batch: the volume itself and an empty root. */
static int write_first(struct volume *v)
{
	struct vrecord_inode root = {
		.mode = S_IFDIR | 0755, .nlink = 2, .parent = VRECORD_ROOT};
	struct vrecord_key key = vrecord_key_inode(VRECORD_ROOT);
	struct store_edit e = {0};
	uint8_t bytes[256];
	int err;

	root.atime = root.mtime = root.ctime = root.btime = now();
	err = store_edit_put(
		&e, &key,
		(struct span){bytes, vrecord_put_inode(&root, bytes)});
	if (err < 0)
		return err;
	store_edit_apply(v->store, &e);
	v->sums.inodes = 1;
	v->sums.clean = true;
	v->sums_changed = true;
	return volume_flush(v);
}

static void derive(struct store_keys *keys, const struct header *h,
                   const uint8_t *key, uint8_t objects[32])
{
	keys->encrypted = h->lock != HEADER_OPEN;
	if (!keys->encrypted) {
		memcpy(keys->names, h->names, sizeof(keys->names));
		return;
	}
	crypto_kdf_derive_from_key(keys->names, 32, NAMES, context, key);
	crypto_kdf_derive_from_key(keys->records, 32, RECORDS, context, key);
	crypto_kdf_derive_from_key(objects, 32, OBJECTS, context, key);
}

/* Folders, lock and store: what making and opening have in common. */
static int attach(struct volume *v, int dir_fd, const uint8_t *key,
                  struct fault *f)
{
	struct store_keys keys = {0};
	int err;

	v->dir_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
	if (v->dir_fd < 0)
		return fault_errno(f, "open the volume's folder");
	v->lock_fd = openat(dir_fd, "lock",
	                    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (v->lock_fd < 0)
		return fault_errno(f, "open the volume's lock");
	if (flock(v->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
		               ? fault_set(f, -EBUSY,
		                           "the volume is in use: a qube that "
		                           "runs has it open")
		               : fault_errno(f, "lock the volume");
	v->objects_fd = openat(dir_fd, "objects",
	                       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (v->objects_fd < 0)
		return fault_errno(f, "open the volume's objects");
	derive(&keys, &v->header, key, v->objects_key);
	v->encrypted = keys.encrypted;
	err = store_open(dir_fd, &keys, &v->store, f);
	sodium_memzero(&keys, sizeof(keys));
	return err;
}

static struct volume *blank(void)
{
	struct volume *v = calloc(1, sizeof(*v));

	if (v)
		v->dir_fd = v->objects_fd = v->lock_fd = -1;
	return v;
}

static int make_files(int dir_fd, struct fault *f)
{
	if (mkdirat(dir_fd, "objects", 0700) < 0)
		return errno == EEXIST
		               ? fault_set(f, -EEXIST, "there is a volume")
		               : fault_errno(f, "make the volume's objects");
	return 0;
}

/* With a header that is complete. */
static int create(int dir_fd, const struct volume_limits *l,
                  const struct header *h, const uint8_t *key, struct fault *f)
{
	struct volume *v = blank();
	int err;

	if (!v)
		return fault_set(f, -ENOMEM, "out of memory");
	v->header = *h;
	err = make_files(dir_fd, f);
	if (err == 0)
		err = attach(v, dir_fd, key, f);
	if (err < 0)
		goto abandon;
	v->sums = (struct vrecord_volume){.max_bytes = l->bytes,
	                                  .max_inodes = l->inodes,
	                                  .next_ino = VRECORD_FIRST};
	err = write_first(v);
	if (err < 0) {
		err = fault_set(f, err, "write the volume: %s", strerror(-err));
		goto abandon;
	}
	/* The header comes last: without it there is no volume. */
	err = header_store(dir_fd, &v->header, f);
abandon:
	volume_abandon(v);
	return err;
}

int volume_create(int dir_fd, const struct volume_limits *limits,
                  enum header_lock how, struct span secret, struct fault *f)
{
	struct volume_limits l = checked(limits);
	uint8_t key[HEADER_KEY];
	struct header h;
	int err = 0;

	if (sodium_init() < 0)
		return fault_set(f, -EIO, "no random numbers");
	header_init(&h);
	randombytes_buf(key, sizeof(key));
	if (how != HEADER_OPEN)
		err = header_lock(&h, how, secret, key, f);
	if (err == 0)
		err = create(dir_fd, &l, &h, key, f);
	sodium_memzero(key, sizeof(key));
	return err;
}

int volume_create_like(int dir_fd, const struct volume *like,
                       const uint8_t *key, struct fault *f)
{
	struct volume_limits l = {like->sums.max_bytes, like->sums.max_inodes};

	return create(dir_fd, &l, &like->header, key, f);
}

/* ---- opening ---- */

static int read_sums(struct volume *v, struct fault *f)
{
	struct vrecord_key key = vrecord_key_volume();
	struct span value;
	int err = store_get(v->store, vrecord_span(&key), &value);

	if (err == 0)
		err = vrecord_get_volume(value, &v->sums);
	if (err == -EIO && v->encrypted)
		return fault_set(f, -EKEYREJECTED,
		                 "the key does not fit the volume");
	if (err < 0)
		return fault_set(f, -EIO, "the volume's metadata is damaged");
	return 0;
}

/* Room for objects to come and to delete with, once the disk is full.  There
 * may be none. */
static void reserve(struct volume *v)
{
	autoclose int fd = object_open_at(v->dir_fd, "reserve",
	                                  O_RDWR | O_CREAT);

	if (fd >= 0 && fallocate(fd, 0, 0, (off_t)RESERVE) == 0)
		v->reserved = RESERVE;
	else if (fd >= 0)
		(void)!ftruncate(fd, (off_t)v->reserved);
}

/* Lets go of all but `left` bytes of it. */
static void use_reserve(const struct volume *v, uint64_t left)
{
	autoclose int fd = object_open_at(v->dir_fd, "reserve", O_RDWR);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && (uint64_t)st.st_size > left)
		(void)!ftruncate(fd, (off_t)left);
}

bool volume_may_wait(const struct volume *v)
{
	return v->reserved >= LATER && !v->full;
}

bool volume_use_reserve(struct volume *v)
{
	bool had = v->reserved > 0;

	use_reserve(v, 0);
	v->reserved = 0;
	return had;
}

/* Was it left in order?  Either way it is marked as open now. */
static bool mark_open(struct volume *v)
{
	struct stat st;
	bool crashed = fstatat(v->dir_fd, "open", &st, AT_SYMLINK_NOFOLLOW) ==
	               0;
	int fd = object_open_at(v->dir_fd, "open", O_RDWR | O_CREAT);

	base_close(&fd);
	return !crashed && v->sums.clean;
}

int volume_open(int dir_fd, const uint8_t *key, struct volume **out,
                struct fault *f)
{
	struct volume *v;
	int err;

	if (sodium_init() < 0)
		return fault_set(f, -EIO, "no random numbers");
	v = blank();
	if (!v)
		return fault_set(f, -ENOMEM, "out of memory");
	err = header_load(dir_fd, &v->header, f);
	if (err == 0 && v->header.lock != HEADER_OPEN && !key)
		err = fault_set(f, -EKEYREJECTED, "the volume is encrypted");
	if (err == 0)
		err = attach(v, dir_fd, key, f);
	if (err == 0)
		err = read_sums(v, f);
	if (err == 0 && !mark_open(v))
		err = recover_volume(v, f);
	if (err < 0) {
		volume_abandon(v);
		return err;
	}
	reserve(v);
	v->sums.clean = false; /* from the next batch on */
	*out = v;
	return 0;
}

int volume_unlock(int dir_fd, struct span secret, uint8_t key[HEADER_KEY],
                  struct fault *f)
{
	struct header h;
	int err = header_load(dir_fd, &h, f);

	if (err == 0 && sodium_init() < 0)
		err = fault_set(f, -EIO, "no random numbers");
	return err < 0 ? err : header_unlock(&h, secret, key, f);
}

void volume_abandon(struct volume *v)
{
	if (!v)
		return;
	(void)spare_end(v, true);
	store_close(v->store);
	base_close(&v->objects_fd);
	base_close(&v->lock_fd);
	base_close(&v->dir_fd);
	free(v->dead.ino);
	free(v->dying.ino);
	sodium_memzero(v, sizeof(*v));
	free(v);
}

int volume_close(struct volume *v)
{
	bool spares_left;
	int err;

	if (!v)
		return 0;
	v->sums.clean = true;
	v->sums_changed = true;
	spares_left = spare_end(v, false) < 0;
	err = volume_flush(v);
	if (err == 0 && v->dead.count == 0 && !spares_left)
		(void)unlinkat(v->dir_fd, "open", 0);
	volume_abandon(v);
	return err;
}

/* ---- to the disk ---- */

bool volume_freeze(struct volume *v)
{
	struct vrecord_key key = vrecord_key_volume();
	struct store_edit e = {0};
	uint8_t bytes[64];
	struct volume_dead spare = v->dying;

	if (store_freezing(v->store) ||
	    (store_waiting(v->store) == 0 && !v->sums_changed))
		return false;
	if (store_edit_put(&e, &key,
	                   (struct span){bytes, vrecord_put_volume(&v->sums,
	                                                           bytes)}) < 0)
		return false; /* out of memory: another time */
	store_edit_apply(v->store, &e);
	v->frozen = (struct volume_usage){v->sums.bytes, v->sums.max_bytes};
	v->sums_changed = false;
	v->created_before = v->created;
	v->created = false;
	v->spares.naming = v->spares.end;
	v->dying = v->dead;
	v->dead = spare;
	v->dead.count = 0;
	return store_freeze(v->store);
}

/* Those that could not be removed stay in the list. */
static void remove_dying(struct volume *v)
{
	size_t left = 0;

	for (size_t i = 0; i < v->dying.count; i++)
		if (object_remove(v->objects_fd, v->dying.ino[i]) < 0)
			v->dying.ino[left++] = v->dying.ino[i];
	v->dying.count = left;
}

/* Two numbers, little-endian. */
#define USAGE_SIZE 16u

/* Nobody depends on it: it is written when all else is safe. */
static void tell_usage(const struct volume *v)
{
	uint8_t bytes[USAGE_SIZE];

	for (unsigned i = 0; i < 8; i++) {
		bytes[i] = (uint8_t)(v->frozen.bytes >> 8 * i);
		bytes[8 + i] = (uint8_t)(v->frozen.max_bytes >> 8 * i);
	}
	(void)!pwrite(v->lock_fd, bytes, sizeof(bytes), 0);
}

int volume_usage(int dir_fd, struct volume_usage *out)
{
	autoclose int fd = openat(dir_fd, "lock",
	                          O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	uint8_t bytes[USAGE_SIZE];
	struct reader r = {.rest = {bytes, sizeof(bytes)}};

	if (fd < 0 || pread(fd, bytes, sizeof(bytes), 0) != sizeof(bytes))
		return -ENODATA;
	out->bytes = rd_le64(&r);
	out->max_bytes = rd_le64(&r);
	return 0;
}

int volume_commit(struct volume *v)
{
	int err;

	/* Objects first: no inode is safe before what it speaks of. */
	if (v->created_before && fsync(v->objects_fd) < 0)
		return -errno;
	err = store_commit(v->store);
	if (err == -ENOSPC || err == -EIO || err == -EDQUOT) {
		/* What objects to come need is not for a batch to take. */
		use_reserve(v, LATER);
		v->reserve_used = true;
		err = store_commit(v->store);
	}
	if (err == 0) {
		tell_usage(v);
		remove_dying(v);
	}
	return err;
}

void volume_settle(struct volume *v, int err)
{
	store_settle(v->store, err);
	if (v->reserve_used)
		v->reserved = MIN(v->reserved, LATER);
	v->reserve_used = false;
	v->full = err < 0;
	if (err < 0) {
		v->sums_changed = true;
		v->created |= v->created_before;
	} else if (v->reserved < RESERVE) {
		reserve(v);
	}
	if (err == 0 && v->created_before)
		v->spares.named = v->spares.naming;
	/* What is left goes with the batch to come. */
	v->sums_changed |= v->dying.count > 0;
	for (size_t i = 0; i < v->dying.count; i++)
		if (volume_bury(v, v->dying.ino[i]) < 0)
			break; /* left for volume_open() to find */
	v->dying.count = 0;
}

int volume_flush(struct volume *v)
{
	int err;

	if (!volume_freeze(v))
		return 0;
	err = volume_commit(v);
	volume_settle(v, err);
	return err;
}

int volume_bury(struct volume *v, uint64_t ino)
{
	struct volume_dead *d = &v->dead;

	if (d->count == d->room) {
		size_t room = d->room ? d->room * 2 : 64;
		uint64_t *list = reallocarray(d->ino, room, sizeof(*list));

		if (!list)
			return -ENOMEM;
		d->ino = list;
		d->room = room;
	}
	d->ino[d->count++] = ino;
	return 0;
}

/* ---- the limits ---- */

int volume_charge(struct volume *v, uint64_t bytes)
{
	struct vrecord_volume *s = &v->sums;

	if (v->full || bytes > s->max_bytes - MIN(s->max_bytes, s->bytes))
		return bytes == 0 ? 0 : -ENOSPC;
	s->bytes += bytes;
	v->sums_changed |= bytes != 0;
	return 0;
}

void volume_uncharge(struct volume *v, uint64_t bytes)
{
	/* Sums from a disk may be wrong; they are not allowed to wrap. */
	v->sums.bytes -= MIN(v->sums.bytes, bytes);
	v->sums_changed |= bytes != 0;
}

int volume_charge_inode(struct volume *v)
{
	if (v->full || v->sums.inodes >= v->sums.max_inodes)
		return -ENOSPC;
	v->sums.inodes++;
	return 0;
}

void volume_uncharge_inode(struct volume *v)
{
	v->sums.inodes -= MIN(v->sums.inodes, 1);
}

void volume_resize(struct volume *v, const struct volume_limits *limits)
{
	struct volume_limits l = checked(limits);

	v->sums.max_bytes = l.bytes;
	v->sums.max_inodes = l.inodes;
	v->sums_changed = true;
}

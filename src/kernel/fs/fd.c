/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries in an array that doubles as it must, and a bitmap of the taken ones
 * in which the lowest free number is found a word at a time.
 */
#include "kernel/fs/fd.h"

#include <asm/resource.h>

#include "kernel/core/limits.h"
#include "kernel/fs/loan.h"
#include "kernel/fs/lock.h"
#include "kernel/task/process.h"

#define FIRST_SIZE 64u
#define BITS       64u

struct entry {
	struct file *file; /* owns a reference; NULL: free, or reserved */
	bool cloexec;
};

struct fdtable {
	struct kernel *kernel;
	uint32_t refs;
	bool mixed;    /* cells cannot know what a number means */
	uint32_t size; /* a multiple of BITS */
	uint32_t full; /* all words below this one have no free bit */
	struct entry *entries;
	uint64_t *taken; /* open or reserved */
};

static bool make_arrays(struct kernel *k, uint32_t size, struct entry **entries,
                        uint64_t **taken)
{
	*entries = limits_alloc(k, size * sizeof(**entries));
	if (!*entries)
		return false;
	*taken = limits_alloc(k, size / BITS * sizeof(**taken));
	if (!*taken) {
		limits_free(k, *entries, size * sizeof(**entries));
		return false;
	}
	return true;
}

static void free_arrays(struct fdtable *ft)
{
	limits_free(ft->kernel, ft->entries, ft->size * sizeof(*ft->entries));
	limits_free(ft->kernel, ft->taken,
	            ft->size / BITS * sizeof(*ft->taken));
}

static struct fdtable *create(struct kernel *k, uint32_t size)
{
	struct fdtable *ft = limits_alloc(k, sizeof(*ft));

	if (!ft)
		return NULL;
	ft->kernel = k;
	ft->refs = 1;
	ft->size = size;
	if (!make_arrays(k, size, &ft->entries, &ft->taken)) {
		limits_free(k, ft, sizeof(*ft));
		return NULL;
	}
	return ft;
}

struct fdtable *fd_table_create(struct kernel *k)
{
	return create(k, FIRST_SIZE);
}

static bool is_taken(const struct fdtable *ft, uint32_t fd)
{
	return fd < ft->size && (ft->taken[fd / BITS] >> fd % BITS & 1);
}

static void take(struct fdtable *ft, uint32_t fd)
{
	ft->taken[fd / BITS] |= 1ull << fd % BITS;
}

static void give_back(struct fdtable *ft, uint32_t fd)
{
	ft->taken[fd / BITS] &= ~(1ull << fd % BITS);
	ft->full = MIN(ft->full, fd / BITS);
}

struct fdtable *fd_table_copy(struct fdtable *ft)
{
	int32_t last = -1;
	struct fdtable *copy;
	uint32_t size = FIRST_SIZE;

	for (int32_t fd = fd_next(ft, 0); fd >= 0; fd = fd_next(ft, fd + 1))
		last = fd;
	while ((int64_t)size <= last)
		size *= 2;
	copy = create(ft->kernel, size);
	if (!copy)
		return NULL;
	for (int32_t fd = fd_next(ft, 0); fd >= 0; fd = fd_next(ft, fd + 1)) {
		copy->entries[fd] = ft->entries[fd];
		file_get(copy->entries[fd].file);
		take(copy, (uint32_t)fd);
	}
	return copy;
}

bool fd_table_shared(const struct fdtable *ft)
{
	return ft->refs > 1;
}

struct fdtable *fd_table_get(struct fdtable *ft)
{
	ft->refs++;
	return ft;
}

/* Empties an entry; `t` may be NULL. */
static void close_entry(struct fdtable *ft, struct task *t, uint32_t fd)
{
	struct file *f = ft->entries[fd].file;

	ft->entries[fd] = (struct entry){0};
	give_back(ft, fd);
	loan_take(f);
	if (f->ops->flush)
		f->ops->flush(f, t);
	lock_table_closed(f, ft);
	file_put(f);
}

void fd_table_put(struct fdtable *ft, struct task *t)
{
	if (!ft || --ft->refs > 0)
		return;
	for (int32_t fd = fd_next(ft, 0); fd >= 0; fd = fd_next(ft, fd + 1))
		close_entry(ft, t, (uint32_t)fd);
	free_arrays(ft);
	limits_free(ft->kernel, ft, sizeof(*ft));
}

void fd_table_mix(struct fdtable *ft)
{
	ft->mixed = true;
	cells_recall_leases(ft->kernel);
}

bool fd_table_mixed(const struct fdtable *ft)
{
	return ft->mixed;
}

struct fdtable *fd_table_part(struct task *t)
{
	struct fdtable *own = fd_table_copy(t->fds);

	if (own && t->process->task_count > 1) {
		fd_table_mix(t->fds);
		fd_table_mix(own);
	}
	return own;
}

int fd_table_unshare(struct task *t)
{
	struct fdtable *own;

	if (t->fds->refs == 1)
		return 0;
	own = fd_table_part(t);
	if (!own)
		return -ENOMEM;
	fd_table_put(t->fds, t);
	t->fds = own;
	return 0;
}

void fd_table_exec(struct fdtable *ft, struct task *t)
{
	for (int32_t fd = fd_next(ft, 0); fd >= 0; fd = fd_next(ft, fd + 1))
		if (ft->entries[fd].cloexec)
			close_entry(ft, t, (uint32_t)fd);
}

static int grow(struct fdtable *ft, uint32_t want)
{
	struct entry *entries;
	uint64_t *taken;
	uint32_t size = ft->size;

	while (size <= want)
		size *= 2;
	if (!make_arrays(ft->kernel, size, &entries, &taken))
		return -ENOMEM;
	memcpy(entries, ft->entries, ft->size * sizeof(*entries));
	memcpy(taken, ft->taken, ft->size / BITS * sizeof(*taken));
	free_arrays(ft);
	ft->entries = entries;
	ft->taken = taken;
	ft->size = size;
	return 0;
}

static uint32_t limit_of(const struct task *t)
{
	uint64_t cur = t->process->rlimit[RLIMIT_NOFILE].cur;

	return (uint32_t)MIN(cur, LIMIT_FDS);
}

/* The lowest free number >= from; may be beyond the table. */
static uint32_t lowest_free(struct fdtable *ft, uint32_t from)
{
	uint32_t words = ft->size / BITS;
	uint32_t i = MAX(from / BITS, ft->full);

	for (; i < words; i++) {
		uint64_t taken = ft->taken[i];

		if (i == from / BITS)
			taken |= (1ull << from % BITS) - 1;
		if (~taken)
			return i * BITS + (uint32_t)__builtin_ctzll(~taken);
		if (i == ft->full && ft->taken[i] == ~0ull)
			ft->full++;
	}
	return MAX(ft->size, from);
}

int fd_reserve(struct task *t, int32_t from, size_t count, int32_t fd[])
{
	struct fdtable *ft = t->fds;
	uint32_t limit = limit_of(t);
	size_t n;
	int err = 0;

	for (n = 0; n < count; n++) {
		uint32_t got = lowest_free(ft, (uint32_t)from);

		if (got >= limit) {
			err = -EMFILE;
			break;
		}
		if (got >= ft->size)
			err = grow(ft, got);
		if (err < 0)
			break;
		take(ft, got);
		fd[n] = (int32_t)got;
	}
	if (err < 0)
		fd_release(t, n, fd);
	return err;
}

void fd_release(struct task *t, size_t count, const int32_t fd[])
{
	for (size_t i = 0; i < count; i++)
		give_back(t->fds, (uint32_t)fd[i]);
}

void fd_install(struct task *t, int32_t fd, struct file *f, bool cloexec)
{
	assert(is_taken(t->fds, (uint32_t)fd) && !t->fds->entries[fd].file);
	t->fds->entries[fd] = (struct entry){f, cloexec};
}

long fd_open(struct task *t, struct file *f, bool cloexec)
{
	int32_t fd;
	int err = fd_reserve(t, 0, 1, &fd);

	if (err < 0) {
		file_put(f);
		return err;
	}
	fd_install(t, fd, f, cloexec);
	return fd;
}

int fd_replace(struct task *t, int32_t fd, struct file *f, bool cloexec)
{
	struct fdtable *ft = t->fds;
	uint32_t at = (uint32_t)fd;
	int err = 0;

	if (fd < 0 || at >= limit_of(t))
		err = -EBADF;
	else if (at >= ft->size)
		err = grow(ft, at);
	else if (is_taken(ft, at) && !ft->entries[at].file)
		err = -EBUSY;
	if (err < 0) {
		file_put(f);
		return err;
	}
	if (is_taken(ft, at))
		close_entry(ft, t, at);
	take(ft, at);
	fd_install(t, fd, f, cloexec);
	return 0;
}

/* The entry of an open number, or NULL. */
static struct entry *entry_of(const struct fdtable *ft, int32_t fd)
{
	if (fd < 0 || (uint32_t)fd >= ft->size || !ft->entries[fd].file)
		return NULL;
	return &ft->entries[fd];
}

int fd_close(struct task *t, int32_t fd)
{
	if (!entry_of(t->fds, fd))
		return -EBADF;
	close_entry(t->fds, t, (uint32_t)fd);
	return 0;
}

struct file *fd_get_path(struct task *t, int32_t fd)
{
	struct entry *e = entry_of(t->fds, fd);

	return e ? file_get(e->file) : NULL;
}

static struct file *find(struct task *t, int32_t fd)
{
	struct entry *e = entry_of(t->fds, fd);

	if (!e || (e->file->mode & FILE_PATH))
		return NULL;
	return file_get(e->file);
}

/* What a call that has waited found under the number, or NULL. */
static struct file *find_kept(const struct task *t, int32_t fd)
{
	for (uint32_t i = 0; i < TASK_KEPT; i++)
		if (t->kept[i] && t->looked_up[i] == fd)
			return t->kept[i];
	return NULL;
}

struct file *fd_get_now(struct task *t, int32_t fd)
{
	uint32_t n = t->looked_up_count;

	if (t->first_run) { /* fd_keep() asks for these */
		if (n < TASK_KEPT)
			t->looked_up[n] = fd;
		t->looked_up_count = n + 1;
	}
	return find(t, fd);
}

struct file *fd_get(struct task *t, int32_t fd)
{
	struct file *f = t->first_run ? NULL : find_kept(t, fd);

	return f ? file_get(f) : fd_get_now(t, fd);
}

void fd_keep(struct task *t)
{
	if (t->looked_up_count > TASK_KEPT && !t->more_kept)
		return;
	for (uint32_t i = 0; i < MIN(t->looked_up_count, TASK_KEPT); i++)
		if (!t->kept[i])
			t->kept[i] = find(t, t->looked_up[i]);
}

/* The files of fd_hold(). */
struct fd_held {
	size_t count, room;
	struct file *file[];
};

static size_t held_size(size_t room)
{
	return sizeof(struct fd_held) + room * sizeof(struct file *);
}

static bool grow_held(struct task *t)
{
	struct fd_held *old = t->more_kept;
	size_t room = old ? 2 * old->room : 16;
	struct fd_held *h = limits_alloc(t->kernel, held_size(room));

	if (!h)
		return false;
	h->room = room;
	if (old) {
		h->count = old->count;
		memcpy(h->file, old->file, old->count * sizeof(h->file[0]));
		limits_free(t->kernel, old, held_size(old->room));
	}
	t->more_kept = h;
	return true;
}

void fd_hold(struct task *t, struct file *f)
{
	if ((!t->more_kept || t->more_kept->count == t->more_kept->room) &&
	    !grow_held(t))
		file_put(f);
	else
		t->more_kept->file[t->more_kept->count++] = f;
}

static void drop_held(struct task *t)
{
	struct fd_held *h = t->more_kept;

	t->more_kept = NULL;
	for (size_t i = 0; i < h->count; i++)
		file_put(h->file[i]);
	limits_free(t->kernel, h, held_size(h->room));
}

void fd_let_go(struct task *t)
{
	if (t->more_kept)
		drop_held(t);
	for (uint32_t i = 0; i < TASK_KEPT; i++) {
		if (t->kept[i])
			file_put(t->kept[i]);
		t->kept[i] = NULL;
	}
	t->looked_up_count = 0;
}

int fd_cloexec(struct task *t, int32_t fd)
{
	struct entry *e = entry_of(t->fds, fd);

	return e ? e->cloexec : -EBADF;
}

int fd_set_cloexec(struct task *t, int32_t fd, bool on)
{
	struct entry *e = entry_of(t->fds, fd);

	if (!e)
		return -EBADF;
	e->cloexec = on;
	return 0;
}

int32_t fd_next(struct fdtable *ft, int32_t from)
{
	uint32_t at = (uint32_t)MAX(from, 0);

	while (at < ft->size) {
		uint64_t word = ft->taken[at / BITS] >> at % BITS;

		if (!word) {
			at = (at / BITS + 1) * BITS;
			continue;
		}
		at += (uint32_t)__builtin_ctzll(word);
		if (ft->entries[at].file)
			return (int32_t)at;
		at++;
	}
	return -1;
}

struct file *fd_peek(struct fdtable *ft, int32_t fd)
{
	struct entry *e = entry_of(ft, fd);

	return e ? e->file : NULL;
}

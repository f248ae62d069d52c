/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes are taken in large pieces into one buffer; headers, names and small
 * files are looked at there, large contents go through it piece by piece.
 *
 * Of the folders that were sent once, those around the current place are
 * remembered: they form a chain, so the path of the deepest and a mark for each
 * level is all there is to remember.
 */
#include "filecopy/copyrecv.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/visible.h"
#include "filecopy/copyname.h"
#include "filecopy/copyplace.h"
#include "filecopy/copywire.h"

#define BUFFER_SIZE (256u << 10)
#define BLOCK       4096u
#define EARLY       65536u /* from here on, look for the name before the bytes */
#define TELL_EVERY  (4u << 20)

static_assert(BUFFER_SIZE > COPYWIRE_HEADER_SIZE + COPYWIRE_NAME_MAX,
              "a header and a name fit at once");

/* A folder that was sent once: its path is a beginning of `open_path`. */
struct open_folder {
	size_t len;
	bool ours; /* made by this copy */
};

struct receiver {
	const struct copyrecv_job *job;
	struct copyrecv_count *count;
	struct copyplace place;
	uint8_t *buffer;
	size_t from, to; /* what is in it */
	uLong crc;
	uint64_t told;
	char name[COPYWIRE_NAME_MAX + 1];   /* of the last file */
	char target[COPYWIRE_NAME_MAX + 1]; /* of the last link */
	char open_path[COPYWIRE_NAME_MAX + 1];
	struct open_folder open[COPYWIRE_NAME_MAX / 2 + 1];
	size_t open_count;
};

/* More bytes into the buffer: how many, 0 at the end, or a negative errno. */
static ssize_t fill(struct receiver *r)
{
	size_t have = r->to - r->from;
	ssize_t n;

	/* To the front, if that is little work or there is little room. */
	if (have <= BLOCK || BUFFER_SIZE - r->to < BUFFER_SIZE / 8) {
		memmove(r->buffer, r->buffer + r->from, have);
		r->from = 0;
		r->to = have;
	}
	do
		n = read(r->job->in, r->buffer + r->to, BUFFER_SIZE - r->to);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	r->to += (size_t)n;
	return n;
}

/* Waits until there are `size` bytes: 0, -ECONNRESET or another. */
static int need(struct receiver *r, size_t size)
{
	while (r->to - r->from < size) {
		ssize_t n = fill(r);

		if (n <= 0)
			return n < 0 ? (int)n : -ECONNRESET;
	}
	return 0;
}

/* Takes `size` bytes, counted into the sum. */
static int take(struct receiver *r, size_t size, struct span *out)
{
	int err = need(r, size);

	if (err < 0)
		return err;
	*out = (struct span){r->buffer + r->from, size};
	r->crc = crc32(r->crc, out->at, (uInt)size);
	r->from += size;
	return 0;
}

/* A text of `size` bytes; 0, or -EINVAL if there is a NUL in it. */
static int take_text(struct receiver *r, size_t size,
                     char out[static COPYWIRE_NAME_MAX + 1])
{
	struct span s;
	int err = take(r, size, &s);

	if (err < 0)
		return err;
	if (memchr(s.at, 0, s.size))
		return -EINVAL;
	memcpy(out, s.at, s.size);
	out[s.size] = '\0';
	return 0;
}

static bool is_zero(const uint8_t *at, size_t size)
{
	return at[0] == 0 && memcmp(at, at + 1, size - 1) == 0;
}

static int write_at(int fd, const uint8_t *at, size_t size, uint64_t off)
{
	while (size > 0) {
		ssize_t n = pwrite(fd, at, size, (off_t)off);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			at += n;
			size -= (size_t)n;
			off += (uint64_t)n;
		}
	}
	return 0;
}

/* Writes what is not zeros.  It begins at a block of the file. */
static int write_sparse(int fd, const uint8_t *at, size_t size, uint64_t off)
{
	size_t run = 0; /* bytes at `at` that are to be written */

	while (run < size) {
		size_t one = MIN(size - run, (size_t)BLOCK);
		int err;

		if (one < BLOCK || !is_zero(at + run, one)) {
			run += one;
			continue;
		}
		err = write_at(fd, at, run, off);
		if (err < 0)
			return err;
		at += run + one;
		off += run + one;
		size -= run + one;
		run = 0;
	}
	return write_at(fd, at, run, off);
}

static void tell(struct receiver *r, bool now)
{
	if (!r->job->progress ||
	    (!now && r->count->bytes - r->told < TELL_EVERY))
		return;
	r->told = r->count->bytes;
	r->job->progress(r->job->ctx, r->count);
}

/* The content of a file, from the buffer and behind it. */
static int take_content(struct receiver *r, int fd, uint64_t size)
{
	uint64_t off = 0;

	while (off < size) {
		uint64_t left = size - off;
		struct span s;
		size_t one;
		int err = need(r, (size_t)MIN(left, (uint64_t)BLOCK));

		/* Whole blocks, so that each is looked at as a whole. */
		one = r->to - r->from;
		one = left <= one ? (size_t)left : one - one % BLOCK;
		if (err == 0)
			err = take(r, one, &s);
		if (err == 0)
			err = write_sparse(fd, s.at, one, off);
		if (err < 0)
			return err;
		off += one;
		r->count->bytes += one;
		tell(r, false);
	}
	/* What ends in a hole is shorter than it should be. */
	if (size >= BLOCK && ftruncate(fd, (off_t)size) < 0)
		return -errno;
	return 0;
}

static void times_of(const struct copywire_header *h, struct timespec out[2])
{
	out[0] = (struct timespec){(time_t)h->atime, (long)h->atime_nsec};
	out[1] = (struct timespec){(time_t)h->mtime, (long)h->mtime_nsec};
}

static int set_mode(int fd, const struct copywire_header *h)
{
	struct timespec times[2];

	times_of(h, times);
	if (fchmod(fd, h->mode & 0777) < 0 || futimens(fd, times) < 0)
		return -errno;
	return 0;
}

static int take_file(struct receiver *r, const struct copywire_header *h)
{
	struct copyplace_file file;
	const char *last;
	int folder = copyplace_enter(&r->place, r->name, &last);
	int err;

	if (folder < 0)
		return folder;
	if (h->size >= EARLY &&
	    faccessat(folder, last, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	err = copyplace_create(&r->place, folder, &file);
	if (err < 0)
		return err;
	err = take_content(r, file.fd, h->size);
	if (err == 0)
		err = set_mode(file.fd, h);
	if (err == 0)
		err = copyplace_keep(&r->place, folder, last, &file);
	if (err < 0)
		copyplace_drop(folder, &file);
	return err;
}

static int take_link(struct receiver *r, const struct copywire_header *h)
{
	struct timespec times[2];
	const char *last;
	int folder;
	int err = take_text(r, (size_t)h->size, r->target);

	if (err == 0)
		err = copyname_check_link(r->name, r->target,
		                          r->job->all_names);
	if (err < 0)
		return err;
	folder = copyplace_enter(&r->place, r->name, &last);
	if (folder < 0)
		return folder;
	if (symlinkat(r->target, folder, last) < 0)
		return -errno;
	times_of(h, times);
	/* Not every file system keeps times of links. */
	(void)utimensat(folder, last, times, AT_SYMLINK_NOFOLLOW);
	r->count->bytes += h->size;
	return 0;
}

/* The folders that were sent once and are not around `name` are forgotten. */
static void leave_others(struct receiver *r, const char *name)
{
	size_t len = strlen(name);

	while (r->open_count > 0) {
		size_t have = r->open[r->open_count - 1].len;

		if (have <= len && memcmp(r->open_path, name, have) == 0 &&
		    (name[have] == '/' || name[have] == '\0'))
			return;
		r->open_count--;
	}
}

/* The first time: it is made, for us alone. */
static int open_folder(struct receiver *r, int folder, const char *last)
{
	struct stat st;
	bool ours = true;

	if (mkdirat(folder, last, 0700) < 0) {
		if (errno != EEXIST)
			return -errno;
		if (fstatat(folder, last, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
		if (!S_ISDIR(st.st_mode))
			return -EEXIST;
		ours = false;
	}
	strcpy(r->open_path, r->name);
	r->open[r->open_count++] = (struct open_folder){strlen(r->name), ours};
	return 0;
}

/* The second time: its mode and times, if we made it. */
static int close_folder(struct receiver *r, int folder, const char *last,
                        const struct copywire_header *h)
{
	autoclose int fd = -1;

	if (!r->open[--r->open_count].ours)
		return 0;
	fd = openat(folder, last,
	            O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : set_mode(fd, h);
}

static int take_folder(struct receiver *r, const struct copywire_header *h)
{
	const char *last;
	int folder = copyplace_enter(&r->place, r->name, &last);

	if (folder < 0)
		return folder;
	leave_others(r, r->name);
	if (r->open_count > 0 &&
	    r->open[r->open_count - 1].len == strlen(r->name)) {
		r->count->files--; /* it was counted before */
		return close_folder(r, folder, last, h);
	}
	return open_folder(r, folder, last);
}

static int check_limits(struct receiver *r, const struct copywire_header *h)
{
	const struct copyrecv_job *j = r->job;

	r->count->files++;
	if (j->files_max && r->count->files > j->files_max)
		return -EDQUOT;
	if (j->bytes_max && (r->count->bytes > j->bytes_max ||
	                     h->size > j->bytes_max - r->count->bytes))
		return -EDQUOT;
	return 0;
}

/* The name behind a header: its NUL is at its end, and nowhere else. */
static int take_name(struct receiver *r, const struct copywire_header *h)
{
	struct span nul;
	int err = take_text(r, h->name_size - 1, r->name);

	if (err == 0)
		err = take(r, 1, &nul);
	if (err == 0 && nul.at[0] != 0)
		err = -EINVAL;
	if (err == 0)
		err = copyname_check(r->name, r->job->all_names);
	return err;
}

/* One file of any kind.  1; 0: that was the end; or a negative errno. */
static int take_one(struct receiver *r)
{
	struct copywire_header h;
	struct span wire;
	int err = take(r, COPYWIRE_HEADER_SIZE, &wire);

	if (err == 0)
		err = copywire_get_header(wire, &h);
	if (err < 0)
		return err;
	if (h.name_size == 0)
		return 0;
	err = take_name(r, &h);
	if (err == 0)
		err = check_limits(r, &h);
	if (err < 0)
		return err;
	switch (h.mode & S_IFMT) {
	case S_IFREG:
		err = take_file(r, &h);
		break;
	case S_IFLNK:
		err = take_link(r, &h);
		break;
	default: /* copywire_get_header() lets no other through */
		err = take_folder(r, &h);
		break;
	}
	return err < 0 ? err : 1;
}

/* The sender may have gone; of a pipe, the caller ignores SIGPIPE. */
static int put(int fd, const uint8_t *at, size_t size)
{
	while (size > 0) {
		ssize_t n = send(fd, at, size, MSG_NOSIGNAL);

		if (n < 0 && errno == ENOTSOCK)
			n = write(fd, at, size);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			at += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

/* In one piece: some senders do not wait for the name. */
static int send_result(struct receiver *r, int err)
{
	const struct copywire_result result = {(uint32_t)-err, r->crc};
	size_t len = strlen(r->name);
	size_t size = COPYWIRE_RESULT_SIZE + 4 + len;
	autofree uint8_t *wire = malloc(size);

	if (!wire)
		return -ENOMEM;
	copywire_put_result(wire, &result);
	for (unsigned i = 0; i < 4; i++)
		wire[COPYWIRE_RESULT_SIZE + i] = (uint8_t)(len >> 8 * i);
	memcpy(wire + COPYWIRE_RESULT_SIZE + 4, r->name, len);
	return put(r->job->out, wire, size);
}

static const struct {
	int err;
	const char *why;
} reasons[] = {
	{-EEXIST, "it is there already, and is left as it is"},
	{-EDQUOT, "more than the limit"},
	{-EILSEQ, "its name has characters that could deceive"},
	{-ENOLINK, "a link that could lead outside"},
	{-EINVAL, "the sender broke the rules of the protocol"},
	{-ECONNRESET, "the sender went away too early"},
};

static int explain(struct receiver *r, int err, struct fault *f)
{
	const char *why = strerror(-err);
	char name[256];

	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (reasons[i].err == err)
			why = reasons[i].why;
	strncpy(name, r->name, sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	visible_line(name);
	if (!name[0])
		return fault_set(f, err, "%s", why);
	return fault_set(f, err, "%s: %s", name, why);
}

static int receive(struct receiver *r, struct fault *f)
{
	int err, told;

	do
		err = take_one(r);
	while (err > 0);
	if (err == 0 && r->job->sync && syncfs(r->job->folder) < 0)
		err = -errno;
	tell(r, true);
	told = send_result(r, err);
	if (err < 0)
		return explain(r, err, f);
	if (told < 0)
		return fault_set(f, told, "tell the sender that all arrived");
	return 0;
}

int copyrecv(const struct copyrecv_job *job, struct copyrecv_count *count,
             struct fault *f)
{
	struct receiver *r = calloc(1, sizeof(*r));
	int err = r ? 0 : -ENOMEM;

	*count = (struct copyrecv_count){0, 0};
	if (err == 0) {
		r->job = job;
		r->count = count;
		r->buffer = malloc(BUFFER_SIZE);
		err = copyplace_init(&r->place, job->folder, job->proc);
	}
	if (err < 0 || !r->buffer)
		err = fault_set(f, -ENOMEM, "out of memory");
	else
		err = receive(r, f);
	if (r) {
		copyplace_fini(&r->place);
		free(r->buffer);
	}
	free(r);
	return err;
}

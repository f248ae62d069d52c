/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fts(3) walks: it goes down by changing the current folder and checks that it
 * is where it meant to be, so paths may be of any length and folders may be
 * replaced under it.  What it says about a file is asked again of the file that
 * was opened.
 */
#include "filecopy/copysend.h"

#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/visible.h"
#include "base/whole.h"
#include "filecopy/copywire.h"

#define BUFFER_SIZE (256u << 10)
#define TELL_EVERY  (4u << 20)

struct sender {
	const struct copysend_job *job;
	struct fault *fault;
	uint8_t *buffer;
	size_t used;
	uLong crc;
	uint64_t bytes, told;
	char last[256];
};

static bool answer_waits(const struct sender *s)
{
	struct pollfd p = {.fd = s->job->in, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

/*
 * Writes a piece, or as much as there is room for.  A socket does not block us,
 * so that a result is noticed that comes while nobody takes our bytes.
 */
static ssize_t put_some(const struct sender *s, const uint8_t *at, size_t size)
{
	struct pollfd p[2] = {
		{.fd = s->job->out, .events = POLLOUT},
		{.fd = s->job->in, .events = POLLIN},
	};
	ssize_t n = send(s->job->out, at, size, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno == ENOTSOCK)
		n = write(s->job->out, at, size);
	if (n >= 0)
		return n;
	if (errno == EINTR)
		return 0;
	if (errno != EAGAIN)
		return -errno;
	return poll(p, 2, -1) < 0 && errno != EINTR ? -errno : 0;
}

/* 0; -ECANCELED: the receiver has answered or is gone; or another. */
static int flush(struct sender *s)
{
	size_t at = 0;

	s->crc = crc32(s->crc, s->buffer, (uInt)s->used);
	while (at < s->used) {
		ssize_t n;

		if (answer_waits(s))
			return -ECANCELED;
		n = put_some(s, s->buffer + at, s->used - at);
		if (n == -EPIPE || n == -ECONNRESET)
			return -ECANCELED;
		if (n < 0)
			return fault_set(s->fault, (int)n, "send %s: %s",
			                 s->last, strerror((int)-n));
		at += (size_t)n;
	}
	s->used = 0;
	return 0;
}

static int put(struct sender *s, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	while (size > 0) {
		size_t n = MIN(size, BUFFER_SIZE - s->used);

		memcpy(s->buffer + s->used, at, n);
		s->used += n;
		at += n;
		size -= n;
		if (s->used == BUFFER_SIZE) {
			int err = flush(s);

			if (err < 0)
				return err;
		}
	}
	return 0;
}

static uint32_t seconds(time_t t)
{
	return t < 0 ? 0 : t > UINT32_MAX ? UINT32_MAX : (uint32_t)t;
}

static int put_header(struct sender *s, const char *name, const struct stat *st,
                      uint64_t size)
{
	const struct copywire_header h = {
		.name_size = (uint32_t)strlen(name) + 1,
		.mode = st->st_mode,
		.size = size,
		.atime = seconds(st->st_atim.tv_sec),
		.atime_nsec = (uint32_t)st->st_atim.tv_nsec,
		.mtime = seconds(st->st_mtim.tv_sec),
		.mtime_nsec = (uint32_t)st->st_mtim.tv_nsec,
	};
	uint8_t wire[COPYWIRE_HEADER_SIZE];
	int err;

	if (h.name_size > COPYWIRE_NAME_MAX)
		return fault_set(s->fault, -ENAMETOOLONG,
		                 "%s...: its path is too long to be sent",
		                 s->last);
	copywire_put_header(wire, &h);
	err = put(s, wire, sizeof(wire));
	return err < 0 ? err : put(s, name, h.name_size);
}

static void tell(struct sender *s, bool now)
{
	if (!s->job->progress || (!now && s->bytes - s->told < TELL_EVERY))
		return;
	s->told = s->bytes;
	s->job->progress(s->job->ctx, s->bytes);
}

static int cannot(struct sender *s, const char *what)
{
	return fault_errno(s->fault, "%s %s", what, s->last);
}

/* So many bytes more are in the buffer, which goes when it is full. */
static int filled(struct sender *s, size_t n)
{
	int err = 0;

	s->used += n;
	s->bytes += n;
	if (s->used == BUFFER_SIZE)
		err = flush(s);
	if (err == 0)
		tell(s, false);
	return err;
}

/* Zeros, for a hole of the file. */
static int put_hole(struct sender *s, uint64_t size)
{
	while (size > 0) {
		size_t n = (size_t)MIN(size, BUFFER_SIZE - s->used);
		int err;

		memset(s->buffer + s->used, 0, n);
		err = filled(s, n);
		if (err < 0)
			return err;
		size -= n;
	}
	return 0;
}

/* Exactly `size` bytes from where the file is, straight into the buffer. */
static int put_data(struct sender *s, int fd, uint64_t size)
{
	while (size > 0) {
		size_t room = (size_t)MIN(size, BUFFER_SIZE - s->used);
		ssize_t n = read(fd, s->buffer + s->used, room);
		int err;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cannot(s, "read");
		if (n == 0)
			return fault_set(s->fault, -ENODATA,
			                 "%s became shorter while it was "
			                 "copied; copy it once more",
			                 s->last);
		err = filled(s, (size_t)n);
		if (err < 0)
			return err;
		size -= (uint64_t)n;
	}
	return 0;
}

/* A file with holes: they are not read. */
static int put_sparse(struct sender *s, int fd, uint64_t size)
{
	uint64_t at = 0;

	while (at < size) {
		off_t data = lseek(fd, (off_t)at, SEEK_DATA);
		off_t hole;
		int err;

		if (data < 0 && errno != ENXIO)
			return cannot(s, "read");
		if (data < 0 || (uint64_t)data >= size)
			return put_hole(s, size - at);
		hole = lseek(fd, data, SEEK_HOLE);
		if (hole < 0 || lseek(fd, data, SEEK_SET) < 0)
			return cannot(s, "read");
		hole = MIN(hole, (off_t)size);
		err = put_hole(s, (uint64_t)data - at);
		if (err == 0)
			err = put_data(s, fd, (uint64_t)(hole - data));
		if (err < 0)
			return err;
		at = (uint64_t)hole;
	}
	return 0;
}

static bool has_holes(const struct stat *st)
{
	return (uint64_t)st->st_blocks < (uint64_t)st->st_size / 512;
}

static int send_file(struct sender *s, const FTSENT *e, const char *name)
{
	autoclose int fd = open(e->fts_accpath,
	                        O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	int err;

	if (fd < 0 || fstat(fd, &st) < 0)
		return cannot(s, "open");
	if (!S_ISREG(st.st_mode))
		return fault_set(s->fault, -EINVAL,
		                 "%s became something else while it was copied",
		                 s->last);
	err = put_header(s, name, &st, (uint64_t)st.st_size);
	if (err < 0)
		return err;
	return has_holes(&st) ? put_sparse(s, fd, (uint64_t)st.st_size)
	                      : put_data(s, fd, (uint64_t)st.st_size);
}

static int send_link(struct sender *s, const FTSENT *e, const char *name)
{
	autofree char *target = malloc(PATH_MAX); /* no longer on Linux */
	ssize_t n;
	int err;

	if (!target)
		return fault_set(s->fault, -ENOMEM, "out of memory");
	n = readlink(e->fts_accpath, target, PATH_MAX);
	if (n < 0)
		return cannot(s, "read the link");
	err = put_header(s, name, e->fts_statp, (uint64_t)n);
	return err < 0 ? err : put(s, target, (size_t)n);
}

static void skip(const struct sender *s, const FTSENT *e, const char *why)
{
	if (s->job->skipped)
		s->job->skipped(s->job->ctx, e->fts_path, why);
}

/* Notes what was sent, and its end for the person. */
static int sent(struct sender *s, const char *path, int err)
{
	if (err == 0 && s->job->sent) {
		buffer_text0(s->job->sent, path);
		if (s->job->sent->bad)
			return fault_set(s->fault, -ENOMEM, "out of memory");
	}
	return err;
}

static int send_entry(struct sender *s, const FTSENT *e, const char *name)
{
	(void)snprintf(s->last, sizeof(s->last), "%.250s", e->fts_path);
	visible_line(s->last);
	switch (e->fts_info) {
	case FTS_D:
		return put_header(s, name, e->fts_statp, 0);
	case FTS_DP:
		return sent(s, e->fts_path,
		            put_header(s, name, e->fts_statp, 0));
	case FTS_F:
		return sent(s, e->fts_path, send_file(s, e, name));
	case FTS_SL:
	case FTS_SLNONE:
		if (s->job->no_links) {
			skip(s, e, "a symbolic link");
			return 0;
		}
		if (e->fts_level == FTS_ROOTLEVEL)
			return fault_set(s->fault, -EINVAL,
			                 "%s is a symbolic link, which cannot "
			                 "go alone: name what it points to",
			                 s->last);
		return sent(s, e->fts_path, send_link(s, e, name));
	case FTS_DEFAULT:
		skip(s, e, "neither file, folder nor symbolic link");
		return 0;
	default:
		errno = e->fts_errno;
		return cannot(s, "open");
	}
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static FTS *walk(char *path)
{
	char *paths[] = {path, NULL};

	return fts_open(paths, FTS_PHYSICAL, by_name);
}

/* The path without slashes at its end: a copy, or NULL. */
static char *tidy(const char *path)
{
	size_t len = strlen(path);
	const char *base;

	while (len > 1 && path[len - 1] == '/')
		len--;
	base = memrchr(path, '/', len);
	base = base ? base + 1 : path;
	/* "." and ".." have no name of their own. */
	if ((path + len - base == 1 && base[0] == '.') ||
	    (path + len - base == 2 && base[0] == '.' && base[1] == '.'))
		return realpath(path, NULL);
	return strndup(path, len);
}

static int send_tree(struct sender *s, const char *file)
{
	autofree char *path = tidy(file);
	const char *base = path ? strrchr(path, '/') : NULL;
	size_t skip_len = base ? (size_t)(base + 1 - path) : 0;
	FTSENT *e;
	FTS *fts;
	int err = 0;

	if (!path)
		return fault_errno(s->fault, "open %s", file);
	if (!path[skip_len])
		return fault_set(s->fault, -EINVAL,
		                 "%s has no name to arrive under: name what is "
		                 "in it",
		                 path[0] ? path : "\"\"");
	fts = walk(path);
	if (!fts)
		return fault_errno(s->fault, "open %s", file);
	while (err == 0 && (e = fts_read(fts)))
		err = send_entry(s, e, e->fts_path + skip_len);
	/* 0 at the end, and an error else. */
	if (err == 0 && errno != 0)
		err = fault_errno(s->fault, "look into %s", file);
	/* Goes back to where we were. */
	if (fts_close(fts) < 0 && err == 0)
		err = fault_errno(s->fault, "leave %s", file);
	return err;
}

/* The name in the result, made fit to be shown; "" without one. */
static void get_name(const struct sender *s, char out[static 256])
{
	uint8_t wire[4];
	struct reader r = {.rest = {wire, sizeof(wire)}};
	ssize_t len = 0;
	uint32_t size;

	if (whole_read(s->job->in, wire, sizeof(wire)) == sizeof(wire)) {
		size = rd_le32(&r);
		len = whole_read(s->job->in, out, MIN(size, 255u));
	}
	out[MAX(len, 0)] = '\0';
	visible_line(out);
}

static const struct {
	uint32_t error;
	const char *why;
} refusals[] = {
	{EEXIST, "is there already; it was not overwritten. Copy it under "
                 "another name, or move the other one away there"},
	{EINVAL, "was refused as no proper file"},
	{EILSEQ, "has characters in its name that could deceive; rename it, "
                 "or copy with --allow-all-names"},
	{ENOLINK, "is a symbolic link that could lead outside of what is "
                  "copied; --ignore-symlinks leaves links out"},
	{EDQUOT, "is more than the receiver takes"},
	{ENOSPC, "did not find room there"},
	{ENAMETOOLONG, "has a name that is too long there"},
};

static int refused(struct sender *s, uint32_t error)
{
	const char *why = NULL;
	char name[256];

	get_name(s, name);
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		if (refusals[i].error == error)
			why = refusals[i].why;
	if (why)
		return fault_set(s->fault, -EREMOTEIO, "%s %s",
		                 name[0] ? name : "a file", why);
	return fault_set(s->fault, -EREMOTEIO, "%s%sthe receiver failed: %s",
	                 name, name[0] ? ": " : "",
	                 error <= 4095 ? strerror((int)error) : "no reason");
}

/* What the receiver says; `all`: we have sent everything. */
static int read_result(struct sender *s, bool all)
{
	uint8_t wire[COPYWIRE_RESULT_SIZE];
	struct copywire_result r;

	if (whole_read(s->job->in, wire, sizeof(wire)) != sizeof(wire))
		return fault_set(s->fault, -ECONNRESET,
		                 "the receiver went away before it said "
		                 "whether the files arrived");
	r = copywire_get_result((struct span){wire, sizeof(wire)});
	if (r.error != 0)
		return refused(s, r.error);
	if (!all)
		return fault_set(s->fault, -EPROTO,
		                 "the receiver said that all had arrived "
		                 "before it was sent");
	if (r.crc != s->crc)
		return fault_set(s->fault, -EBADMSG,
		                 "other bytes have arrived than were sent");
	return 0;
}

static int send_all(struct sender *s)
{
	static const uint8_t end[COPYWIRE_HEADER_SIZE];
	int err = 0;

	for (size_t i = 0; s->job->files[i] && err == 0; i++)
		err = send_tree(s, s->job->files[i]);
	if (err == 0)
		err = put(s, end, sizeof(end));
	if (err == 0)
		err = flush(s);
	tell(s, true);
	if (err < 0 && err != -ECANCELED)
		return err;
	return read_result(s, err == 0);
}

int copysend(const struct copysend_job *job, struct fault *f)
{
	autofree uint8_t *buffer = malloc(BUFFER_SIZE);
	struct sender s = {.job = job, .fault = f, .buffer = buffer};

	if (!buffer)
		return fault_set(f, -ENOMEM, "out of memory");
	return send_all(&s);
}

uint64_t copysend_measure(char *const *files)
{
	uint64_t sum = 0;

	for (size_t i = 0; files[i]; i++) {
		autofree char *path = tidy(files[i]);
		FTS *fts = path ? walk(path) : NULL;
		const FTSENT *e;

		while (fts && (e = fts_read(fts)))
			if (e->fts_info == FTS_F)
				sum += (uint64_t)e->fts_statp->st_size;
		if (fts)
			(void)fts_close(fts);
	}
	return sum;
}

int copysend_remove(struct span sent, struct fault *f)
{
	int err = 0;

	while (sent.size > 0) {
		const char *path = (const char *)sent.at;

		/* A folder that is not empty has got something new. */
		if (unlink(path) < 0 && (errno != EISDIR || rmdir(path) < 0) &&
		    err == 0)
			err = fault_errno(f, "remove %s", path);
		sent = span_from(sent, strlen(path) + 1);
	}
	return err;
}

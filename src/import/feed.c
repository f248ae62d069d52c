/* SPDX-License-Identifier: Apache-2.0 */
#include "import/feed.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "import/acl.h"

#define BUFFER    ((size_t)256 * 1024)
#define MAJOR_MAX 0xfffu
#define MINOR_MAX 0xfffffu

#define WHITEOUT ".wh."
#define OPAQUE   ".wh..wh..opq"
#define OVERLAY  "trusted.overlay."

struct source {
	struct imgwrite *w;
	struct tell *tell;
	int fd;
	enum feed_kind kind;
	uint64_t *read;
	struct archive *archive;
	char path[IMGTREE_PATH_MAX]; /* of the entry at hand */
	bool opaque;                 /* it hides what is below it */
	uint8_t buffer[BUFFER];
};

static la_ssize_t read_more(struct archive *a, void *ctx, const void **bytes)
{
	struct source *s = ctx;
	ssize_t n = read(s->fd, s->buffer, BUFFER);

	if (n < 0) {
		archive_set_error(a, errno, "read the archive");
		return ARCHIVE_FATAL;
	}
	*s->read += (uint64_t)n;
	tell_progress(s->tell, REPORT_READ, *s->read, 0);
	*bytes = s->buffer;
	return n;
}

static void skip(struct source *s, struct archive_entry *e, const char *why)
{
	const char *path = archive_entry_pathname(e);

	tell_file(s->tell, REPORT_SKIPPED, span_str(path ? path : s->path),
	          why);
}

/* The directory a clean path is in. */
static struct imgtree_file *parent_of(struct source *s, const char *path)
{
	autofree char *dir = strdup(path);
	char *slash = dir ? strrchr(dir, '/') : NULL;

	if (!slash)
		return dir ? s->w->tree.root : NULL;
	*slash = '\0';
	return imgtree_find(&s->w->tree, dir);
}

/* ---- what hides ---- */

/* Is it a whiteout of an OCI layer?  Then it has done its work. */
static bool hide_oci(struct source *s)
{
	char *slash = strrchr(s->path, '/');
	char *name = slash ? slash + 1 : s->path;
	struct imgtree_file *dir;

	if (strncmp(name, WHITEOUT, strlen(WHITEOUT)) != 0)
		return false;
	if (strcmp(name, OPAQUE) == 0) {
		dir = parent_of(s, s->path);
		if (dir && S_ISDIR(dir->mode))
			imgtree_empty(&s->w->tree, dir);
		return true;
	}
	memmove(name, name + strlen(WHITEOUT),
	        strlen(name + strlen(WHITEOUT)) + 1);
	if (name[0])
		imgtree_remove(&s->w->tree, s->path);
	return true;
}

static bool hide(struct source *s, struct archive_entry *e)
{
	if (s->kind == FEED_OCI)
		return hide_oci(s);
	if (s->kind == FEED_OVERLAY && archive_entry_filetype(e) == AE_IFCHR &&
	    archive_entry_rdevmajor(e) == 0 &&
	    archive_entry_rdevminor(e) == 0) {
		imgtree_remove(&s->w->tree, s->path);
		return true;
	}
	return false;
}

/* ---- attributes ---- */

static int take_xattrs(struct source *s, struct imgtree_file *file,
                       struct archive_entry *e)
{
	const char *name;
	const void *value;
	size_t size;

	(void)archive_entry_xattr_reset(e);
	while (archive_entry_xattr_next(e, &name, &value, &size) ==
	       ARCHIVE_OK) {
		int err;

		if (s->kind == FEED_OVERLAY && name &&
		    strncmp(name, OVERLAY, strlen(OVERLAY)) == 0) {
			s->opaque |= strcmp(name, OVERLAY "opaque") == 0;
			continue;
		}
		err = name ? imgtree_set_xattr(&s->w->tree, file, name,
		                               (struct span){value, size})
		           : 0;
		if (err == -ENOMEM)
			return err;
		if (err < 0)
			skip(s, e,
			     "an extended attribute is left out: it is too "
			     "large, or of a kind images do not have");
	}
	return 0;
}

/* Numbers that do not fit are nobody's. */
static uint32_t owner(int64_t id)
{
	return id < 0 || id > UINT32_MAX ? 65534 : (uint32_t)id;
}

static int take_attributes(struct source *s, struct imgtree_file *file,
                           struct archive_entry *e)
{
	long nsec = archive_entry_mtime_nsec(e);
	int err;

	file->uid = owner(archive_entry_uid(e));
	file->gid = owner(archive_entry_gid(e));
	file->mtime = archive_entry_mtime(e);
	file->mtime_nsec = nsec >= 0 && nsec < 1000000000 ? (uint32_t)nsec : 0;
	err = take_xattrs(s, file, e);
	if (err == 0)
		err = acl_take(&s->w->tree, file, e);
	if (err == -EOPNOTSUPP) {
		skip(s, e, "its access control list names users by names only");
		err = 0;
	}
	return err;
}

/* What the kinds of files have; a sentence if that cannot be. */
static const char *take_kind(struct source *s, struct imgtree_file *file,
                             struct archive_entry *e)
{
	const char *target;
	dev_t major, minor;

	switch (file->mode & S_IFMT) {
	case S_IFLNK:
		target = archive_entry_symlink(e);
		if (!target)
			target = archive_entry_symlink_utf8(e);
		if (!target || !*target || strlen(target) >= ONDISK_BLOCK)
			return "a symbolic link to nothing, or too far";
		if (imgtree_keep(&s->w->tree, span_str(target), &file->target) <
		    0)
			return "out of memory";
		return NULL;
	case S_IFCHR:
	case S_IFBLK:
		major = archive_entry_rdevmajor(e);
		minor = archive_entry_rdevminor(e);
		if (major > MAJOR_MAX || minor > MINOR_MAX)
			return "a device with numbers that Linux has not";
		file->major = (uint32_t)major;
		file->minor = (uint32_t)minor;
		return NULL;
	case S_IFREG:
	case S_IFDIR:
	case S_IFIFO:
	case S_IFSOCK:
		return NULL;
	default:
		return "neither file nor directory";
	}
}

/* ---- entries ---- */

static int fail_archive(struct source *s, struct fault *f)
{
	const char *why = archive_error_string(s->archive);

	return fault_set(f, -EIO, "the archive cannot be read: %s",
	                 why ? why : "it is damaged");
}

static int take_data(struct source *s, struct imgtree_file *file,
                     struct archive_entry *e, struct fault *f)
{
	const struct imgtree_file *dir = parent_of(s, s->path);
	uint64_t size = 0;
	int err = 0;

	if (!dir)
		return fault_set(f, -ENOMEM, "out of memory");
	imgwrite_begin(s->w, file, dir);
	while (err == 0) {
		const void *bytes;
		size_t count;
		la_int64_t at;
		int got = archive_read_data_block(s->archive, &bytes, &count,
		                                  &at);

		if (got == ARCHIVE_EOF)
			break;
		if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
			return fail_archive(s, f);
		if (at < 0)
			return fault_set(f, -EIO, "the archive is damaged");
		err = imgwrite_put(s->w, file, (uint64_t)at,
		                   (struct span){bytes, count}, f);
		size = MAX(size, (uint64_t)at + count);
	}
	/* A file may end in a hole. */
	if (archive_entry_size_is_set(e) && archive_entry_size(e) > 0)
		size = MAX(size, (uint64_t)archive_entry_size(e));
	return err < 0 ? err : imgwrite_end(s->w, file, size, f);
}

static int enter(struct source *s, struct imgtree_file *file, struct fault *f)
{
	int err = imgtree_enter(&s->w->tree, s->path, file);

	if (err == -EINVAL || err == -ENOTDIR)
		return fault_set(f, err,
		                 "%.200s: what is above it is no directory",
		                 s->path);
	return err < 0 ? fault_set(f, err, "out of memory") : 0;
}

/* Another name of a file that came before. */
static int take_link(struct source *s, struct archive_entry *e, const char *to,
                     struct fault *f)
{
	autofree char *target = malloc(IMGTREE_PATH_MAX);
	struct imgtree_file *file = NULL;

	if (!target)
		return fault_set(f, -ENOMEM, "out of memory");
	if (imgtree_clean(span_str(to), target) == 0)
		file = imgtree_find(&s->w->tree, target);
	if (!file || S_ISDIR(file->mode)) {
		skip(s, e, "a hard link to what is not there");
		return 0;
	}
	if (strcmp(target, s->path) == 0)
		return 0;
	return enter(s, file, f);
}

static int take_file(struct source *s, struct archive_entry *e, struct fault *f)
{
	uint32_t mode = archive_entry_mode(e) & (S_IFMT | 07777);
	struct imgtree_file *file = imgtree_file(&s->w->tree, mode);
	const char *why;
	int err;

	if (!file)
		return fault_set(f, -ENOMEM,
		                 "out of memory, or too many files");
	why = take_kind(s, file, e);
	if (why) {
		skip(s, e, why);
		return 0;
	}
	s->opaque = false;
	if (take_attributes(s, file, e) < 0)
		return fault_set(f, -ENOMEM, "out of memory");
	err = enter(s, file, f);
	if (err == 0 && s->opaque && S_ISDIR(mode)) {
		file = imgtree_find(&s->w->tree, s->path);
		imgtree_empty(&s->w->tree, file);
	}
	return err == 0 && S_ISREG(mode) ? take_data(s, file, e, f) : err;
}

static int take_entry(struct source *s, struct archive_entry *e,
                      struct fault *f)
{
	const char *path = archive_entry_pathname(e);
	const char *link = archive_entry_hardlink(e);

	if (!path)
		path = archive_entry_pathname_utf8(e);
	if (!link)
		link = archive_entry_hardlink_utf8(e);
	s->path[0] = '\0';
	if (!path || imgtree_clean(span_str(path), s->path) < 0) {
		skip(s, e, "its name leads out of the archive, or is too long");
		return 0;
	}
	if (hide(s, e))
		return 0;
	return link ? take_link(s, e, link, f) : take_file(s, e, f);
}

static int take_all(struct source *s, struct fault *f)
{
	struct archive *a = s->archive;
	int err = 0;

	if (archive_read_open(a, s, NULL, read_more, NULL) != ARCHIVE_OK)
		return fail_archive(s, f);
	while (err == 0) {
		struct archive_entry *e;
		int got = archive_read_next_header(a, &e);

		if (got == ARCHIVE_EOF)
			break;
		if (got == ARCHIVE_RETRY)
			continue;
		if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
			return fail_archive(s, f);
		err = take_entry(s, e, f);
	}
	return err;
}

static bool set_up(struct archive *a)
{
	return archive_read_support_filter_gzip(a) == ARCHIVE_OK &&
	       archive_read_support_filter_bzip2(a) == ARCHIVE_OK &&
	       archive_read_support_filter_xz(a) == ARCHIVE_OK &&
	       archive_read_support_filter_lzma(a) == ARCHIVE_OK &&
	       archive_read_support_filter_zstd(a) == ARCHIVE_OK &&
	       archive_read_support_format_tar(a) == ARCHIVE_OK &&
	       archive_read_support_format_empty(a) == ARCHIVE_OK;
}

int feed(struct imgwrite *w, struct tell *t, int fd, enum feed_kind kind,
         uint64_t *read, struct fault *f)
{
	autofree struct source *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return fault_set(f, -ENOMEM, "out of memory");
	s->w = w;
	s->tell = t;
	s->fd = fd;
	s->kind = kind;
	s->read = read;
	s->archive = archive_read_new();
	if (!s->archive || !set_up(s->archive))
		err = fault_set(f, -ENOMEM, "libarchive lacks a format");
	else
		err = take_all(s, f);
	if (s->archive)
		(void)archive_read_free(s->archive);
	return err;
}

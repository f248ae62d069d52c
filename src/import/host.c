/* SPDX-License-Identifier: Apache-2.0 */
#include "import/host.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/fs/etc_hidden.h"

#define PIECE ((size_t)256 * 1024)

static const char *const folders[] = {
	"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc",
};

struct writer {
	struct archive *from, *to;
	struct archive_entry_linkresolver *links;
	uint8_t *piece;
};

/* Is it for everyone on the host, and not hidden from qubes? */
static bool shown(const char *path, const struct stat *st)
{
	mode_t want = S_ISDIR(st->st_mode)   ? S_IROTH | S_IXOTH
	              : S_ISLNK(st->st_mode) ? 0
	                                     : S_IROTH;

	if (strncmp(path, "etc/", 4) == 0 && etc_hidden_path(path + 4))
		return false;
	return (st->st_mode & want) == want &&
	       (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode) ||
	        S_ISLNK(st->st_mode));
}

static bool copy_data(struct writer *w)
{
	la_ssize_t n;

	while ((n = archive_read_data(w->from, w->piece, PIECE)) > 0)
		if (archive_write_data(w->to, w->piece, (size_t)n) != n)
			return false;
	return n == 0;
}

static bool copy_entry(struct writer *w, struct archive_entry *e)
{
	const char *path = archive_entry_pathname(e);
	const struct stat *st = archive_entry_stat(e);
	struct archive_entry *later = NULL;
	bool regular;

	if (!path || !shown(path, st))
		return true;
	regular = S_ISREG(st->st_mode);
	if (S_ISDIR(st->st_mode))
		(void)archive_read_disk_descend(w->from);
	/* The second name of a file is a link to the first. */
	archive_entry_linkify(w->links, &e, &later);
	/* Files that change while they are read are padded, or cut. */
	if (archive_write_header(w->to, e) < ARCHIVE_WARN)
		return false;
	return !regular || archive_entry_size(e) == 0 || copy_data(w);
}

static bool copy_folder(struct writer *w, const char *folder)
{
	struct archive_entry *e = archive_entry_new();
	bool good = true;
	int got;

	w->from = archive_read_disk_new();
	if (!e || !w->from)
		return false;
	(void)archive_read_disk_set_symlink_physical(w->from);
	(void)archive_read_disk_set_behavior(w->from,
	                                     ARCHIVE_READDISK_NO_FFLAGS);
	got = archive_read_disk_open(w->from, folder);
	while (good && got >= ARCHIVE_WARN) {
		got = archive_read_next_header2(w->from, e);
		if (got == ARCHIVE_EOF)
			break;
		/* What cannot be read is left out, as qubes cannot either. */
		if (got == ARCHIVE_OK || got == ARCHIVE_WARN)
			good = copy_entry(w, e);
		else if (got != ARCHIVE_FATAL)
			got = ARCHIVE_OK;
	}
	(void)archive_read_free(w->from);
	archive_entry_free(e);
	return good;
}

int host_write(const char *root, int fd)
{
	struct writer w = {.to = NULL};
	bool good;

	if (chdir(root) < 0) {
		(void)fprintf(stderr, "bento: go to %s: %s\n", root,
		              strerror(errno));
		return -EIO;
	}
	w.to = archive_write_new();
	w.piece = malloc(PIECE);
	w.links = archive_entry_linkresolver_new();
	good = w.to && w.piece && w.links &&
	       archive_write_set_format_pax_restricted(w.to) == ARCHIVE_OK &&
	       archive_write_open_fd(w.to, fd) == ARCHIVE_OK;
	if (good)
		archive_entry_linkresolver_set_strategy(
			w.links, ARCHIVE_FORMAT_TAR_PAX_RESTRICTED);
	for (size_t i = 0; i < ARRAY_LEN(folders) && good; i++) {
		struct stat st;

		if (lstat(folders[i], &st) == 0)
			good = copy_folder(&w, folders[i]);
	}
	if (good)
		good = archive_write_close(w.to) == ARCHIVE_OK;
	if (!good)
		(void)fprintf(stderr, "bento: copy the host's files: %s\n",
		              w.to && archive_error_string(w.to)
		                      ? archive_error_string(w.to)
		                      : "out of memory");
	return good ? 0 : -EIO;
}

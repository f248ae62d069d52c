/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clipboard of a qube without a screen: a text in a file of the user's, in
 * memory.
 *
 *	bento-clip copy		standard input becomes the clipboard
 *	bento-clip paste	the clipboard goes to standard output
 *	bento.ClipboardGet	the same as `paste`, for `bento clipboard copy`
 *	bento.ClipboardSet	the same as `copy`, for `bento clipboard paste`
 *
 * No qube may call the services unless policy says so.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/whole.h"
#include "guest/main.h"

#define CLIP_MAX 64000u

/* In memory, so that nothing of it stays behind: the folder, and the name. */
static int open_folder(char name[static 40])
{
	const char *place = getenv("XDG_RUNTIME_DIR");
	int fd = place ? open(place, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd < 0)
		fd = open("/dev/shm", O_PATH | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(name, 40, ".bento-clipboard-%u", getuid());
	return fd;
}

static int failed(const char *what)
{
	(void)fprintf(stderr, "bento-clip: %s: %s\n", what, strerror(errno));
	return EXIT_FAILURE;
}

/* All of a file, at most CLIP_MAX bytes.  False: errno says why. */
static bool read_all(int fd, struct buffer *to)
{
	uint8_t *room = buffer_reserve(to, CLIP_MAX + 1);
	ssize_t n = room ? whole_read(fd, room, CLIP_MAX + 1) : -ENOMEM;

	errno = n < 0 ? (int)-n : EFBIG;
	to->size = n > 0 ? (size_t)n : 0;
	return n >= 0 && to->size <= CLIP_MAX;
}

static bool write_all(int fd, const struct buffer *b)
{
	int err = whole_write(fd, (struct span){b->at, b->size});

	errno = -err;
	return err == 0;
}

static int copy(int folder, const char *name)
{
	autobuffer struct buffer text = {0};
	autoclose int fd = -1;

	if (!read_all(STDIN_FILENO, &text))
		return failed("read the text");
	/* Whatever has that name, and whosever it is, is not written to. */
	if (unlinkat(folder, name, 0) < 0 && errno != ENOENT)
		return failed("replace the clipboard");
	fd = openat(folder, name,
	            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || !write_all(fd, &text))
		return failed("write the clipboard");
	return EXIT_SUCCESS;
}

static int paste(int folder, const char *name)
{
	autobuffer struct buffer text = {0};
	autoclose int fd = openat(
		folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return EXIT_SUCCESS; /* it is empty */
	if (fd < 0 || fstat(fd, &st) < 0)
		return failed("open the clipboard");
	if (st.st_uid != getuid() || !S_ISREG(st.st_mode)) {
		errno = EPERM;
		return failed("the clipboard is somebody else's");
	}
	if (!read_all(fd, &text))
		return failed("read the clipboard");
	if (!write_all(STDOUT_FILENO, &text))
		return failed("write the text");
	return EXIT_SUCCESS;
}

int clip_main(int argc, char *argv[])
{
	const char *what = main_name(argv[0]);
	char name[40];
	autoclose int folder = open_folder(name);

	if (folder < 0)
		return failed("open a folder for the clipboard");
	if (strcmp(what, "bento-clip") == 0)
		what = argc == 2 ? argv[1] : "";
	if (strcmp(what, "copy") == 0 ||
	    strcmp(what, "bento.ClipboardSet") == 0)
		return copy(folder, name);
	if (strcmp(what, "paste") == 0 ||
	    strcmp(what, "bento.ClipboardGet") == 0)
		return paste(folder, name);
	(void)fputs("usage: bento-clip copy|paste\n", stderr);
	return EXIT_FAILURE;
}

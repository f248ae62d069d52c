/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qubes.OpenInVM: a file comes in, is opened, and goes back if it was changed.
 * It lies in a folder of its own meanwhile.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "guest/guestcall.h"
#include "guest/main.h"
#include "guest/opener.h"
#include "guest/openfile.h"

/* Takes the file's bytes; 0, or a negative errno. */
static int receive(const char *path, bool view_only)
{
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	                        0600);
	int64_t n;

	if (fd < 0)
		return -errno;
	n = openfile_copy(STDIN_FILENO, fd);
	if (n >= 0 && view_only && fchmod(fd, 0400) < 0)
		n = -errno;
	return n < 0 ? (int)n : 0;
}

/* A program may have written the file anew, or put another in its place. */
static bool changed(const struct stat *was, const struct stat *is)
{
	return was->st_ino != is->st_ino || was->st_size != is->st_size ||
	       was->st_mtim.tv_sec != is->st_mtim.tv_sec ||
	       was->st_mtim.tv_nsec != is->st_mtim.tv_nsec;
}

static int send_back(const char *path)
{
	autoclose int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int64_t n = fd < 0 ? -errno : openfile_copy(fd, STDOUT_FILENO);

	return n < 0 ? (int)n : 0;
}

static int open_it(const char *name, const char *path, bool view_only)
{
	struct stat was, is;
	int status;
	int err = receive(path, view_only);

	if (err < 0 || stat(path, &was) < 0) {
		(void)fprintf(stderr, "%s: cannot take the file: %s\n", name,
		              strerror(err < 0 ? -err : errno));
		return EXIT_FAILURE;
	}
	status = opener_run(name, path, false);
	if (!view_only && lstat(path, &is) == 0 && S_ISREG(is.st_mode) &&
	    changed(&was, &is)) {
		err = send_back(path);
		if (err < 0) {
			(void)fprintf(stderr, "%s: cannot send it back: %s\n",
			              name, strerror(-err));
			return EXIT_FAILURE;
		}
	}
	return status;
}

int serve_open_main(int argc, char *argv[])
{
	char folder[] = "/tmp/qubes-open.XXXXXX";
	char field[OPENFILE_NAME_SIZE], name[OPENFILE_NAME_SIZE];
	autofree char *path = NULL;
	bool view_only;
	size_t have = 0;
	int status;

	(void)argc;
	while (have < sizeof(field)) {
		ssize_t n = read(STDIN_FILENO, field + have,
		                 sizeof(field) - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		have += (size_t)n;
	}
	if (have < sizeof(field) ||
	    openfile_name(field, name, &view_only) < 0) {
		(void)fprintf(stderr, "%s: no name for the file\n", argv[0]);
		return EXIT_FAILURE;
	}
	if (!mkdtemp(folder) || asprintf(&path, "%s/%s", folder, name) < 0) {
		perror(folder);
		return EXIT_FAILURE;
	}
	status = open_it(argv[0], path, view_only);
	(void)unlink(path);
	(void)rmdir(folder);
	return status;
}

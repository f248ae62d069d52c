/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/transfer.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "cli/progress.h"

#define PIECE 65536u

/* A descriptor of the caller's own for "-" or a file. */
static int open_file(const char *file, int flags, int standard, struct fault *f)
{
	int fd;

	if (strcmp(file, "-") == 0)
		fd = fcntl(standard, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(file, flags | O_CLOEXEC, 0600);
	return fd < 0 ? fault_errno(f, "open %s", file) : fd;
}

static uint64_t size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size
	                                                  : 0;
}

static int write_all(int fd, const uint8_t *at, size_t size, bool *refused,
                     struct fault *f)
{
	while (size > 0) {
		ssize_t n = write(fd, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		/* The manager takes no more; its answer says why. */
		if (n < 0 && refused &&
		    (errno == EPIPE || errno == ECONNRESET)) {
			*refused = true;
			return 0;
		}
		if (n < 0)
			return fault_errno(f, "write");
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

/* The last bytes of what was carried. */
#define END_SIZE 1024u

struct end {
	uint8_t at[END_SIZE];
	size_t size;
};

static void keep_end(struct end *e, const uint8_t *at, size_t size)
{
	size_t take = MIN(size, END_SIZE);
	size_t keep = MIN(e->size, END_SIZE - take);

	memmove(e->at, e->at + e->size - keep, keep);
	memcpy(e->at + keep, at + size - take, take);
	e->size = keep + take;
}

/* An archive that is whole ends with two blocks of zeroes. */
static bool is_whole(const struct end *e)
{
	for (size_t i = 0; i < e->size; i++)
		if (e->at[i])
			return false;
	return e->size == END_SIZE;
}

static int carry(int from, int to, struct progress *line, bool *refused,
                 struct end *end, struct fault *f)
{
	autofree uint8_t *piece = malloc(PIECE);
	uint64_t all = size_of(from);
	uint64_t done = 0;
	ssize_t n;
	int err = 0;

	if (!piece)
		return fault_set(f, -ENOMEM, "out of memory");
	while (err == 0 && !(refused && *refused)) {
		n = read(from, piece, PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fault_errno(f, "read");
		if (n == 0)
			break;
		err = write_all(to, piece, (size_t)n, refused, f);
		keep_end(end, piece, (size_t)n);
		done += (uint64_t)n;
		progress_show(line, done, all);
	}
	return err;
}

int transfer_in(struct query *a, const char *qube, const char *volume,
                const char *file, const char *size, struct fault *f)
{
	char line_of_size[32] = "";
	struct client_call call = {
		.method = size ? "admin.vm.volume.ImportWithSize"
	                       : "admin.vm.volume.Import",
		.argument = volume,
		.target = qube,
	};
	autoclose int from = open_file(file, O_RDONLY, STDIN_FILENO, f);
	autoclose int sock = -1;
	struct progress line;
	struct end end = {.size = 0};
	bool refused = false;
	int err;

	if (from < 0)
		return from;
	if (size)
		(void)snprintf(line_of_size, sizeof(line_of_size), "%s\n",
		               size);
	call.payload = span_str(line_of_size);
	sock = client_begin(&a->paths, &call, f);
	if (sock < 0)
		return sock;
	(void)signal(SIGPIPE, SIG_IGN);
	progress_begin(&line, a->quiet ? NULL : "importing", qube);
	err = carry(from, sock, &line, &refused, &end, f);
	progress_end(&line);
	if (err < 0)
		return err;
	return query_finish(a, &call, sock, f);
}

int transfer_out(struct query *a, const char *qube, const char *volume,
                 const char *file, struct fault *f)
{
	struct end end = {.size = 0};
	autoclose int to = -1;
	autoclose int from = -1;
	struct progress line;
	char number[24];
	int err;

	err = query(a, "bento.volume.Export", volume, qube, f);
	if (err < 0)
		return err;
	if (a->answer.fd < 0)
		return fault_set(f, -EPROTO, "the manager gave no archive");
	from = take_fd(&a->answer.fd);
	(void)snprintf(number, sizeof(number), "%s", query_text(a));
	to = open_file(file, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO, f);
	if (to < 0)
		return to;
	progress_begin(&line, a->quiet ? NULL : "exporting", qube);
	err = carry(from, to, &line, NULL, &end, f);
	progress_end(&line);
	/* Who still writes hears that we have gone. */
	base_close(&from);
	if (err < 0)
		return err;
	/* Behind its end: did it go well, and if not, why. */
	err = query(a, "bento.volume.Exported", number, qube, f);
	if (err == 0 && !is_whole(&end))
		err = fault_set(f, -EIO,
		                "the archive is cut off: %s of %s could not be "
		                "read to its end",
		                volume, qube);
	return err;
}

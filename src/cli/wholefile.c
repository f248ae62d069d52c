/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/wholefile.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PIECE 4096u

static int read_all(int fd, const char *path, size_t max, struct buffer *to,
                    struct fault *f)
{
	size_t start = to->size;
	ssize_t n;

	do {
		uint8_t *at = buffer_reserve(to, PIECE);

		if (!at)
			return fault_set(f, -ENOMEM, "out of memory");
		n = read(fd, at, PIECE);
		if (n < 0)
			return fault_errno(f, "read %s", path);
		to->size += (size_t)n;
		if (to->size - start > max)
			return fault_set(f, -EFBIG,
			                 "%s is longer than %zu bytes", path,
			                 max);
	} while (n > 0);
	return 0;
}

int wholefile_read(const char *path, size_t max, struct buffer *to,
                   struct fault *f)
{
	autoclose int fd = -1;

	if (strcmp(path, "-") == 0)
		return read_all(STDIN_FILENO, "standard input", max, to, f);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fault_errno(f, "open %s", path);
	return read_all(fd, path, max, to, f);
}

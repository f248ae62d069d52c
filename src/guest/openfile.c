/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/openfile.h"

#include <string.h>

#include "guest/guestcall.h"

#define CHUNK 65536u

int openfile_name(const char field[OPENFILE_NAME_SIZE],
                  char name[OPENFILE_NAME_SIZE], bool *view_only)
{
	const size_t skip = strlen(OPENFILE_VIEW);
	bool view;

	if (!memchr(field, 0, OPENFILE_NAME_SIZE))
		return -EINVAL;
	view = strncmp(field, OPENFILE_VIEW, skip) == 0;
	if (view)
		field += skip;
	if (!*field || strchr(field, '/') || strcmp(field, ".") == 0 ||
	    strcmp(field, "..") == 0)
		return -EINVAL;
	*view_only = view;
	memset(name, 0, OPENFILE_NAME_SIZE);
	for (size_t i = 0; field[i]; i++) {
		unsigned char c = (unsigned char)field[i];
		bool bad = c < ' ' || c == 127 ||
		           strchr(" !?\"#$%^&*()[]<>;`~|'\\{}", (int)c);

		name[i] = bad ? '_' : field[i];
	}
	return 0;
}

void openfile_field(const char *path, bool view_only,
                    char field[OPENFILE_NAME_SIZE])
{
	const char *prefix = view_only ? OPENFILE_VIEW : "";
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t room = OPENFILE_NAME_SIZE - 1 - strlen(prefix);

	/* What is left out is the beginning: the end says the kind. */
	if (strlen(name) > room)
		name += strlen(name) - room;
	memset(field, 0, OPENFILE_NAME_SIZE);
	memcpy(field, prefix, strlen(prefix));
	memcpy(field + strlen(prefix), name, strlen(name));
}

int64_t openfile_copy(int from, int to)
{
	autofree uint8_t *chunk = malloc(CHUNK);
	int64_t total = 0;

	if (!chunk)
		return -ENOMEM;
	for (;;) {
		ssize_t n = read(from, chunk, CHUNK);
		int err;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return total;
		err = guestcall_write(to, chunk, (size_t)n);
		if (err < 0)
			return err;
		total += n;
	}
}

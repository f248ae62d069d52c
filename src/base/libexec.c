/* SPDX-License-Identifier: Apache-2.0 */
#include "base/libexec.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int libexec_open(const char *name, struct fault *f)
{
	char path[1024];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;
	int fd;

	path[n < 0 ? 0 : n] = '\0';
	slash = strrchr(path, '/');
	if (slash) {
		size_t room = sizeof(path) - (size_t)(slash - path) - 1;

		(void)snprintf(slash + 1, room, "%s", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
	}
	(void)snprintf(path, sizeof(path), "%s/%s", BENTO_LIBEXEC, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fault_errno(f, "find %s (also tried beside %s)", path,
		                   program_invocation_short_name);
	return fd;
}

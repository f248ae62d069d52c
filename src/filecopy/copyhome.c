/* SPDX-License-Identifier: Apache-2.0 */
#include "filecopy/copyhome.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static int folder_in(int at, const char *name, struct fault *f)
{
	int fd;

	if (mkdirat(at, name, 0700) < 0 && errno != EEXIST)
		return fault_errno(f, "make the folder %s", name);
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fault_errno(f, "open the folder %s", name);
	return fd;
}

int copyhome_open(const char *home, const char *source, struct fault *f)
{
	autoclose int at = -1;
	autoclose int incoming = -1;

	/* A qube's name is one component of a path. */
	if (!source || !*source || *source == '.' || strchr(source, '/'))
		return fault_set(f, -EINVAL, "who sends is not known");
	if (!home || !*home)
		return fault_set(f, -ENOENT, "there is no HOME");
	at = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return fault_errno(f, "open the folder %s", home);
	incoming = folder_in(at, COPYHOME_FOLDER, f);
	if (incoming < 0)
		return incoming;
	return folder_in(incoming, source, f);
}

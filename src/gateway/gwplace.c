/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/gwplace.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

int gwplace_enter(const char *given, struct fault *f)
{
	struct paths paths;
	autoclose int runtime = -1;
	autoclose int folder = -1;

	if (!given)
		given = getenv("VCHAN_SOCKET_DIR");
	if (given)
		return chdir(given) < 0 ? fault_errno(f, "%s", given) : 0;
	if (paths_find(&paths, f) < 0)
		return -ENOENT;
	runtime = paths_open(&paths, PATHS_RUNTIME, f);
	if (runtime < 0)
		return runtime;
	folder = paths_open_below(runtime, "vchan", f);
	if (folder < 0)
		return folder;
	return fchdir(folder) < 0 ? fault_errno(f, "enter the folder vchan")
	                          : 0;
}

int gwplace_socket(const char *given, const char *name, char path[PATHS_MAX],
                   struct fault *f)
{
	autofree char *whole = given ? realpath(given, NULL) : NULL;
	struct paths paths;

	if (given && !whole)
		return fault_errno(f, "%s", given);
	if (given) {
		if (strlen(whole) >= PATHS_MAX)
			return fault_set(f, -ENAMETOOLONG, "%s", given);
		memcpy(path, whole, strlen(whole) + 1);
		return 0;
	}
	if (paths_find(&paths, f) < 0)
		return -ENOENT;
	if ((size_t)snprintf(path, PATHS_MAX, "%s/%s", paths.at[PATHS_RUNTIME],
	                     name) >= PATHS_MAX)
		return fault_set(f, -ENAMETOOLONG, "%s", name);
	return 0;
}

bool gwplace_number(const char *text, uint32_t *out)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end || *text < '0' || *text > '9' ||
	    n > UINT16_MAX)
		return false;
	*out = (uint32_t)n;
	return true;
}

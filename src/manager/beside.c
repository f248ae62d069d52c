/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/beside.h"

#include <stdio.h>
#include <string.h>

#include "manager/manager.h"
#include "policy/policy_store.h"

bool beside_place(const struct manager *m, unsigned i, char path[PATHS_MAX])
{
	static const enum policy_layer layers[] = {POLICY_LAYER_CONFIG,
	                                           POLICY_LAYER_ETC};

	for (unsigned at = 0; at < ARRAY_LEN(layers); at++) {
		const char *top = policy_store_folder(m->policy, layers[at]);
		const char *slash = top ? strrchr(top, '/') : NULL;
		int n;

		if (!slash || i-- > 0)
			continue;
		n = snprintf(path, PATHS_MAX, "%.*s", (int)(slash - top), top);
		return n > 0 && (size_t)n < PATHS_MAX;
	}
	return false;
}

bool beside_find(const struct manager *m, const char *name,
                 char path[PATHS_MAX])
{
	for (unsigned i = 0; beside_place(m, i, path); i++) {
		size_t len = strlen(path);

		if (snprintf(path + len, PATHS_MAX - len, "/%s", name) <
		            (int)(PATHS_MAX - len) &&
		    access(path, X_OK) == 0)
			return true;
	}
	return false;
}

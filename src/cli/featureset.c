/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/featureset.h"

#include <string.h>

int featureset_each(struct query *a, const char *qube,
                    int (*each)(void *with, const char *name,
                                const char *value),
                    void *with, struct fault *f)
{
	int err = query(a, "admin.vm.feature.List", NULL, qube, f);
	autofree char *names = err < 0 ? NULL : strdup(query_text(a));
	char *rest = NULL;

	if (err < 0)
		return err;
	if (!names)
		return fault_set(f, -ENOMEM, "out of memory");
	for (char *name = strtok_r(names, "\n", &rest); name;
	     name = strtok_r(NULL, "\n", &rest)) {
		err = query(a, "admin.vm.feature.Get", name, qube, f);
		if (err == 0)
			err = each(with, name, query_text(a));
		/* One that has gone meanwhile is none any more. */
		if (err < 0 && err != -EREMOTEIO)
			return err;
	}
	return 0;
}

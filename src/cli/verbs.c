/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verbs.h"

#include <string.h>

static const struct verb verbs[] = {
#define VERB(name, qvm, form, what) {#name, qvm, form, what, verb_##name},
#include "cli/verbs.def"
};

const struct verb *verbs_at(size_t index)
{
	return index < ARRAY_LEN(verbs) ? &verbs[index] : NULL;
}

const struct verb *verbs_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(name, verbs[i].name) == 0 ||
		    (verbs[i].qvm[0] && strcmp(name, verbs[i].qvm) == 0))
			return &verbs[i];
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration that is accepted stays so, and says the same, with a comment
 * behind it; one that is refused names a line that is there.
 */
#include "qrexec/rpcconfig.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char more[] = "\n# more";
	static uint8_t longer[RPCCONFIG_SIZE_MAX];
	struct rpcconfig c, again;
	uint32_t line = 0, lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	if (rpcconfig_parse((struct span){data, size}, &c, &line) < 0) {
		if (line == 0 || line > lines)
			abort();
		return 0;
	}
	if (strnlen(c.force_user, sizeof(c.force_user)) > RPCCONFIG_USER_MAX)
		abort();
	if (size > sizeof(longer) - sizeof(more))
		return 0;
	if (size > 0)
		memcpy(longer, data, size);
	memcpy(longer + size, more, sizeof(more) - 1);
	if (rpcconfig_parse((struct span){longer, size + sizeof(more) - 1},
	                    &again, &line) < 0 ||
	    memcmp(&c, &again, sizeof(c)) != 0)
		abort();
	return 0;
}

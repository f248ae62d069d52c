/* SPDX-License-Identifier: Apache-2.0 */
/* A message that one side may send, the other may not; and it round-trips. */
#include "channel/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t wire[CONTROL_SIZE_MAX];
	struct span s = {data, size};
	struct control c;
	size_t n;
	bool kernel = control_parse(s, CONTROL_KERNEL, &c) == 0;
	bool client = control_parse(s, CONTROL_CLIENT, &c) == 0;

	if (kernel && client)
		abort();
	if (!kernel && !client)
		return 0;
	/* The text ends at its first NUL, and may have been made harmless. */
	n = control_format(&c, wire);
	if (n > size || memcmp(wire, data, n - strlen(c.text)) != 0)
		abort();
	for (size_t i = 0; c.text[i]; i++)
		if (c.text[i] < ' ' || c.text[i] > '~')
			abort();
	return 0;
}

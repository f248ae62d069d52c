/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever launch_parse() accepts, launch_format() writes back unchanged. */
#include "channel/launch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree uint8_t *again = NULL;
	struct launch l;
	size_t n;

	if (launch_parse((struct span){data, size}, &l) < 0)
		return 0;
	if (launch_descriptors(&l) > LAUNCH_FDS_MAX)
		abort();
	if (launch_format(&l, &again, &n) < 0 || n != size ||
	    memcmp(again, data, size) != 0)
		abort();
	return 0;
}

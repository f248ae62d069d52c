/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever job_parse() accepts, job_format() writes back unchanged. */
#include "channel/job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree uint8_t *again = NULL;
	struct job j;
	size_t n;

	if (job_parse((struct span){data, size}, &j) < 0)
		return 0;
	if (job_descriptors(&j) > ARRAY_LEN(j.stream))
		abort();
	if (job_format(&j, &again, &n) < 0 || n != size ||
	    memcmp(again, data, size) != 0)
		abort();
	return 0;
}

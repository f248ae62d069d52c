/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control messages that were taken apart and put together again are the same
 * control messages.
 */
#include "kernel/net/cmsg.h"

#define MANY 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t take_all(struct span wire, struct cmsg got[MANY])
{
	struct reader r = {.rest = wire};
	size_t n = 0;

	while (n < MANY && cmsg_next(&r, &got[n]) > 0)
		n++;
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cmsg first[MANY];
	static struct cmsg again[MANY];
	static struct cmsgout o;
	size_t n;

	n = take_all((struct span){data, size}, first);
	cmsg_out_init(&o, CMSGOUT_SIZE);
	for (size_t i = 0; i < n; i++)
		cmsg_put(&o, first[i].level, first[i].type, first[i].data.at,
		         first[i].data.size);
	if (o.truncated)
		return 0;
	if (take_all((struct span){o.bytes, o.size}, again) != n)
		abort();
	for (size_t i = 0; i < n; i++)
		if (first[i].level != again[i].level ||
		    first[i].type != again[i].type ||
		    !span_eq(first[i].data, again[i].data))
			abort();
	return 0;
}

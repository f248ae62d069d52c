/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Qubes, rules and a call made of the input are answered as by the reference,
 * whatever the order of the qubes, and whoever else is there.
 */
#include "policy/invent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree struct invention *v = malloc(sizeof(*v));
	struct reader r = {.rest = {data, size}};
	char why[2 * REFERENCE_ROOM];

	if (!v)
		return 0;
	invent(&r, v);
	if (invent_check(v, why, sizeof(why)))
		abort();
	return 0;
}

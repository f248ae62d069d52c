/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever is asked of NETLINK_ROUTE, the answer is made of whole messages
 * that repeat the question's number, and is the same when asked again.
 */
#include "kernel/net/netlink.h"
#include "kernel/net/rtnetlink.h"

#define PORT 4711u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct netlink_request *q,
                  const struct netlink_answer *a)
{
	struct reader r = {.rest = {a->bytes, a->size}};
	struct netlink_request got;

	while (netlink_next(&r, &got))
		if (got.seq != q->seq || got.port != PORT)
			abort();
	if (r.rest.size != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = {.rest = {data, size}};
	struct netlink_request q;

	while (netlink_next(&r, &q)) {
		static struct netlink_answer a;
		static struct netlink_answer b;
		long one;
		long two;

		a.size = b.size = 0;
		a.bad = b.bad = false;
		one = rtnetlink_answer(&q, PORT, &a, false);
		two = rtnetlink_answer(&q, PORT, &b, false);

		if (one != two || a.size != b.size ||
		    memcmp(a.bytes, b.bytes, a.size) != 0)
			abort();
		if (one >= 0) {
			if (a.bad)
				abort();
			check(&q, &a);
		}
	}
	return 0;
}

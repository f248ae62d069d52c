/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/nearest.h"

#include <string.h>

#define ROW (NEAREST_MAX + 1)

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	return MIN(MIN(a, b), c);
}

/*
 * Insertions, deletions, replacements and swaps of neighbours that make `b` of
 * `a`.  Three rows of the table are enough: of the last two prefixes of `a`,
 * and this one.
 */
static unsigned distance(const char *a, size_t la, const char *b, size_t lb)
{
	unsigned table[3][ROW + 1];

	for (size_t j = 0; j <= lb; j++)
		table[0][j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned *now = table[i % 3];
		const unsigned *last = table[(i - 1) % 3];
		const unsigned *before = table[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			bool same = a[i - 1] == b[j - 1];

			now[j] = least(last[j] + 1, now[j - 1] + 1,
			               last[j - 1] + !same);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				now[j] = MIN(now[j], before[j - 2] + 1);
		}
	}
	return table[la % 3][lb];
}

void nearest_see(struct nearest *n, const char *candidate)
{
	size_t la = strlen(n->to);
	size_t lb = strlen(candidate);
	unsigned far;

	if (la > NEAREST_MAX || lb > NEAREST_MAX)
		return;
	far = distance(n->to, la, candidate, lb);
	/* A third of it may be wrong, but at least one letter is right. */
	if (far > MAX(1, la / 3) || far >= MAX(la, lb))
		return;
	if (n->best && n->far <= far)
		return;
	n->best = candidate;
	n->far = far;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/nearest.h"

#include <string.h>

#include "cmocka_all.h"

static const struct {
	const char *to;
	const char *candidates[4];
	const char *best; /* NULL: none */
} rows[] = {
	{"wrok", {"mail", "work", "works"}, "work"}, /* swapped */
	{"wor", {"mail", "work"}, "work"},           /* one is missing */
	{"persnal", {"personal"}, "personal"},
	{"prsnl", {"personal"}, NULL}, /* three are */
	{"x", {"y"}, NULL},            /* nothing in common */
	{"banking", {"work", "mail"}, NULL},
	{"sys-fw", {"sys-net", "sys-fw2"}, "sys-fw2"},
	{"", {"a"}, NULL},
	{"work", {NULL}, NULL},
};

static void what_was_meant_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nearest n = {.to = rows[i].to};

		for (size_t k = 0; rows[i].candidates[k]; k++)
			nearest_see(&n, rows[i].candidates[k]);
		if (!n.best != !rows[i].best ||
		    (n.best && strcmp(n.best, rows[i].best) != 0))
			fail_msg("%s: got %s", rows[i].to,
			         n.best ? n.best : "nothing");
	}
}

static void long_words_are_like_nothing(void **state)
{
	char longer[200];
	struct nearest n = {.to = longer};

	(void)state;
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	nearest_see(&n, "a");
	nearest_see(&n, longer);
	assert_null(n.best);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_meant_is_found),
		cmocka_unit_test(long_words_are_like_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

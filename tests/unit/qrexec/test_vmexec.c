/* SPDX-License-Identifier: Apache-2.0 */
#include "qrexec/vmexec.h"

#include "cmocka_all.h"

/* Written by hand from the rule, not by our own encoder. */
static const struct {
	const char *wire;
	int count;
	const char *packed;
	size_t size;
} good[] = {
	{"ls", 1, "ls", 3},       {"ls+--l+-2Ftmp", 3, "ls\0-l\0/tmp", 11},
	{"a-20b", 1, "a b", 4},   {"-C3-A4", 1, "\xc3\xa4", 3},
	{"a++b", 3, "a\0\0b", 5}, {"", 1, "", 1},
	{"+", 2, "\0", 2},
};

static const struct {
	const char *why;
	const char *wire;
} refused[] = {
	{"ends inside an escape", "a-2"},
	{"a dash at the end", "a-"},
	{"lower-case digits", "-2f"},
	{"no digit", "-2G"},
	{"a NUL in a word", "a-00b"},
	{"a byte that should be escaped", "a/b"},
	{"a blank", "a b"},
};

static void words_come_out_as_they_were(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		autobuffer struct buffer b = {0};
		int got = vmexec_decode(span_str(good[i].wire), &b);

		if (got != good[i].count || b.size != good[i].size ||
		    memcmp(b.at, good[i].packed, b.size) != 0)
			fail_msg("%s: %d words", good[i].wire, got);
	}
}

static void what_is_not_of_the_form_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		autobuffer struct buffer b = {0};

		if (vmexec_decode(span_str(refused[i].wire), &b) != -EPROTO)
			fail_msg("%s", refused[i].why);
	}
}

static void encoding_is_the_way_back(void **state)
{
	char program[] = "sh", dash[] = "-c", text[] = "echo \"$HOME\"\n+_.";
	char empty[] = "";
	char *words[] = {program, dash, text, empty, NULL};
	autobuffer struct buffer b = {0};

	(void)state;
	vmexec_encode(words, &b);
	buffer_text0(&b, "");
	assert_string_equal((char *)b.at,
	                    "sh+--c+echo-20-22-24HOME-22-0A-2B_.+");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_come_out_as_they_were),
		cmocka_unit_test(what_is_not_of_the_form_is_refused),
		cmocka_unit_test(encoding_is_the_way_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

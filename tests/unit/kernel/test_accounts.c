/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/accounts.h"

#include <errno.h>

#include "cmocka_all.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
			     "short:x:5\n"
			     "bad:x:one:1::/:/bin/sh\n"
			     "nobody:x:4294967295:1::/:/bin/sh\n"
			     "\n"
			     "alice:x:1001:1002:A,,:/home/alice:/bin/zsh\n"
			     "alice:x:0:0::/:/bin/sh\n"
			     "last:x:7:7::/last:";
static const char groups[] = "root:x:0:\n"
			     "audio:x:29:bob,alice\n"
			     "audio2:x:30:alicex,bob\n"
			     "odd:x:-1:alice\n"
			     "own:x:1002:alice\n"
			     "video:x:44:alice";

static int find(const char *name, struct account *a)
{
	return accounts_parse(span_str(passwd), span_str(groups),
	                      span_str(name), a);
}

static void the_first_line_of_a_name_counts(void **state)
{
	struct account a;

	(void)state;
	assert_int_equal(find("alice", &a), 0);
	assert_int_equal(a.uid, 1001);
	assert_int_equal(a.gid, 1002);
	assert_string_equal(a.home, "/home/alice");
	assert_string_equal(a.shell, "/bin/zsh");
	assert_int_equal(find("last", &a), 0);
	assert_string_equal(a.home, "/last");
	assert_string_equal(a.shell, "");
}

static void groups_are_those_that_name_it(void **state)
{
	struct account a;

	(void)state;
	assert_int_equal(find("alice", &a), 0);
	assert_int_equal(a.group_count, 3);
	assert_int_equal(a.groups[0], 1002);
	assert_int_equal(a.groups[1], 29);
	assert_int_equal(a.groups[2], 44);
}

static void lines_that_are_none_name_nobody(void **state)
{
	static const char *const names[] = {"short", "bad",    "nobody", "",
	                                    "alic",  "alice:", "x"};
	struct account a = {.uid = 77};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (find(names[i], &a) != -ENOENT)
			fail_msg("'%s' was found", names[i]);
	assert_int_equal(a.uid, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_line_of_a_name_counts),
		cmocka_unit_test(groups_are_those_that_name_it),
		cmocka_unit_test(lines_that_are_none_name_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

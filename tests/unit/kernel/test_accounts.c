/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/accounts.h"

#include <errno.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/testbed.h"

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

static void write_file(struct testbed *bed, const char *name, const char *text)
{
	long fd = testbed_call(bed, SYS_openat, AT_FDCWD, name,
	                       O_CREAT | O_TRUNC | O_WRONLY, 0600);

	assert_true(fd >= 0);
	assert_int_equal(testbed_call(bed, SYS_write, fd, text, strlen(text)),
	                 strlen(text));
	assert_int_equal(testbed_call(bed, SYS_close, fd), 0);
}

/* Without its files a qube still has these two, so that it can be mended. */
static void user_and_root_are_always_there(void **state)
{
	struct testbed *bed = *state;
	struct account a;

	assert_int_equal(accounts_find(bed->task, span_str("root"), &a), 0);
	assert_int_equal(a.uid, 0);
	assert_int_equal(accounts_find(bed->task, span_str(""), &a), 0);
	assert_string_equal(a.name, "user");
	assert_int_equal(a.uid, 1000);
	assert_true(accounts_find(bed->task, span_str("alice"), &a) < 0);
}

static void the_files_of_the_qube_decide(void **state)
{
	struct testbed *bed = *state;
	struct account a;

	assert_int_equal(testbed_call(bed, SYS_mkdirat, AT_FDCWD, "/etc", 0755),
	                 0);
	write_file(bed, "/etc/passwd",
	           "root:x:0:0::/elsewhere:/bin/dash\n"
	           "alice:x:1001:1001::/home/alice:/bin/zsh\n");
	write_file(bed, "/etc/group", "audio:x:29:root,alice\n");
	assert_int_equal(accounts_find(bed->task, span_str("root"), &a), 0);
	assert_string_equal(a.home, "/elsewhere");
	assert_string_equal(a.shell, "/bin/dash");
	assert_int_equal(a.group_count, 2);
	assert_int_equal(a.groups[1], 29);
	assert_int_equal(accounts_find(bed->task, span_str("alice"), &a), 0);
	assert_int_equal(a.uid, 1001);
	assert_int_equal(accounts_find(bed->task, span_str("bob"), &a),
	                 -ENOENT);
	assert_int_equal(accounts_find(bed->task, span_str(""), &a), 0);
	assert_int_equal(a.uid, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_line_of_a_name_counts),
		cmocka_unit_test(groups_are_those_that_name_it),
		cmocka_unit_test(lines_that_are_none_name_nobody),
		TESTBED(user_and_root_are_always_there),
		TESTBED(the_files_of_the_qube_decide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

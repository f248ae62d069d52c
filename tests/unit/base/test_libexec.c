/* SPDX-License-Identifier: Apache-2.0 */
#include "base/libexec.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmocka_all.h"

static void a_program_beside_ours_is_found(void **state)
{
	struct fault f = {0};
	struct stat here, found;
	int fd = libexec_open(program_invocation_short_name, &f);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(stat("/proc/self/exe", &here), 0);
	assert_int_equal(fstat(fd, &found), 0);
	assert_int_equal(found.st_ino, here.st_ino);
	close(fd);
}

static void what_is_missing_is_named(void **state)
{
	struct fault f = {0};

	(void)state;
	assert_int_equal(libexec_open("no-such-program", &f), -ENOENT);
	assert_non_null(strstr(f.text, "/no-such-program (also tried beside"));
	assert_non_null(strstr(f.text, program_invocation_short_name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_beside_ours_is_found),
		cmocka_unit_test(what_is_missing_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

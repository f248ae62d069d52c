/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/wholefile.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmocka_all.h"

#define SIZE 10000u

/* The name of a file of so many bytes. */
static const char *file_of(size_t size)
{
	static char name[64];
	int fd = memfd_create("whole", 0);

	assert_true(fd >= 0);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(write(fd, &(char){(char)(i % 251)}, 1), 1);
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return name;
}

static void all_of_it_is_added(void **state)
{
	autobuffer struct buffer b = {0};
	struct fault f = {0};

	(void)state;
	buffer_text(&b, "before ");
	assert_int_equal(wholefile_read(file_of(SIZE), SIZE, &b, &f), 0);
	assert_int_equal(b.size, 7 + SIZE);
	assert_memory_equal(b.at, "before ", 7);
	for (size_t i = 0; i < SIZE; i++)
		assert_int_equal(b.at[7 + i], i % 251);
}

static void a_dash_is_standard_input(void **state)
{
	autobuffer struct buffer b = {0};
	struct fault f = {0};
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "typed", 5), 5);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(wholefile_read("-", SIZE, &b, &f), 0);
	assert_int_equal(b.size, 5);
	assert_memory_equal(b.at, "typed", 5);
}

static void what_cannot_be_read_is_said(void **state)
{
	const struct {
		const char *path;
		int want;
		const char *words;
	} rows[] = {
		{"/nonexistent", -ENOENT, "open /nonexistent: "},
		{"/tmp", -EISDIR, "read /tmp: "},
		{file_of(SIZE), -EFBIG, " is longer than 9999 bytes"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autobuffer struct buffer b = {0};
		struct fault f = {0};

		assert_int_equal(wholefile_read(rows[i].path, SIZE - 1, &b, &f),
		                 rows[i].want);
		assert_non_null(strstr(f.text, rows[i].words));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_is_added),
		cmocka_unit_test(a_dash_is_standard_input),
		cmocka_unit_test(what_cannot_be_read_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

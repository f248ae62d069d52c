/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/maps.h"

#include <string.h>

#include "cmocka_all.h"

static const char host[] =
	"55550000-55552000 r--p 00000000 fe:00 247134                     "
	"/usr/bin/cat\n"
	"5555c000-5557d000 rw-p 00000000 00:00 0 \n"
	"7d0000000000-7d000000d000 r-xp 00001000 fe:00 53                 "
	"/home/u/build/bento-cell\n"
	"7d2000000000-7d2004000000 rw-s 00000000 00:01 32                 "
	"/memfd:channel (deleted)\n"
	"7f0000000000-7f0000800000 rw-p 00000000 00:00 0 \n"
	"7f0001000000-7f0001001000 rw-s 00000000 00:01 9                  "
	"/memfd:x (deleted)\n"
	"7f0002000000-7f0002001000 r--p 00000000 fe:00 8                  "
	"/home/alice/secret place/notes\n"
	"7ffe97e43000-7ffe97e64000 rw-p 00000000 00:00 0                  "
	"[stack]\n";

static void our_own_mappings_and_names_of_the_host_are_not_shown(void **state)
{
	size_t size;
	char *text = maps_translate(host, 0x7f0000700010, 0x5555c000, &size);

	(void)state;
	assert_non_null(text);
	assert_int_equal(strlen(text), size);
	assert_non_null(strstr(text, "/usr/bin/cat\n"));
	assert_null(strstr(text, "7d0000000000"));
	assert_null(strstr(text, "bento-cell"));
	assert_null(strstr(text, "alice"));
	assert_null(strstr(text, "memfd"));
	assert_null(strstr(text, "7ffe97e43000"));
	assert_non_null(strstr(text, "/.../notes\n"));
	free(text);
}

static void stack_and_heap_are_marked_where_they_are(void **state)
{
	size_t size;
	char *text = maps_translate(host, 0x7f0000700010, 0x5555c000, &size);
	const char *stack, *heap;

	(void)state;
	assert_non_null(text);
	stack = strstr(text, "[stack]");
	heap = strstr(text, "[heap]");
	assert_non_null(stack);
	assert_non_null(heap);
	assert_non_null(strstr(text, "7f0000000000-7f0000800000 rw-p"));
	assert_true(strstr(text, "7f0000000000-") < stack);
	assert_true(strstr(text, "5555c000-") < heap);
	assert_null(strstr(stack + 1, "[stack]"));
	free(text);
}

/* Lines we do not understand, and why. */
static const char *const dropped[] = {
	"",           "\n\n", "nonsense\n", "5555-\n", "55550000-55552000\n",
	"z-y r--p\n",
};

static void lines_of_another_form_are_dropped(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dropped); i++) {
		size_t size = 7;
		char *text = maps_translate(dropped[i], 0, 0, &size);

		assert_non_null(text);
		assert_int_equal(size, 0);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			our_own_mappings_and_names_of_the_host_are_not_shown),
		cmocka_unit_test(stack_and_heap_are_marked_where_they_are),
		cmocka_unit_test(lines_of_another_form_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

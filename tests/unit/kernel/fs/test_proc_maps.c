/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/proc_maps.h"

#include <string.h>

#include "kernel/fs/world.h"
#include "kernel/testbed.h"

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

static const struct proc_maps_how how = {
	.stack = 0x7f0000700010,
	.heap = 0x5555c000,
};

/* The translation, with a NUL.  The caller ends it with text_fini(). */
static const char *translated(struct testbed *bed, const char *from,
                              struct text *text)
{
	text_init(text, &bed->kernel);
	proc_maps_translate(&bed->kernel, span_str(from), &how, text);
	text_add_bytes(text, "", 1);
	assert_false(text->failed);
	return text->bytes;
}

static void our_own_mappings_and_names_of_the_host_are_not_shown(void **state)
{
	struct testbed *bed = *state;
	struct text text;
	const char *got = translated(bed, host, &text);

	assert_null(strstr(got, "7d0000000000"));
	assert_null(strstr(got, "bento-cell"));
	assert_null(strstr(got, "alice"));
	assert_null(strstr(got, "memfd"));
	assert_null(strstr(got, "7ffe97e43000"));
	assert_non_null(strstr(got, "7f0002000000"));
	text_fini(&text);
}

static void a_shared_folder_has_its_name_inside(void **state)
{
	struct testbed *bed = *state;
	struct world *w = bed->kernel.world;
	struct text text;
	const char *got;

	w->folder_count = 2;
	w->folder[0].outside = strdup("/home/alice");
	(void)strcpy(w->folder[0].inside, "/share");
	w->folder[1].outside = strdup("/usr");
	(void)strcpy(w->folder[1].inside, "/usr");
	got = translated(bed, host, &text);
	assert_non_null(strstr(got, " /share/secret place/notes\n"));
	assert_non_null(strstr(got, " /usr/bin/cat\n"));
	assert_null(strstr(got, "alice"));
	text_fini(&text);
}

static void stack_and_heap_are_marked_where_they_are(void **state)
{
	struct text text;
	const char *got = translated(*state, host, &text);
	const char *stack = strstr(got, "[stack]");
	const char *heap = strstr(got, "[heap]");

	assert_non_null(stack);
	assert_non_null(heap);
	assert_non_null(strstr(got, "7f0000000000-7f0000800000 rw-p"));
	assert_true(strstr(got, "7f0000000000-") < stack);
	assert_true(strstr(got, "5555c000-") < heap);
	assert_null(strstr(stack + 1, "[stack]"));
	text_fini(&text);
}

/* Lines we do not understand, and why. */
static const char *const dropped[] = {
	"",           "\n\n", "nonsense\n", "5555-\n", "55550000-55552000\n",
	"z-y r--p\n",
};

static void lines_of_another_form_are_dropped(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(dropped); i++) {
		struct text text;

		assert_string_equal(translated(*state, dropped[i], &text), "");
		text_fini(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(our_own_mappings_and_names_of_the_host_are_not_shown),
		TESTBED(a_shared_folder_has_its_name_inside),
		TESTBED(stack_and_heap_are_marked_where_they_are),
		TESTBED(lines_of_another_form_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "filecopy/copyname.h"

#include <string.h>

#include "cmocka_all.h"

static const struct {
	const char *why;
	const char *name;
	int want;     /* as names are by themselves */
	int want_all; /* with all names allowed */
} names[] = {
	{"plain", "report.pdf", 0, 0},
	{"a path", "a/b/c", 0, 0},
	{"dots in front", "...", 0, 0},
	{"a hidden file", ".profile/.x", 0, 0},
	{"blanks and signs", "a b; rm -rf $HOME`|&'\"\\", 0, 0},
	{"an option", "-rf", 0, 0},
	{"umlaut", "\303\244.txt", 0, 0},
	{"Chinese", "\346\226\207", 0, 0},
	{"a face", "\360\237\230\200", 0, 0},
	{"empty", "", -EINVAL, -EINVAL},
	{"absolute", "/etc/passwd", -EINVAL, -EINVAL},
	{"here", ".", -EINVAL, -EINVAL},
	{"above", "..", -EINVAL, -EINVAL},
	{"above, at the start", "../x", -EINVAL, -EINVAL},
	{"above, within", "a/../../x", -EINVAL, -EINVAL},
	{"above, at the end", "a/..", -EINVAL, -EINVAL},
	{"here, within", "a/./x", -EINVAL, -EINVAL},
	{"two slashes", "a//x", -EINVAL, -EINVAL},
	{"a slash at the end", "a/", -EINVAL, -EINVAL},
	{"a newline", "a\nb", -EILSEQ, 0},
	{"an escape", "a\033[2J", -EILSEQ, 0},
	{"delete", "a\177", -EILSEQ, 0},
	{"no UTF-8", "\377", -EILSEQ, 0},
	{"UTF-8 cut short", "a\303", -EILSEQ, 0},
	{"UTF-8 cut short by a letter", "\346\226a", -EILSEQ, 0},
	{"a byte that only continues", "\226", -EILSEQ, 0},
	{"a slash in two bytes", "\300\257", -EILSEQ, 0},
	{"a slash in three bytes", "\340\200\257", -EILSEQ, 0},
	{"a surrogate", "\355\240\200", -EILSEQ, 0},
	{"above Unicode", "\364\220\200\200", -EILSEQ, 0},
	{"five bytes", "\370\210\200\200\200", -EILSEQ, 0},
	{"a control character of two bytes", "\302\233", -EILSEQ, 0},
	{"from right to left", "gnp.\342\200\256exe", -EILSEQ, 0},
	{"no width", "a\342\200\213b", -EILSEQ, 0},
	{"a wide space", "a\343\200\200b", -EILSEQ, 0},
	{"a byte order mark", "\357\273\277a", -EILSEQ, 0},
	{"somebody's own", "\356\200\200", -EILSEQ, 0},
	{"a tag", "\363\240\201\201", -EILSEQ, 0},
};

static void names_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		int got = copyname_check(names[i].name, false);
		int all = copyname_check(names[i].name, true);

		if (got != names[i].want || all != names[i].want_all)
			fail_msg("%s: %d, %d", names[i].why, got, all);
	}
}

static const struct {
	const char *why;
	const char *name;
	const char *target;
	int want;
} links[] = {
	{"beside it", "a/link", "file", 0},
	{"below it", "a/link", "b/c", 0},
	{"up to where it began", "a/b/link", "../file", 0},
	{"up, and nothing behind", "a/b/link", "..", 0},
	{"up twice, of two", "a/b/c/link", "../../x", 0},
	{"by itself", "link", "file", -ENOLINK},
	{"out", "a/link", "../file", -ENOLINK},
	{"out, nothing behind", "a/link", "..", -ENOLINK},
	{"out by one more", "a/b/link", "../../x", -ENOLINK},
	{"up in the middle", "a/b/link", "c/../../x", -ENOLINK},
	{"up, hidden behind here", "a/b/link", "./../../x", -ENOLINK},
	{"up, hidden behind two slashes", "a/b/link", "..//../x", -ENOLINK},
	{"up twice, nothing behind", "a/b/link", "../..", -ENOLINK},
	{"a slash behind", "a/b/link", "../", -ENOLINK},
	{"absolute", "a/link", "/etc/passwd", -ENOLINK},
	{"nothing", "a/link", "", -ENOLINK},
	{"an escape", "a/link", "\033", -EILSEQ},
};

static void links_stay_inside(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		int got = copyname_check_link(links[i].name, links[i].target,
		                              false);

		if (got != links[i].want)
			fail_msg("%s: %d", links[i].why, got);
		if (got == -EILSEQ)
			got = 0;
		if (copyname_check_link(links[i].name, links[i].target, true) !=
		    got)
			fail_msg("%s, all names", links[i].why);
	}
}

static const struct {
	uint32_t first, last;
} hidden[] = {
#define HIDDEN(first, last, what) {first, last},
#include "filecopy/copyname.def"
};

static void the_table_is_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hidden); i++) {
		assert_true(hidden[i].first <= hidden[i].last);
		assert_true(i == 0 || hidden[i - 1].last < hidden[i].first);
	}
}

/* What the table does not name gets through; what it names does not. */
static void every_character_is_told(void **state)
{
	size_t row = 0;

	(void)state;
	for (uint32_t c = 0x800; c <= 0x10ffff; c++) {
		char text[5] = {0};
		int at = 0;
		bool bad;

		if (c >= 0x10000) {
			text[at++] = (char)(0xf0 | c >> 18);
			text[at++] = (char)(0x80 | (c >> 12 & 0x3f));
		} else {
			text[at++] = (char)(0xe0 | c >> 12);
		}
		text[at++] = (char)(0x80 | (c >> 6 & 0x3f));
		text[at++] = (char)(0x80 | (c & 0x3f));
		while (row < ARRAY_LEN(hidden) && hidden[row].last < c)
			row++;
		bad = row < ARRAY_LEN(hidden) && hidden[row].first <= c;
		assert_int_equal(copyname_check(text, false),
		                 bad ? -EILSEQ : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_judged),
		cmocka_unit_test(links_stay_inside),
		cmocka_unit_test(the_table_is_in_order),
		cmocka_unit_test(every_character_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

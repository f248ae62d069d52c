/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/options.h"

#include "cmocka_all.h"

struct seen {
	const char *value;
	int plain;
	int maybe;
	const char *maybe_value;
	bool flag;
	const char *text;
	struct option_list list;
	struct option_list many;
	uint32_t most;
};

static int set_value(void *to, const char *value, struct fault *f)
{
	struct seen *s = to;

	if (value[0] == '!')
		return fault_set(f, -EINVAL, "no");
	s->value = value;
	return 0;
}

static int set_plain(void *to, const char *value, struct fault *f)
{
	struct seen *s = to;

	(void)f;
	assert_null(value);
	s->plain++;
	return 0;
}

static int set_maybe(void *to, const char *value, struct fault *f)
{
	struct seen *s = to;

	(void)f;
	s->maybe++;
	s->maybe_value = value;
	return 0;
}

static const struct option_row rows[] = {
	{"value", 'v', OPTION_VALUE, set_value, "V", "", 0},
	{"plain", 'p', OPTION_NONE, set_plain, "", "", 0},
	{"maybe", 'm', OPTION_OPTIONAL, set_maybe, "X", "", 0},
#define FLAG(...) OPTIONS_FLAG(struct seen, __VA_ARGS__)
#define TEXT(...) OPTIONS_TEXT(struct seen, __VA_ARGS__)
#define LIST(...) OPTIONS_LIST(struct seen, __VA_ARGS__)
#define MANY(...) OPTIONS_MANY(struct seen, __VA_ARGS__)
	FLAG("flag", 'f', flag, "") TEXT("text", 't', text, "T", "")
		LIST("list", 'l', list, "L", "")
			MANY("many", 0, many, "M", "")};

static int reads(struct seen *s, const char *const argv[])
{
	struct fault f;
	char *copy[8] = {NULL};

	for (size_t i = 0; argv[i]; i++)
		copy[i] = (char *)(uintptr_t)argv[i];
	return options_read(rows, ARRAY_LEN(rows), s, copy, &f);
}

#define READS(s, ...) reads(s, (const char *const[]){"verb", __VA_ARGS__, NULL})

static void options_end_where_the_command_begins(void **state)
{
	struct seen s = {0};

	(void)state;
	assert_int_equal(READS(&s, "--value", "a", "--plain", "ls", "--plain"),
	                 4);
	assert_string_equal(s.value, "a");
	assert_int_equal(s.plain, 1);
	assert_int_equal(READS(&s, "--value=b=c", "--", "--plain"), 3);
	assert_string_equal(s.value, "b=c");
	assert_int_equal(READS(&s, "-"), 1);
	assert_int_equal(READS(&s, "--maybe", "x"), 2);
	assert_null(s.maybe_value);
	assert_int_equal(READS(&s, "--maybe=y", "x"), 2);
	assert_string_equal(s.maybe_value, "y");
}

static void letters_join_and_take_values(void **state)
{
	struct seen s = {0};

	(void)state;
	assert_int_equal(READS(&s, "-pfp", "-tred", "-v", "x", "-"), 5);
	assert_int_equal(s.plain, 2);
	assert_true(s.flag);
	assert_string_equal(s.text, "red");
	assert_string_equal(s.value, "x");
	assert_int_equal(READS(&s, "-ftgreen"), 2);
	assert_string_equal(s.text, "green");
	assert_int_equal(READS(&s, "-ft", "blue"), 3);
	assert_string_equal(s.text, "blue");
}

static int sorts(struct seen *s, char *words[], const char *const argv[])
{
	struct fault f;
	char *copy[12] = {NULL};

	for (size_t i = 0; argv[i]; i++)
		copy[i] = (char *)(uintptr_t)argv[i];
	return options_sort(rows, ARRAY_LEN(rows), s, copy, words, s->most, &f);
}

#define SORTS(s, words, ...) \
	sorts(s, words, (const char *const[]){"verb", __VA_ARGS__, NULL})

static void options_may_stand_anywhere(void **state)
{
	struct seen s = {0};
	char *words[12];

	(void)state;
	assert_int_equal(SORTS(&s, words, "a", "-l", "1", "b", "--list=2", "--",
	                       "-f", "--"),
	                 4);
	assert_string_equal(words[0], "a");
	assert_string_equal(words[1], "b");
	assert_string_equal(words[2], "-f");
	assert_string_equal(words[3], "--");
	assert_null(words[4]);
	assert_false(s.flag);
	assert_int_equal(s.list.count, 2);
	assert_string_equal(s.list.item[0], "1");
	assert_string_equal(s.list.item[1], "2");
	assert_int_equal(SORTS(&s, words, "--none"), -EINVAL);
}

/* What is not there is named, with what may have been meant. */
static void unknown_options_are_explained(void **state)
{
	static const struct {
		const char *word, *says;
	} refused[] = {
		{"--plian", "no such option: --plian; did you mean --plain?"},
		{"--txet=1", "no such option: --txet; did you mean --text?"},
		{"--nothing-like-it",
	         "no such option: --nothing-like-it; --help names them"},
		{"--=x", "no such option: --; --help names them"},
		{"-q", "no such option: -q; --help names them"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		char verb[] = "verb";
		char *argv[] = {verb, (char *)(uintptr_t)refused[i].word, NULL};
		struct seen s = {0};
		struct fault f;

		assert_int_equal(
			options_read(rows, ARRAY_LEN(rows), &s, argv, &f),
			-EINVAL);
		assert_string_equal(f.text, refused[i].says);
	}
}

static void some_options_take_several_words(void **state)
{
	struct seen s = {0};
	char *words[12];

	(void)state;
	assert_int_equal(SORTS(&s, words, "a", "--many", "1", "2", "-f", "b"),
	                 2);
	assert_string_equal(words[1], "b");
	assert_int_equal(s.many.count, 2);
	assert_int_equal(SORTS(&s, words, "--many=3", "b"), 1);
	assert_int_equal(s.many.count, 3);
}

static void a_command_keeps_its_options(void **state)
{
	struct seen s = {.most = 2};
	char *words[12];

	(void)state;
	assert_int_equal(SORTS(&s, words, "-f", "work", "-p", "ls", "-p", "--",
	                       "--none"),
	                 5);
	assert_true(s.flag);
	assert_int_equal(s.plain, 1);
	assert_string_equal(words[2], "-p");
	assert_string_equal(words[3], "--");
	assert_string_equal(words[4], "--none");
}

static void lists_have_an_end(void **state)
{
	struct seen s = {0};
	char *words[12];

	(void)state;
	s.list.count = ARRAY_LEN(s.list.item);
	assert_int_equal(SORTS(&s, words, "--list=2"), -E2BIG);
}

static void what_is_no_option_is_refused(void **state)
{
	struct seen s = {0};

	(void)state;
	assert_int_equal(READS(&s, "--none"), -EINVAL);
	assert_int_equal(READS(&s, "-x"), -EINVAL);
	assert_int_equal(READS(&s, "-px"), -EINVAL);
	assert_int_equal(READS(&s, "-v"), -EINVAL);
	assert_int_equal(READS(&s, "--flag=1"), -EINVAL);
	assert_int_equal(READS(&s, "--=1"), -EINVAL);
	assert_int_equal(READS(&s, "--values", "x"), -EINVAL);
	assert_int_equal(READS(&s, "--plain=1"), -EINVAL);
	assert_int_equal(READS(&s, "--value"), -EINVAL);
	assert_int_equal(READS(&s, "--value", "!"), -EINVAL);
}

static void names_may_be_cut_short(void **state)
{
	const char *const unclear[] = {"verb", "--ma", NULL};
	struct seen s = {0};
	char *words[12];
	struct fault f;

	(void)state;
	assert_int_equal(READS(&s, "--val", "x", "--fl", "--te=red"), 5);
	assert_string_equal(s.value, "x");
	assert_true(s.flag);
	assert_string_equal(s.text, "red");
	assert_int_equal(SORTS(&s, words, "a", "--man", "1", "2"), 1);
	assert_int_equal(s.many.count, 2);
	/* What could be two is neither, and it is said which. */
	assert_int_equal(options_read(rows, ARRAY_LEN(rows), &s,
	                              (char *const *)(uintptr_t)unclear, &f),
	                 -EINVAL);
	assert_string_equal(f.text, "which option is --ma? --maybe, --many");
	/* A whole name is meant, though another begins with it. */
	const struct option_row alike[] = {
		{"list-all", 0, OPTION_NONE, set_plain, "", "", 0},
		{"list", 0, OPTION_NONE, set_plain, "", "", 0},
	};
	const char *const whole[] = {"verb", "--list", NULL};

	assert_int_equal(options_read(alike, ARRAY_LEN(alike), &s,
	                              (char *const *)(uintptr_t)whole, &f),
	                 2);
}

static const struct {
	const char *text;
	uint64_t want; /* 0: refused */
} sizes[] = {
	{"1", 1},
	{"4k", 4096},
	{"4K", 4096},
	{"512M", 512ull << 20},
	{"2G", 2ull << 30},
	{"1T", 1ull << 40},
	{"", 0},
	{"0", 0},
	{"M", 0},
	{"-1", 0},
	{" 1", 0},
	{"1MB", 0},
	{"1.5G", 0},
	{"lots", 0},
	{"99999999999999999999", 0},
	{"99999999999T", 0},
};

static void sizes_are_read_exactly(void **state)
{
	struct fault f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		uint64_t got = 0;
		int err = options_size(sizes[i].text, &got, &f);

		if (got != sizes[i].want || (err < 0) != (sizes[i].want == 0))
			fail_msg("\"%s\": %d, %llu", sizes[i].text, err,
			         (unsigned long long)got);
	}
}

static void numbers_have_bounds(void **state)
{
	static const char *const bad[] = {"",   "0",  "101",        "-1",
	                                  "1x", "x1", "99999999999"};
	struct fault f;
	uint32_t n = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (options_number(bad[i], 100, &n, &f) != -EINVAL)
			fail_msg("accepted \"%s\"", bad[i]);
	assert_int_equal(n, 7);
	assert_int_equal(options_number("100", 100, &n, &f), 0);
	assert_int_equal(n, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_end_where_the_command_begins),
		cmocka_unit_test(letters_join_and_take_values),
		cmocka_unit_test(options_may_stand_anywhere),
		cmocka_unit_test(unknown_options_are_explained),
		cmocka_unit_test(some_options_take_several_words),
		cmocka_unit_test(a_command_keeps_its_options),
		cmocka_unit_test(lists_have_an_end),
		cmocka_unit_test(names_may_be_cut_short),
		cmocka_unit_test(what_is_no_option_is_refused),
		cmocka_unit_test(sizes_are_read_exactly),
		cmocka_unit_test(numbers_have_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_parse.h"

#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"
#include "policy/policy_line.h"
#include "policybed.h"

/* All rules as lines, with where each is from. */
static char *dump(const struct policy_rules *p)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	for (size_t i = 0; i < p->count; i++) {
		char line[512];

		assert_true(policy_line_write(&p->rule[i], line, sizeof(line)) >
		            0);
		(void)fprintf(to, "%s:%u %s\n",
		              strrchr(p->file[p->rule[i].file], '/') + 1,
		              p->rule[i].line, line);
	}
	assert_int_equal(fclose(to), 0);
	return text;
}

static void expect(const struct policybed_file *files, const char *want)
{
	const struct policy_source source = policybed_source(files);
	struct policy_rules *rules = policy_rules_create();
	struct fault f = {""};
	char *got;

	assert_non_null(rules);
	if (policy_parse_file(rules, &source, files[0].path, "/p/policy.d",
	                      &f) < 0)
		fail_msg("%s", f.text);
	got = dump(rules);
	assert_string_equal(got, want);
	free(got);
	policy_rules_destroy(rules);
}

static void comments_and_blank_lines_count_as_lines_only(void **state)
{
	static const struct policybed_file files[] = {
		{"/p/policy.d/m.policy",
	         "# first\n\n  \t\n  # \x01\xff anything\n"
	         " a * b c allow\r\nd * e f deny"},
		{NULL, NULL},
	};

	(void)state;
	expect(files, "m.policy:5 a * b c allow\nm.policy:6 d * e f deny\n");
}

static void an_included_file_stands_in_the_place_of_its_directive(void **state)
{
	static const struct policybed_file files[] = {
		{"/p/policy.d/m.policy", "a * b c allow\n!include include/x\n"
	                                 "!include /abs/y\nd * e f deny\n"},
		{"/p/policy.d/include/x", "x * x x deny\n!include include/z\n"},
		{"/p/policy.d/include/z", "z * z z deny\n"},
		{"/abs/y", "y * y y ask"},
		{NULL, NULL},
	};

	(void)state;
	expect(files, "m.policy:1 a * b c allow\nx:1 x * x x deny\n"
	              "z:1 z * z z deny\ny:1 y * y y ask\n"
	              "m.policy:4 d * e f deny\n");
}

static void an_included_folder_is_read_sorted(void **state)
{
	static const struct policybed_file files[] = {
		{"/p/policy.d/m.policy", "!include-dir d\nd * e f deny\n"},
		{"/p/policy.d/d/b.policy", "b * b b deny\n"},
		{"/p/policy.d/d/a_.policy", "a_ * a a deny\n"},
		{"/p/policy.d/d/a.policy", "a * a a deny\n"},
		{"/p/policy.d/d/a-.policy", "a- * a a deny\n"},
		{"/p/policy.d/d/.hidden.policy", "wrong\n"},
		{"/p/policy.d/d/notes.txt", "wrong\n"},
		{NULL, NULL},
	};

	(void)state;
	expect(files, "a-.policy:1 a- * a a deny\na.policy:1 a * a a deny\n"
	              "a_.policy:1 a_ * a a deny\nb.policy:1 b * b b deny\n"
	              "m.policy:2 d * e f deny\n");
}

static void a_file_about_a_service_has_no_service_in_its_lines(void **state)
{
	static const struct policybed_file files[] = {
		{"/p/policy.d/m.policy", "!include-service svc +x include/s\n"
	                                 "!include-service * * include/s\n"},
		{"/p/policy.d/include/s", "a b allow\n!include include/t\n"},
		{"/p/policy.d/include/t", "c d deny\n"},
		{NULL, NULL},
	};

	(void)state;
	expect(files, "s:1 svc +x a b allow\nt:1 svc +x c d deny\n"
	              "s:1 * * a b allow\nt:1 * * c d deny\n");
}

static void old_files_are_closed_by_denials(void **state)
{
	static const struct policybed_file files[] = {
		{"/p/policy.d/m.policy", "!compat-4.0\nl * a b deny\n"},
		{"/p/policy/svc", "# old\n$anyvm $dispvm:x allow,user=root\n"
	                          "$include:/p/policy/.more\n"},
		{"/p/policy/svc+arg",
	         "a $default ask,default_target=$dispvm\n"},
		{"/p/policy/.more", "$tag:t $adminvm deny\n"},
		{NULL, NULL},
	};

	(void)state;
	expect(files,
	       "svc+arg:1 svc +arg a @default ask default_target=@dispvm\n"
	       "svc+arg:1 svc +arg @anyvm @anyvm deny\n"
	       "svc+arg:1 svc +arg @anyvm @adminvm deny\n"
	       "svc:2 svc * @anyvm @dispvm:x allow user=root\n"
	       ".more:1 svc * @tag:t @adminvm deny\n"
	       "svc:3 svc * @anyvm @anyvm deny\n"
	       "svc:3 svc * @anyvm @adminvm deny\n"
	       "m.policy:2 l * a b deny\n");
}

static void without_old_files_there_are_no_old_rules(void **state)
{
	static const struct policybed_file files[] = {
		{"/p/policy.d/m.policy", "!compat-4.0\nl * a b deny\n"},
		{NULL, NULL},
	};

	(void)state;
	expect(files, "m.policy:2 l * a b deny\n");
}

/* What is an error, and what the message must say of it. */
static const struct {
	const char *say;
	struct policybed_file file[4];
} refused[] = {
	{"m.policy, line 2, word 5: \"alow\"",
         {{"/p/policy.d/m.policy", "a * b c allow\na * b c alow\n"}}},
	{"m.policy, line 1: word 4 is missing",
         {{"/p/policy.d/m.policy", "a * b\n"}}},
	{"m.policy, line 1, word 1: \"!nothing\"",
         {{"/p/policy.d/m.policy", "!nothing\n"}}},
	{"m.policy, line 1: word 2 is missing",
         {{"/p/policy.d/m.policy", "!include\n"}}},
	{"m.policy, line 1, word 3: \"b\" is too much",
         {{"/p/policy.d/m.policy", "!include a b\n"}}},
	{"m.policy, line 1, word 2: \"x\" is too much",
         {{"/p/policy.d/m.policy", "!compat-4.0 x\n"}}},
	{"m.policy, line 3, word 2: /p/policy.d/none",
         {{"/p/policy.d/m.policy", "\n\n!include none\n"}}},
	{"m.policy, line 1, word 2: /p/policy.d/none",
         {{"/p/policy.d/m.policy", "!include-dir none\n"}}},
	{"m.policy, line 1, word 4: /p/policy.d/none",
         {{"/p/policy.d/m.policy", "!include-service a * none\n"}}},
	{"m.policy, line 1, word 3: \"x\"",
         {{"/p/policy.d/m.policy", "!include-service a x s\n"}}},
	{"m.policy, line 1, word 3: \"+x\"",
         {{"/p/policy.d/m.policy", "!include-service * +x s\n"}}},
	{"m.policy, line 1: word 4 is missing",
         {{"/p/policy.d/m.policy", "!include-service a +x\n"}}},
	{"m.policy, line 1, word 2: /p/policy.d/d: Bad.policy",
         {{"/p/policy.d/m.policy", "!include-dir d\n"},
          {"/p/policy.d/d/Bad.policy", ""}}},
	{"/d/b.policy, line 1, word 5: \"x\"",
         {{"/p/policy.d/m.policy", "!include-dir d\n"},
          {"/p/policy.d/d/b.policy", "a * a a x"}}},
	{"/p/policy.d/s, line 1, word 3: \"b\"",
         {{"/p/policy.d/m.policy", "!include-service a * s\n"},
          {"/p/policy.d/s", "a * b c allow"}}},
	{"/p/policy.d/s, line 1, word 1: \"!include-dir\"",
         {{"/p/policy.d/m.policy", "!include-service a * s\n"},
          {"/p/policy.d/s", "!include-dir d"}}},
	{"too deep", {{"/p/policy.d/m.policy", "!include m.policy\n"}}},
	{"m.policy, line 1, word 3: \"\\xc3\\xa9\" is not printable",
         {{"/p/policy.d/m.policy", "a * \xc3\xa9 c allow\n"}}},
	{"m.policy, line 1, word 2: \"*\\x0b\" is not printable",
         {{"/p/policy.d/m.policy", "a *\v b c allow\n"}}},
	{"m.policy, line 1, word 1: \"\\x1b[2Ja\" is not printable",
         {{"/p/policy.d/m.policy", "\033[2Ja * b c allow\n"}}},
	{"/p/policy/+no: no name",
         {{"/p/policy.d/m.policy", "!compat-4.0\n"},
          {"/p/policy/+no", "a b allow"}}},
	{"/p/policy/b d: no name",
         {{"/p/policy.d/m.policy", "!compat-4.0\n"},
          {"/p/policy/b d", "a b allow"}}},
};

static void errors_say_file_line_and_word(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		const struct policy_source source = policybed_source(
			refused[i].file);
		struct policy_rules *rules = policy_rules_create();
		struct fault f = {""};

		assert_non_null(rules);
		if (policy_parse_file(rules, &source, refused[i].file[0].path,
		                      "/p/policy.d", &f) >= 0)
			fail_msg("accepted: %s", refused[i].say);
		if (!strstr(f.text, refused[i].say))
			fail_msg("\"%s\" does not say \"%s\"", f.text,
			         refused[i].say);
		policy_rules_destroy(rules);
	}
}

static void a_line_and_a_file_have_a_largest_size(void **state)
{
	struct policybed_file files[] = {{"/p/policy.d/m.policy", NULL},
	                                 {NULL, NULL}};
	const struct policy_source source = policybed_source(files);
	struct policy_rules *rules = policy_rules_create();
	char *text = malloc(POLICY_FILE_MAX + 2);
	struct fault f = {""};

	(void)state;
	assert_non_null(rules);
	assert_non_null(text);
	files[0].text = text;
	memset(text, ' ', POLICY_FILE_MAX + 1);
	text[POLICY_FILE_MAX + 1] = 0;
	memcpy(text, "a * b c allow", 13);
	assert_int_equal(
		policy_parse_file(rules, &source, files[0].path, "/p", &f),
		-E2BIG);
	text[POLICY_LINE_MAX + 1] = 0;
	assert_int_equal(
		policy_parse_file(rules, &source, files[0].path, "/p", &f),
		-EINVAL);
	text[POLICY_LINE_MAX] = 0;
	assert_int_equal(
		policy_parse_file(rules, &source, files[0].path, "/p", &f), 0);
	free(text);
	policy_rules_destroy(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comments_and_blank_lines_count_as_lines_only),
		cmocka_unit_test(
			an_included_file_stands_in_the_place_of_its_directive),
		cmocka_unit_test(an_included_folder_is_read_sorted),
		cmocka_unit_test(
			a_file_about_a_service_has_no_service_in_its_lines),
		cmocka_unit_test(old_files_are_closed_by_denials),
		cmocka_unit_test(without_old_files_there_are_no_old_rules),
		cmocka_unit_test(errors_say_file_line_and_word),
		cmocka_unit_test(a_line_and_a_file_have_a_largest_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

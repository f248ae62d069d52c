/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_line.h"

#include <string.h>

#include "cmocka_all.h"

static int read_exact(const char *line, enum policy_form form,
                      struct policy_rule *r, struct policy_wrong *w,
                      uint8_t **copy)
{
	size_t size = strlen(line);

	*copy = malloc(size ? size : 1);
	assert_non_null(*copy);
	memcpy(*copy, line, size);
	return policy_line_read((struct span){*copy, size}, form, r, w);
}

/* What is refused, and for which word. */
static const struct {
	uint32_t word;
	const char *line;
} refused[] = {
	{1, ""},
	{1, "a/b * a b allow"},
	{1, "a+b * a b allow"},
	{2, "svc"},
	{2, "* +x a b allow"},
	{2, "svc x a b allow"},
	{2, "svc +x/y a b allow"},
	{2, "svc @anyvm a b allow"},
	{3, "svc *"},
	{3, "svc * @default b allow"},
	{3, "svc * @dispvm b allow"},
	{3, "svc * @nothing b allow"},
	{4, "svc * a"},
	{4, "svc * a @nothing allow"},
	{5, "svc * a b"},
	{5, "svc * a b ALLOW"},
	{5, "svc * a b allow,target=c"},
	{5, "svc * a @default allow"},
	{5, "svc * a @default allow user=root"},
	{6, "svc * a b allow target"},
	{6, "svc * a b allow target="},
	{6, "svc * a b allow target=*"},
	{6, "svc * a b allow target=@anyvm"},
	{6, "svc * a b allow target=@tag:x"},
	{6, "svc * a b allow target=@type:AppVM"},
	{6, "svc * a b allow target=@default"},
	{6, "svc * a b allow target=@dispvm:@tag:x"},
	{6, "svc * a b allow default_target=c"},
	{6, "svc * a b ask default_target=@anyvm"},
	{6, "svc * a b allow unknown=c"},
	{6, "svc * a b allow =c"},
	{6, "svc * a b allow user="},
	{6, "svc * a b allow user=a:b"},
	{6, "svc * a b allow notify=true"},
	{6, "svc * a b allow notify=Yes"},
	{6, "svc * a b allow autostart=1"},
	{6, "svc * a b deny target=c"},
	{6, "svc * a b deny user=root"},
	{6, "svc * a b deny autostart=no"},
	{6, "svc * a b deny default_target=c"},
	{6, "svc * a b allow # why"},
	{7, "svc * a b allow user=u user=u"},
	{7, "svc * a b ask target=c target=c"},
	{8, "svc * a b ask notify=no autostart=no notify=no"},
};

static void what_the_format_forbids_is_refused_with_its_word(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct policy_rule r = {.line = 77};
		struct policy_wrong w = {0};
		autofree uint8_t *copy = NULL;
		int got = read_exact(refused[i].line, POLICY_FORM_FULL, &r, &w,
		                     &copy);
		if (got != -EINVAL || w.word != refused[i].word)
			fail_msg("\"%s\": %d, word %u", refused[i].line, got,
			         w.word);
		assert_int_equal(r.line, 77);
		assert_int_equal(r.source.kind, POLICY_NONE);
	}
}

/* What is accepted, and how it is written back. */
static const struct {
	const char *line;
	const char *back; /* NULL: the same */
} accepted[] = {
	{"svc * a b allow", NULL},
	{"* * * * deny", NULL},
	{"svc + a b ask", NULL},
	{"svc +a+b-c_d.e @anyvm @adminvm allow", NULL},
	{"svc\t*  dom0 \t uuid:00000000-0000-0000-0000-000000000000  deny ",
         "svc * @adminvm @adminvm deny"},
	{"svc * @dispvm:x @dispvm allow target=@dispvm:y", NULL},
	{"svc * @tag:t @type:AppVM ask target=w default_target=@dispvm user=u "
         "notify=yes autostart=no",
         NULL},
	{"svc * a b allow autostart=yes notify=no target=dom0 user=root",
         "svc * a b allow target=@adminvm user=root"},
	{"svc * a b deny notify=yes", "svc * a b deny"},
	{"svc * a b deny notify=no", NULL},
	{"svc * $anyvm a/b allow", NULL},
	{"svc * a @default allow target=c", NULL},
	{"svc * a @default ask", NULL},
	{"svc * a @default deny", NULL},
};

static void what_is_read_is_written_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		struct policy_rule r = {0};
		struct policy_wrong w = {0};
		autofree uint8_t *copy = NULL;
		const char *want = accepted[i].back ? accepted[i].back
		                                    : accepted[i].line;
		char text[256];

		if (read_exact(accepted[i].line, POLICY_FORM_FULL, &r, &w,
		               &copy) < 0)
			fail_msg("\"%s\": word %u %s", accepted[i].line, w.word,
			         w.why);
		assert_int_equal(policy_line_write(&r, text, sizeof(text)),
		                 strlen(want));
		assert_string_equal(text, want);
		assert_int_equal(policy_line_write(&r, text, strlen(want)),
		                 -ENOSPC);
	}
}

static void defaults_are_those_of_the_action(void **state)
{
	static const struct {
		const char *line;
		bool notify;
	} rows[] = {
		{"s * a b allow", false},
		{"s * a b ask", false},
		{"s * a b deny", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct policy_rule r = {0};
		struct policy_wrong w;

		assert_int_equal(policy_line_read(span_str(rows[i].line),
		                                  POLICY_FORM_FULL, &r, &w),
		                 0);
		assert_int_equal(r.notify, rows[i].notify);
		assert_true(r.autostart);
		assert_int_equal(r.user.size, 0);
	}
}

static void the_short_form_keeps_service_and_argument(void **state)
{
	struct policy_rule r = {.service = span_str("svc"),
	                        .argument = span_str("+x")};
	struct policy_wrong w;
	char text[64];

	(void)state;
	assert_int_equal(policy_line_read(span_str("a b ask"),
	                                  POLICY_FORM_SERVICE, &r, &w),
	                 0);
	assert_true(policy_line_write(&r, text, sizeof(text)) > 0);
	assert_string_equal(text, "svc +x a b ask");
	assert_int_equal(policy_line_read(span_str("svc * a b ask"),
	                                  POLICY_FORM_SERVICE, &r, &w),
	                 -EINVAL);
	assert_int_equal(w.word, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_the_format_forbids_is_refused_with_its_word),
		cmocka_unit_test(what_is_read_is_written_back),
		cmocka_unit_test(defaults_are_those_of_the_action),
		cmocka_unit_test(the_short_form_keeps_service_and_argument),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

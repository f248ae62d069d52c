/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_json.h"

#include <string.h>

#include "cmocka_all.h"
#include "policybed.h"

#define A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const char *const refused[] = {
	"",
	"[]",
	"{}",
	"{\"domains\": []}",
	"{\"domains\": {}}",
	"{\"domains\": {\"work\": {\"type\": \"AppVM\"}}}",
	"{\"domains\": {\"dom0\": []}}",
	"{\"domains\": {\"dom0\": {}}}",
	"{\"domains\": {\"dom0\": {\"type\": 1}}}",
	"{\"domains\": {\"dom0\": {\"type\": null}}}",
	"{\"domains\": {\"dom0\": {\"type\": \"AdminVM\", \"tags\": \"a\"}}}",
	"{\"domains\": {\"dom0\": {\"type\": \"AdminVM\", \"tags\": [1]}}}",
	"{\"domains\": {\"dom0\": {\"type\": \"AdminVM\", \"tags\": {}}}}",
	"{\"domains\": {\"dom0\": {\"type\": \"AdminVM\", \"internal\": 1}}}",
	"{\"domains\": {\"dom0\": {\"type\": \"AdminVM\", \"uuid\": 1}}}",
	"{\"domains\": {\"dom0\": {\"type\": \"AdminVM\"}}} x",
	"{\"domains\": {\"dom0\": {\"type\": \"AdminVM\"},"
	" \"dom0\": {\"type\": \"AdminVM\"}}}",
	"{\"domains\": {\"dom0\": {\"type\": \"AdminVM\\u0000\"}}}",
	"{\"domains\": {\"dom0\": {\"type\": \"AdminVM\"},"
	" \"\": {\"type\": \"AppVM\"}}}",
	"{\"domains\": {\"dom0\": {\"type\": \"AdminVM\"},"
	" \"" A32 A32 "\": {\"type\": \"AppVM\"}}}",
};

static void descriptions_that_are_none_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct policy_world *w = NULL;
		struct fault f = {""};

		if (policy_json_read(span_str(refused[i]), &w, &f) >= 0)
			fail_msg("accepted: %s", refused[i]);
		assert_true(strlen(f.text) > 0);
		assert_null(w);
	}
}

static void a_description_is_read(void **state)
{
	static const char text[] =
		"{\"domains\": {\"dom0\": {\"type\": \"AdminVM\", \"x\": 1},"
		"\"work\": {\"type\": \"DispVM\", \"tags\": [\"a\", \"b\"],"
		"\"uuid\": \"u\", \"icon\": \"blue\", \"template\": \"dvm\","
		"\"default_dispvm\": null, \"internal\": true,"
		"\"template_for_dispvms\": true, \"power_state\": \"Running\"},"
		"\"mail\": {\"type\": \"AppVM\", \"default_dispvm\": \"dvm\","
		"\"tags\": [\"c\"], \"power_state\": \"Paused\"}}}";
	const struct policy_system *s;
	struct policy_world *w;
	struct fault f;
	size_t at;

	(void)state;
	assert_int_equal(policy_json_read(span_str(text), &w, &f), 0);
	s = policy_json_system(w);
	assert_int_equal(s->count, 3);
	at = policy_system_name(s, span_str("work"));
	assert_true(at < 3);
	assert_true(span_is(s->qube[at].klass, "DispVM"));
	assert_true(policy_system_has_tag(&s->qube[at], span_str("b")));
	assert_false(policy_system_has_tag(&s->qube[at], span_str("c")));
	assert_true(span_is(s->qube[at].uuid, "u"));
	assert_true(span_is(s->qube[at].label, "blue"));
	assert_true(span_is(s->qube[at].template, "dvm"));
	assert_int_equal(s->qube[at].default_dispvm.size, 0);
	assert_true(s->qube[at].internal);
	assert_true(s->qube[at].running);
	assert_true(s->qube[at].template_for_dispvms);
	at = policy_system_name(s, span_str("mail"));
	assert_true(span_is(s->qube[at].default_dispvm, "dvm"));
	assert_false(s->qube[at].running);
	assert_true(policy_system_has_tag(&s->qube[at], span_str("c")));
	policy_json_free(w);
}

static void what_is_written_reads_back_as_the_same(void **state)
{
	autobuffer struct buffer first = {0};
	autobuffer struct buffer second = {0};
	struct policy_world *w;
	struct fault f;

	(void)state;
	assert_int_equal(policy_json_write(&policybed_system, &first), 0);
	assert_int_equal(policy_json_read(buffer_span(&first), &w, &f), 0);
	assert_int_equal(policy_json_system(w)->count, policybed_system.count);
	assert_int_equal(policy_json_write(policy_json_system(w), &second), 0);
	assert_true(span_eq(buffer_span(&first), buffer_span(&second)));
	policy_json_free(w);
}

static void a_prompt_gets_source_service_targets_and_icons(void **state)
{
	struct policy_rules *rules = NULL;
	struct policy_request q = {span_str("work"), span_str(""),
	                           span_str("s+x+y")};
	autobuffer struct buffer out = {0};
	struct policy_answer a;
	struct fault f;

	(void)state;
	assert_int_equal(policybed_parse("s * work @tag:b ask\n"
	                                 "s * work @default ask "
	                                 "default_target=@dispvm\n"
	                                 "s * work @dispvm ask\n",
	                                 &rules, &f),
	                 0);
	assert_int_equal(policy_eval_call(rules, &policybed_system, &q, &a), 0);
	assert_int_equal(policy_json_ask(&policybed_system, &q, &a, &out), 0);
	buffer_text0(&out, "");
	assert_string_equal(
		(char *)out.at,
		"{\"source\":\"work\",\"service\":\"s\",\"argument\":\"+x+y\","
		"\"requested_target\":\"\","
		"\"targets\":[\"@dispvm:base\",\"mail\"],"
		"\"default_target\":\"@dispvm:base\","
		"\"icons\":{\"work\":\"blue\",\"base\":\"\","
		"\"mail\":\"red\"}}\n");
	policy_eval_fini(&a);
	policy_rules_destroy(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descriptions_that_are_none_are_refused),
		cmocka_unit_test(a_description_is_read),
		cmocka_unit_test(what_is_written_reads_back_as_the_same),
		cmocka_unit_test(
			a_prompt_gets_source_service_targets_and_icons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

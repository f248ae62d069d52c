/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_lint.h"

#include <string.h>

#include "cmocka_all.h"
#include "policy/policy_graph.h"
#include "policybed.h"

#define F "/p/policy.d/test.policy:"

static const struct {
	const char *policy;
	bool system;
	const char *want;
} rows[] = {
	{"s * work mail allow\nt * work mail deny\n", true, ""},
	{"s * @anyvm @anyvm deny\ns * work mail allow\n", true,
         F "2: never reached, because of " F "1\n"},
	{"s * work mail allow\ns * @anyvm @anyvm deny\n", true, ""},
	{"s +x work mail allow\ns * work mail deny\n", true, ""},
	{"s * work mail allow\ns +x work mail deny\n", true,
         F "2: never reached, because of " F "1\n"},
	{"* * * * deny\ns * work dom0 allow\n", true,
         F "2: never reached, because of " F "1\n"},
	{"s * @anyvm @anyvm deny\ns * @anyvm dom0 allow\n"
         "s * @anyvm @type:AdminVM allow\n",
         true, ""},
	{"s * @anyvm @anyvm ask\ns * @anyvm @default deny\n", true,
         F "2: never reached, because of " F "1\n"},
	{"s * gone mail allow\n", true,
         F "1: gone is no qube, or makes no disposables\n"},
	{"s * gone mail allow\n", false, ""},
	{"s * work mail allow target=@dispvm:mail\n", true,
         F "1: @dispvm:mail is no qube, or makes no disposables\n"},
	{"s * @tag:none mail allow\n", true,
         F "1: @tag:none is a tag of no qube\n"},
	{"s * @type:AppVm mail allow\n", false,
         F "1: @type:AppVm is a class of no qube\n"},
	{"s * $anyvm mail allow\n", false,
         F "1: $anyvm is a name; words of this kind begin with @\n"},
};

static void what_was_hardly_meant_is_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autobuffer struct buffer out = {0};
		struct policy_rules *rules = NULL;
		struct fault f;
		size_t count;

		assert_int_equal(policybed_parse(rows[i].policy, &rules, &f),
		                 0);
		count = policy_lint(
			rules, rows[i].system ? &policybed_system : NULL, &out);
		buffer_text0(&out, "");
		if (strcmp((char *)out.at, rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].policy, (char *)out.at);
		assert_int_equal(count, rows[i].want[0] ? 1 : 0);
		policy_rules_destroy(rules);
	}
}

static void a_graph_has_an_edge_for_each_call_that_is_allowed(void **state)
{
	autobuffer struct buffer out = {0};
	struct policy_rules *rules = NULL;
	struct policy_graph what = {.include_ask = true};
	struct fault f;

	(void)state;
	assert_int_equal(policybed_parse("s * work mail allow\n"
	                                 "s +x work net deny\n"
	                                 "s * work net allow\n"
	                                 "t * vault @anyvm allow target=work\n"
	                                 "u * net base ask\n"
	                                 "* * tpl dom0 allow\n",
	                                 &rules, &f),
	                 0);
	assert_int_equal(policy_graph(rules, &policybed_system, &what, &out),
	                 0);
	buffer_text0(&out, "");
	assert_string_equal(
		(char *)out.at,
		"digraph policy {\n"
		"  \"net\" -> \"base\" [label=\"u\" color=orange];\n"
		"  \"tpl\" -> \"dom0\" [label=\"*\" color=red];\n"
		"  \"tpl\" -> \"dom0\" [label=\"s\" color=red];\n"
		"  \"tpl\" -> \"dom0\" [label=\"s+x\" color=red];\n"
		"  \"tpl\" -> \"dom0\" [label=\"t\" color=red];\n"
		"  \"tpl\" -> \"dom0\" [label=\"u\" color=red];\n"
		"  \"vault\" -> \"work\" [label=\"t\" color=red];\n"
		"  \"work\" -> \"mail\" [label=\"s\" color=red];\n"
		"  \"work\" -> \"mail\" [label=\"s+x\" color=red];\n"
		"  \"work\" -> \"net\" [label=\"s\" color=red];\n"
		"}\n");
	buffer_clear(&out);
	what = (struct policy_graph){.source = span_str("work"),
	                             .target = span_str("net"),
	                             .service = span_str("s")};
	assert_int_equal(policy_graph(rules, &policybed_system, &what, &out),
	                 0);
	buffer_text0(&out, "");
	assert_string_equal((char *)out.at,
	                    "digraph policy {\n"
	                    "  \"work\" -> \"net\" [label=\"s\" color=red];\n"
	                    "}\n");
	policy_rules_destroy(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_hardly_meant_is_said),
		cmocka_unit_test(
			a_graph_has_an_edge_for_each_call_that_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

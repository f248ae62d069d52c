/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_eval.h"

#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"
#include "policy/policy_builtin.h"
#include "policybed.h"

static void evaluate(const char *policy, const char *source, const char *target,
                     const char *service, char *to, size_t room)
{
	struct policy_rules *rules = NULL;
	struct policy_request q = {span_str(source), span_str(target),
	                           span_str(service)};
	struct policy_answer a;
	struct fault f;

	if (policybed_parse(policy, &rules, &f) < 0)
		fail_msg("%s: %s", policy, f.text);
	assert_int_equal(policy_eval_call(rules, &policybed_system, &q, &a), 0);
	policybed_tell(&policybed_system, &a, to, room);
	policy_eval_fini(&a);
	policy_rules_destroy(rules);
}

#define U1 "uuid:00000000-0000-4000-8000-000000000001"
#define U4 "uuid:00000000-0000-4000-8000-000000000004"
#define U0 "uuid:00000000-0000-0000-0000-000000000000"
#define NO "deny (notify)"

static const struct {
	const char *policy;
	const char *source;
	const char *target;
	const char *service;
	const char *want;
} rows[] = {
	/* Services and arguments. */
	{"s * work mail allow", "work", "mail", "s", "allow mail"},
	{"s * work mail allow", "work", "mail", "s+x", "allow mail"},
	{"s * work mail allow", "work", "mail", "t", NO},
	{"s * work mail allow", "work", "mail", "S", NO},
	{"s +x work mail allow", "work", "mail", "s+x", "allow mail"},
	{"s +x work mail allow", "work", "mail", "s+xy", NO},
	{"s +x work mail allow", "work", "mail", "s", NO},
	{"s + work mail allow", "work", "mail", "s", "allow mail"},
	{"s + work mail allow", "work", "mail", "s+", "allow mail"},
	{"s + work mail allow", "work", "mail", "s+x", NO},
	{"s +x+y work mail allow", "work", "mail", "s+x+y", "allow mail"},
	{"* * work mail allow", "work", "mail", "any.thing+z", "allow mail"},
	{"* * * * allow", "work", "mail", "", NO},
	{"* * * * allow", "work", "mail", "+x", NO},
	{"* * * * allow", "work", "mail", "a b", NO},
	{"* * * * allow", "work", "mail", "a/b", NO},
	/* Sources, a row of the table each. */
	{"s * work mail allow", "vault", "mail", "s", NO},
	{"s * " U1 " mail allow", "work", "mail", "s", "allow mail"},
	{"s * " U1 " mail allow", "vault", "mail", "s", NO},
	{"s * * mail allow", "work", "mail", "s", "allow mail"},
	{"s * * mail allow", "dom0", "mail", "s", "allow mail"},
	{"s * @anyvm mail allow", "work", "mail", "s", "allow mail"},
	{"s * @anyvm mail allow", "dom0", "mail", "s", NO},
	{"s * @adminvm mail allow", "dom0", "mail", "s", "allow mail"},
	{"s * dom0 mail allow", "@adminvm", "mail", "s", "allow mail"},
	{"s * " U0 " mail allow", "dom0", "mail", "s", "allow mail"},
	{"s * @adminvm mail allow", "work", "mail", "s", NO},
	{"s * @tag:a mail allow", "work", "mail", "s", "allow mail"},
	{"s * @tag:a mail allow", "base", "mail", "s", NO},
	{"s * @type:TemplateVM mail allow", "tpl", "mail", "s", "allow mail"},
	{"s * @type:TemplateVM mail allow", "work", "mail", "s", NO},
	{"s * @dispvm:base mail allow", "disp1", "mail", "s", "allow mail"},
	{"s * @dispvm:base mail allow", "base", "mail", "s", NO},
	{"s * @dispvm:other mail allow", "disp1", "mail", "s", NO},
	{"s * @dispvm:@tag:d mail allow", "disp1", "mail", "s", "allow mail"},
	{"s * @dispvm:@tag:a mail allow", "disp1", "mail", "s", NO},
	{"* * * * allow", "nobody", "mail", "s", NO},
	{"* * * * allow", "", "mail", "s", NO},
	/* Targets, a row of the table each. */
	{"s * work " U4 " allow", "work", "base", "s", "allow base"},
	{"s * work base allow", "work", U4, "s", "allow base"},
	{"s * work * allow", "work", "dom0", "s", "allow dom0"},
	{"s * work @adminvm allow", "work", "dom0", "s", "allow dom0"},
	{"s * work dom0 allow", "work", "@adminvm", "s", "allow dom0"},
	{"s * work dom0 allow", "work", U0, "s", "allow dom0"},
	{"s * work @anyvm allow", "work", "mail", "s", "allow mail"},
	{"s * work @anyvm allow", "work", "dom0", "s", NO},
	{"s * work @anyvm allow", "work", "@adminvm", "s", NO},
	{"s * work @tag:b allow", "work", "mail", "s", "allow mail"},
	{"s * work @tag:b allow", "work", "base", "s", NO},
	{"s * work @tag:b allow", "work", "@dispvm:base", "s", NO},
	{"s * work @type:TemplateVM allow", "work", "tpl", "s", "allow tpl"},
	{"s * work @type:AdminVM allow", "work", "dom0", "s", "allow dom0"},
	{"s * work @default allow target=mail", "work", "", "s", "allow mail"},
	{"s * work @default allow target=mail", "work", "@default", "s",
         "allow mail"},
	{"s * work @default allow target=mail", "work", "mail", "s", NO},
	{"s * work @dispvm allow", "work", "@dispvm", "s",
         "allow @dispvm:base"},
	{"s * work @dispvm allow", "work", "@dispvm:base", "s", NO},
	{"s * vault @dispvm allow", "vault", "@dispvm", "s", NO},
	{"s * base @dispvm allow", "base", "@dispvm", "s", NO},
	{"s * work @dispvm:base allow", "work", "@dispvm", "s",
         "allow @dispvm:base"},
	{"s * mail @dispvm:base allow", "mail", "@dispvm", "s", NO},
	{"s * work @dispvm:base allow", "work", "@dispvm:base", "s",
         "allow @dispvm:base"},
	{"s * work @dispvm:" U4 " allow", "work", "@dispvm:base", "s",
         "allow @dispvm:base"},
	{"s * work @dispvm:base allow", "work", "@dispvm:" U4, "s",
         "allow @dispvm:base"},
	{"s * work @dispvm:@tag:d allow", "work", "@dispvm:base", "s",
         "allow @dispvm:base"},
	{"s * work @dispvm:@tag:d allow", "work", "@dispvm", "s",
         "allow @dispvm:base"},
	{"s * work @dispvm:@tag:d allow", "work", "@dispvm:other", "s", NO},
	{"s * work @dispvm:@tag:d allow", "work", "base", "s", NO},
	{"s * work @anyvm allow", "work", "@dispvm:other", "s",
         "allow @dispvm:other"},
	/* What is unknown, or can make no disposables, is @default. */
	{"s * work @anyvm allow target=mail", "work", "gone", "s",
         "allow mail"},
	{"s * work @default allow target=mail", "work", "gone", "s",
         "allow mail"},
	{"s * work @default allow target=mail", "work", "@nonsense", "s",
         "allow mail"},
	{"s * work @default allow target=mail", "work", "@anyvm", "s",
         "allow mail"},
	{"s * work @default allow target=mail", "work", "@tag:b", "s",
         "allow mail"},
	{"s * work @default allow target=mail", "work", "@dispvm:mail", "s",
         "allow mail"},
	{"s * work @default allow target=mail", "work", "@dispvm:gone", "s",
         "allow mail"},
	{"s * work @anyvm allow", "work", "", "s", NO},
	/* The first rule that fits decides. */
	{"s * work mail deny\ns * work mail allow", "work", "mail", "s", NO},
	{"s * work mail allow\ns * work mail deny", "work", "mail", "s",
         "allow mail"},
	{"s * work mail deny notify=no\n* * * * allow", "work", "mail", "s",
         "deny"},
	{"s * work mail allow notify=yes", "work", "mail", "s",
         "allow mail (notify)"},
	{"", "work", "mail", "s", NO},
	/* A redirect is not looked up again, but must be there. */
	{"s * work mail allow target=net\ns * work net deny", "work", "mail",
         "s", "allow net"},
	{"s * work mail allow target=gone", "work", "mail", "s", NO},
	{"s * work mail allow target=@dispvm", "work", "mail", "s",
         "allow @dispvm:base"},
	{"s * work mail allow target=@dispvm:other", "work", "mail", "s",
         "allow @dispvm:other"},
	{"s * work mail allow target=@dispvm:mail", "work", "mail", "s", NO},
	{"s * work mail allow target=" U4, "work", "mail", "s", "allow base"},
	{"s * work mail allow target=dom0 user=root", "work", "mail", "s",
         "allow dom0 user=root"},
	/* autostart=no. */
	{"s * @anyvm work allow autostart=no", "mail", "work", "s",
         "allow work autostart=no"},
	{"s * work mail allow autostart=no", "work", "mail", "s", NO},
	{"s * work dom0 allow autostart=no", "work", "dom0", "s",
         "allow dom0 autostart=no"},
	{"s * work @dispvm allow autostart=no", "work", "@dispvm", "s", NO},
	{"s * work @dispvm:base allow autostart=no", "work", "@dispvm:base",
         "s", NO},
	/* A qube does not call itself. */
	{"* * * * allow", "work", "work", "s", NO},
	{"* * * * allow", "dom0", "dom0", "s", NO},
	{"* * work mail allow target=work", "work", "mail", "s", NO},
	{"* * * * allow", "base", "@dispvm:base", "s", "allow @dispvm:base"},
	/* What an ask offers. */
	{"s * work @anyvm ask", "work", "mail", "s",
         "ask @dispvm:base @dispvm:other base disp1 mail net other tpl"},
	{"s * mail * ask", "mail", "", "s",
         "ask @dispvm:base @dispvm:other base disp1 dom0 net other tpl work"},
	{"s * work mail ask", "work", "mail", "s", "ask mail"},
	{"s * work @tag:b ask", "work", "mail", "s", "ask mail"},
	{"s * vault @tag:b ask", "vault", "mail", "s", "ask mail work"},
	{"s * work @type:TemplateVM ask", "work", "tpl", "s", "ask tpl"},
	{"s * work @dispvm ask", "work", "@dispvm", "s", "ask @dispvm:base"},
	{"s * vault @dispvm ask", "vault", "@dispvm", "s", NO},
	{"s * work @dispvm:@tag:d ask", "work", "@dispvm", "s",
         "ask @dispvm:base"},
	{"s * work @dispvm:other ask", "work", "@dispvm:other", "s",
         "ask @dispvm:other"},
	{"s * work " U4 " ask", "work", "base", "s", "ask base"},
	{"s * work @adminvm ask", "work", "dom0", "s", "ask dom0"},
	{"s * work @default ask", "work", "", "s", NO},
	{"s * work @default ask\ns * work mail allow", "work", "", "s",
         "ask mail"},
	{"s * work @default ask\ns * work mail allow target=net", "work", "",
         "s", "ask net"},
	{"s * work mail deny\ns * work @tag:b ask\ns * work net ask", "work",
         "net", "s", "ask net"},
	{"s * work @tag:b ask\ns * work mail deny", "work", "mail", "s",
         "ask mail"},
	{"s * work @default ask\ns * mail net ask\ns * work base ask\n"
         "t * work tpl ask\ns +x work disp1 allow",
         "work", "", "s", "ask base"},
	{"s * work @dispvm deny\ns * work @anyvm ask", "work", "mail", "s",
         "ask @dispvm:base @dispvm:other base disp1 mail net other tpl"},
	{"s * work @dispvm:@tag:d deny\ns * work @dispvm:other ask", "work",
         "@dispvm:other", "s", "ask @dispvm:other"},
	{"s * work gone ask\ns * work @default ask\ns * work mail ask", "work",
         "", "s", "ask mail"},
	/* With target= there is one. */
	{"s * work @anyvm ask target=mail", "work", "", "s", "ask mail"},
	{"s * work @anyvm ask target=@dispvm", "work", "", "s",
         "ask @dispvm:base"},
	{"s * work @anyvm ask target=gone", "work", "", "s", NO},
	{"s * work @anyvm ask target=work", "work", "", "s", NO},
	{"s * work @anyvm ask target=vault", "work", "", "s", "ask vault"},
	/* default_target. */
	{"s * work @tag:b ask default_target=mail", "work", "", "s", NO},
	{"s * work @anyvm ask default_target=net\ns * work vault deny", "work",
         "", "s",
         "ask @dispvm:base @dispvm:other base disp1 mail net* other tpl"},
	{"s * work mail ask default_target=net", "work", "mail", "s",
         "ask mail"},
	{"s * work @dispvm ask default_target=@dispvm", "work", "@dispvm", "s",
         "ask @dispvm:base*"},
	{"s * work mail ask default_target=gone", "work", "mail", "s",
         "ask mail"},
	{"s * work mail ask default_target=work", "work", "mail", "s",
         "ask mail"},
	/* autostart=no leaves what runs. */
	{"s * work @anyvm ask autostart=no", "work", "mail", "s",
         "ask disp1 other"},
	{"s * work mail ask autostart=no", "work", "mail", "s", NO},
};

static void each_row_is_answered_as_it_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char got[512];

		evaluate(rows[i].policy, rows[i].source, rows[i].target,
		         rows[i].service, got, sizeof(got));
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s\n%s -> %s %s: %s, not %s", rows[i].policy,
			         rows[i].source, rows[i].target,
			         rows[i].service, got, rows[i].want);
	}
}

/* The verdicts of the default policy. */
static const struct {
	const char *service;
	const char *source;
	const char *target;
	const char *want;
} defaults[] = {
	{"qubes.Filecopy", "work", "mail", "ask"},
	{"qubes.Filecopy", "work", "", "ask"},
	{"qubes.Filecopy", "work", "@dispvm", "ask"},
	{"qubes.Filecopy", "work", "dom0", "deny"},
	{"qubes.OpenInVM", "work", "@dispvm", "allow"},
	{"qubes.OpenInVM", "work", "mail", "ask"},
	{"qubes.OpenURL", "work", "@dispvm", "allow"},
	{"qubes.OpenURL", "work", "mail", "ask"},
	{"qubes.StartApp", "work", "@dispvm", "allow"},
	{"qubes.StartApp", "work", "mail", "ask"},
	{"qubes.GetImageRGBA", "work", "@dispvm", "allow"},
	{"qubes.GetImageRGBA", "work", "mail", "ask"},
	{"qubes.VMShell", "work", "@dispvm", "allow"},
	{"qubes.VMShell", "work", "mail", "deny"},
	{"qubes.VMShell", "work", "dom0", "deny"},
	{"qubes.VMExec", "work", "@dispvm", "allow"},
	{"qubes.VMExec+ls", "work", "mail", "deny"},
	{"qubes.VMExecGUI", "work", "@dispvm", "allow"},
	{"qubes.VMExecGUI", "work", "mail", "deny"},
	{"qubes.VMRootShell", "work", "@dispvm", "deny"},
	{"qubes.VMRootShell", "work", "mail", "deny"},
	{"qubes.ConnectTCP+22", "work", "mail", "deny"},
	{"bento.Send", "dom0", "work", "allow"},
	{"bento.Send", "work", "mail", "deny"},
	{"bento.Send", "work", "@dispvm", "deny"},
	{"qubes.GetDate", "work", "dom0", "allow"},
	{"qubes.GetDate", "work", "", "allow"},
	{"qubes.UpdatesProxy", "tpl", "net", "allow"},
	{"qubes.UpdatesProxy", "tpl", "mail", "deny"},
	{"qubes.UpdatesProxy", "work", "net", "deny"},
	{"qubes.FeaturesRequest", "work", "dom0", "allow"},
	{"qubes.NotifyUpdates", "tpl", "dom0", "allow"},
	{"qubes.SyncAppMenus", "tpl", "dom0", "allow"},
	{"qubes.Notifications", "work", "dom0", "allow"},
	{"qubes.Notifications", "work", "mail", "deny"},
	{"qubes.ClipboardPaste", "work", "mail", "ask"},
	{"admin.vm.List", "work", "dom0", "deny"},
	{"policy.List", "work", "dom0", "deny"},
	{"bento.Connect", "work", "dom0", "deny"},
};

static void the_default_policy_has_the_verdicts_of_its_table(void **state)
{
	struct span text = policy_builtin_text("90-default.policy");
	char copy[3072];

	(void)state;
	assert_in_range(text.size, 100, sizeof(copy) - 1);
	memcpy(copy, text.at, text.size);
	copy[text.size] = 0;
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++) {
		char got[512];

		evaluate(copy, defaults[i].source, defaults[i].target,
		         defaults[i].service, got, sizeof(got));
		got[strcspn(got, " ")] = 0;
		if (strcmp(got, defaults[i].want) != 0)
			fail_msg("%s %s %s: %s", defaults[i].service,
			         defaults[i].source, defaults[i].target, got);
	}
}

static void an_ask_is_settled_by_what_was_on_offer(void **state)
{
	struct policy_rules *rules = NULL;
	struct policy_request q = {span_str("work"), span_str(""),
	                           span_str("s")};
	const struct policy_system *s = &policybed_system;
	struct policy_answer a;
	struct fault f;
	size_t at;

	(void)state;
	assert_int_equal(
		policybed_parse("s * work @anyvm ask user=u", &rules, &f), 0);
	assert_int_equal(policy_eval_call(rules, s, &q, &a), 0);
	at = policy_eval_offered(s, &a, span_str("mail"));
	assert_true(at < a.offer_count);
	assert_int_equal(policy_eval_offered(s, &a, span_str("work")),
	                 a.offer_count);
	assert_int_equal(policy_eval_offered(s, &a, span_str("vault")),
	                 a.offer_count);
	assert_int_equal(policy_eval_offered(s, &a, span_str("mai")),
	                 a.offer_count);
	policy_eval_choose(&a, at);
	assert_int_equal(a.action, POLICY_ALLOW);
	assert_int_equal(a.target.qube, 2);
	/* A second choice changes nothing. */
	policy_eval_choose(&a, a.offer_count);
	assert_int_equal(a.action, POLICY_ALLOW);
	policy_eval_fini(&a);

	assert_int_equal(policy_eval_call(rules, s, &q, &a), 0);
	policy_eval_choose(&a, a.offer_count);
	assert_int_equal(a.action, POLICY_DENY);
	policy_eval_fini(&a);
	policy_rules_destroy(rules);
}

static void names_are_written_with_or_without_uuid(void **state)
{
	const struct policy_system *s = &policybed_system;
	struct policy_target t = {POLICY_TO_DISPVM_OF, 4};
	char text[64];

	(void)state;
	assert_true(policy_system_write(s, t, true, text, sizeof(text)) > 0);
	assert_string_equal(text, "@dispvm:" U4);
	assert_true(policy_system_write(s, t, false, text, sizeof(text)) > 0);
	assert_string_equal(text, "@dispvm:base");
	assert_int_equal(policy_system_write(s, t, false, text, 12), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_is_answered_as_it_says),
		cmocka_unit_test(
			the_default_policy_has_the_verdicts_of_its_table),
		cmocka_unit_test(an_ask_is_settled_by_what_was_on_offer),
		cmocka_unit_test(names_are_written_with_or_without_uuid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_socket.h"

#include <string.h>

#include "cmocka_all.h"
#include "policybed.h"

#define LINES                                              \
	"domain_id=3\nsource=work\nintended_target=mail\n" \
	"service_and_arg=s+x\nprocess_ident=11 22\n"
#define LEAST                                                               \
	"domain_id=3\nsource=work\nintended_target=\nservice_and_arg=s+x\n" \
	"process_ident=1122\n"

static int parse_exact(const char *text, struct policy_question *q,
                       uint8_t **copy)
{
	size_t size = strlen(text);

	*copy = malloc(size ? size : 1);
	assert_non_null(*copy);
	memcpy(*copy, text, size);
	return policy_socket_parse((struct span){*copy, size}, q);
}

static const struct {
	const char *why;
	const char *text;
} refused[] = {
	{"nothing", ""},
	{"only the end", "\n"},
	{"no empty line", LEAST},
	{"something behind the empty line", LEAST "\nx"},
	{"a line without =", LEAST "x\n\n"},
	{"an unknown key", LEAST "x=y\n\n"},
	{"a key twice", LEAST "source=work\n\n"},
	{"a yes that is none", LEAST "just_evaluate=Yes\n\n"},
	{"an empty yes", LEAST "assume_yes_for_ask=\n\n"},
	{"a blank in a value", LINES "\n"},
	{"an escape in a value", LEAST "requested_source=\033[2J\n\n"},
	{"no source", "domain_id=3\nintended_target=mail\n"
                      "service_and_arg=s\nprocess_ident=1\n\n"},
	{"an empty source", "domain_id=3\nsource=\nintended_target=mail\n"
                            "service_and_arg=s\nprocess_ident=1\n\n"},
	{"no process_ident", "domain_id=3\nsource=work\nintended_target=m\n"
                             "service_and_arg=s\n\n"},
};

static void questions_that_are_none_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct policy_question q = {.assume_yes = true};
		autofree uint8_t *copy = NULL;

		if (parse_exact(refused[i].text, &q, &copy) != -EPROTO)
			fail_msg("accepted: %s", refused[i].why);
		assert_true(q.assume_yes);
		assert_int_equal(q.request.source.size, 0);
	}
}

static void a_question_is_read(void **state)
{
	struct policy_question q = {0};
	autofree uint8_t *copy = NULL;

	(void)state;
	assert_int_equal(parse_exact(LEAST "just_evaluate=yes\n"
	                                   "assume_yes_for_ask=no\n"
	                                   "requested_source=r\n\n",
	                             &q, &copy),
	                 0);
	assert_true(span_is(q.request.source, "work"));
	assert_int_equal(q.request.target.size, 0);
	assert_true(span_is(q.request.service, "s+x"));
	assert_true(span_is(q.domain_id, "3"));
	assert_true(span_is(q.process_ident, "1122"));
	assert_true(span_is(q.requested_source, "r"));
	assert_true(q.just_evaluate);
	assert_false(q.assume_yes);
}

static void a_question_ends_with_an_empty_line(void **state)
{
	autofree uint8_t *big = malloc(POLICY_SOCKET_MAX);

	(void)state;
	assert_non_null(big);
	assert_int_equal(policy_socket_size(span_str("")), 0);
	assert_int_equal(policy_socket_size(span_str("a=b\n")), 0);
	assert_int_equal(policy_socket_size(span_str("a=b\n\nmore")), 5);
	assert_int_equal(policy_socket_size(span_str("\n\n")), 1);
	memset(big, 'a', POLICY_SOCKET_MAX);
	assert_int_equal(
		policy_socket_size((struct span){big, POLICY_SOCKET_MAX}),
		-EPROTO);
	assert_int_equal(
		policy_socket_size((struct span){big, POLICY_SOCKET_MAX - 1}),
		0);
}

/* A policy, a question and the whole answer. */
static const struct {
	const char *policy;
	const char *target;
	const char *more;
	const char *want;
} rows[] = {
	{"* * * * allow", "mail", "",
         "result=allow\nuser=DEFAULT\ntarget=mail\n"
         "target_uuid=uuid:00000000-0000-4000-8000-000000000002\n"
         "autostart=True\nrequested_target=mail\n"},
	{"* * * * allow target=other autostart=no user=root", "mail", "",
         "result=allow\nuser=root\ntarget=other\n"
         "target_uuid=uuid:00000000-0000-4000-8000-000000000005\n"
         "autostart=False\nrequested_target=mail\n"},
	{"* * * * allow", "@dispvm", "",
         "result=allow\nuser=DEFAULT\ntarget=@dispvm:base\n"
         "target_uuid=@dispvm:uuid:00000000-0000-4000-8000-000000000004\n"
         "autostart=True\nrequested_target=@dispvm\n"},
	{"* * * * allow target=dom0", "nonsense", "",
         "result=allow\nuser=DEFAULT\ntarget=dom0\n"
         "target_uuid=uuid:00000000-0000-0000-0000-000000000000\n"
         "autostart=True\nrequested_target=@default\n"},
	{"* * * * deny", "mail", "", "result=deny\n"},
	{"* * * * ask", "mail", "", "result=deny\n"},
	{"* * * * ask", "mail", "just_evaluate=yes\n", "result=deny\n"},
	{"* * * * ask", "mail", "assume_yes_for_ask=yes\n",
         "result=allow\nuser=DEFAULT\ntarget=mail\n"
         "target_uuid=uuid:00000000-0000-4000-8000-000000000002\n"
         "autostart=True\nrequested_target=mail\n"},
	{"* * * * ask", "vault", "assume_yes_for_ask=yes\n", "result=deny\n"},
	{"* * * * ask", "", "assume_yes_for_ask=yes\n", "result=deny\n"},
	{"* * * * ask", "mail", "assume_yes_for_ask=yes\njust_evaluate=yes\n",
         "result=deny\n"},
	{"* * * * deny", "mail", "assume_yes_for_ask=yes\n", "result=deny\n"},
	{"* * * * allow", "mail", "requested_source=vault\n", "result=deny\n"},
	{"* * * * ask", "mail", "requested_source=vault\n", "result=deny\n"},
	{"* * * * allow target=mail", "mail", "requested_source=work\n",
         "result=allow\nuser=DEFAULT\ntarget=mail\n"
         "target_uuid=uuid:00000000-0000-4000-8000-000000000002\n"
         "autostart=True\nrequested_target=mail\n"},
};

static void each_question_has_its_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autobuffer struct buffer text = {0};
		autobuffer struct buffer out = {0};
		struct policy_rules *rules = NULL;
		struct policy_question q;
		struct policy_answer a;
		struct fault f;

		buffer_printf(&text,
		              "domain_id=1\nsource=work\nintended_target=%s\n"
		              "service_and_arg=s\nprocess_ident=1\n%s\n",
		              rows[i].target, rows[i].more);
		assert_int_equal(policy_socket_size(buffer_span(&text)),
		                 text.size);
		assert_int_equal(policy_socket_parse(buffer_span(&text), &q),
		                 0);
		assert_int_equal(policybed_parse(rows[i].policy, &rules, &f),
		                 0);
		if (!policy_socket_source(&policybed_system, &q)) {
			assert_string_equal(rows[i].want, "result=deny\n");
			policy_rules_destroy(rules);
			continue;
		}
		assert_int_equal(policy_eval_call(rules, &policybed_system,
		                                  &q.request, &a),
		                 0);
		policy_socket_settle(&q, &a);
		policy_socket_format(&policybed_system, &a, &out);
		buffer_text0(&out, "");
		assert_false(out.bad);
		if (strcmp((char *)out.at, rows[i].want) != 0)
			fail_msg("row %zu: %s", i, (char *)out.at);
		policy_eval_fini(&a);
		policy_rules_destroy(rules);
	}
}

#define SPAN(s) ((struct span){(const uint8_t *)(s), sizeof(s) - 1})

static const struct {
	const char *source, *requested;
	const char *want; /* NULL: denied */
} speakers[] = {
	{"relay", "", "relay"},    {"relay", "relay", "relay"},
	{"relay", "far", "far"},   {"work", "far", NULL},
	{"relay", "work", NULL},   {"relay", "lost", NULL},
	{"relay", "nobody", NULL}, {"far", "relay", NULL},
	{"", "lost", NULL},        {"relay", "dom0", NULL},
};

/* For a remote qube its relay, and nobody for anybody else. */
static void only_relays_speak_for_others(void **state)
{
	const struct policy_qube qubes[] = {
		{.name = SPAN("dom0"), .klass = SPAN("AdminVM")},
		{.name = SPAN("relay"), .klass = SPAN("AppVM")},
		{.name = SPAN("work"),
	         .klass = SPAN("AppVM"),
	         .relayvm = SPAN("relay")},
		{.name = SPAN("far"),
	         .klass = SPAN("RemoteVM"),
	         .relayvm = SPAN("relay")},
		{.name = SPAN("lost"), .klass = SPAN("RemoteVM")},
	};
	const struct policy_system s = {qubes, ARRAY_LEN(qubes)};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(speakers); i++) {
		struct policy_question q = {
			.request.source = span_str(speakers[i].source),
			.requested_source = span_str(speakers[i].requested),
		};
		bool ok = policy_socket_source(&s, &q);

		if (ok != (speakers[i].want != NULL) ||
		    (ok && !span_is(q.request.source, speakers[i].want)))
			fail_msg("%s for %s", speakers[i].source,
			         speakers[i].requested);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_that_are_none_are_refused),
		cmocka_unit_test(a_question_is_read),
		cmocka_unit_test(a_question_ends_with_an_empty_line),
		cmocka_unit_test(each_question_has_its_answer),
		cmocka_unit_test(only_relays_speak_for_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

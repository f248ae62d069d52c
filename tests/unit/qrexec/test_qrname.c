/* SPDX-License-Identifier: Apache-2.0 */
#include "qrexec/qrname.h"

#include "cmocka_all.h"
#include "qrexec/qrmsg.h"

static void services_have_few_characters(void **state)
{
	autofree char *longest = malloc(QRMSG_NAME_MAX + 2);

	(void)state;
	assert_true(qrname_service_ok(span_str("qubes.VMExec+a-2Fb+")));
	assert_false(qrname_service_ok(span_str("")));
	assert_false(qrname_service_ok(span_str("+a")));
	assert_false(qrname_service_ok(span_str("a/b")));
	assert_false(qrname_service_ok(span_str("a$b")));
	assert_false(qrname_service_ok(span_str("a\xc3\xa4")));
	assert_false(
		qrname_service_ok((struct span){(const uint8_t *)"a\0b", 3}));
	memset(longest, 'a', QRMSG_NAME_MAX + 1);
	assert_true(qrname_service_ok(
		(struct span){(uint8_t *)longest, QRMSG_NAME_MAX}));
	assert_false(qrname_service_ok(
		(struct span){(uint8_t *)longest, QRMSG_NAME_MAX + 1}));
}

static void cleaning_makes_a_service_of_anything(void **state)
{
	char name[] = "a b/$(c)+d\x1b[e";

	(void)state;
	qrname_service_clean(name);
	assert_string_equal(name, "a_b___c_+d__e");
	assert_true(qrname_service_ok(span_str(name)));
}

static void qubes_may_be_words_of_policy(void **state)
{
	(void)state;
	assert_true(qrname_qube_ok(span_str("")));
	assert_true(qrname_qube_ok(span_str("@dispvm:work-2")));
	assert_false(qrname_qube_ok(span_str("$dispvm")));
	assert_false(qrname_qube_ok(span_str("a b")));
	assert_true(qrname_ident_ok(span_str("SOCKET 1")));
	assert_false(qrname_ident_ok(span_str("")));
	assert_false(qrname_ident_ok(span_str("a:b")));
}

static void fields_end_once(void **state)
{
	struct span got = {NULL, 77};

	(void)state;
	assert_true(qrname_padded((struct span){(const uint8_t *)"ab\0\0", 4},
	                          &got));
	assert_true(span_is(got, "ab"));
	assert_false(
		qrname_padded((struct span){(const uint8_t *)"ab", 2}, &got));
	assert_false(qrname_padded((struct span){(const uint8_t *)"a\0b\0", 4},
	                           &got));
	assert_false(qrname_padded((struct span){NULL, 0}, &got));
}

static void the_first_plus_divides(void **state)
{
	struct span name, argument;

	(void)state;
	assert_true(qrname_split(span_str("a+b+c"), &name, &argument));
	assert_true(span_is(name, "a") && span_is(argument, "b+c"));
	assert_true(qrname_split(span_str("a+"), &name, &argument));
	assert_true(span_is(name, "a") && argument.size == 0);
	assert_false(qrname_split(span_str("a"), &name, &argument));
	assert_true(span_is(name, "a") && argument.size == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services_have_few_characters),
		cmocka_unit_test(cleaning_makes_a_service_of_anything),
		cmocka_unit_test(qubes_may_be_words_of_policy),
		cmocka_unit_test(fields_end_once),
		cmocka_unit_test(the_first_plus_divides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

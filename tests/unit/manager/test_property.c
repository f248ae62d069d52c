/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/property.h"

#include <stdio.h>

#include "cmocka_all.h"
#include "manager/bench.h"

static void put(struct bench *b, const struct qube *q, const char *name,
                const char *value)
{
	property_put(b->ledger, q, property_find(q, name), value);
}

static void expect(struct bench *b, const struct qube *q, const char *name,
                   const char *want)
{
	char got[PROPERTY_VALUE_MAX];

	if (q) {
		property_text(b->ledger, q, name, got);
	} else {
		(void)property_get(b->ledger, NULL, property_find(NULL, name),
		                   got);
	}
	if (strcmp(got, want) != 0)
		fail_msg("%s is '%s', not '%s'", name, got, want);
}

static void defaults_are_those_of_qubes(void **state)
{
	struct bench *b = *state;
	struct qube q = bench_qube(b, QUBE_AppVM, "work");

	expect(b, &q, "memory", "400");
	expect(b, &q, "vcpus", "2");
	expect(b, &q, "qrexec_timeout", "60");
	expect(b, &q, "shutdown_timeout", "60");
	expect(b, &q, "default_user", "user");
	expect(b, &q, "autostart", "False");
	expect(b, &q, "include_in_backups", "True");
	expect(b, &q, "klass", "AppVM");
	expect(b, &q, "icon", "appvm-red");
	expect(b, &q, "ip", "10.137.0.1");
	expect(b, NULL, "check_updates_vm", "True");
	expect(b, NULL, "default_pool_root", "file");
}

static void values_come_from_templates_and_the_global_set(void **state)
{
	struct bench *b = *state;
	struct qube t = bench_qube(b, QUBE_TemplateVM, "debian");
	struct qube a = bench_qube(b, QUBE_AppVM, "dvm");
	struct qube d = bench_qube(b, QUBE_DispVM, "disp7");

	put(b, &a, "template", "debian");
	put(b, &d, "template", "dvm");
	put(b, &t, "memory", "500");
	expect(b, &a, "memory", "500");
	expect(b, &d, "memory", "500");
	put(b, &a, "memory", "600");
	expect(b, &d, "memory", "600");
	put(b, NULL, "default_shutdown_timeout", "5");
	expect(b, &d, "shutdown_timeout", "5");
	put(b, &t, "shutdown_timeout", "7");
	expect(b, &d, "shutdown_timeout", "7");
	put(b, NULL, "default_pool", "file");
	expect(b, NULL, "default_pool_private", "file");
	expect(b, &d, "dispid", "7");
	expect(b, &d, "ip", "10.138.0.7");
	/* Even should they form a ring. */
	put(b, &a, "template", "dvm");
	property_unset(b->ledger, &a, property_find(&a, "memory"));
	expect(b, &a, "memory", "400");
}

static void classes_have_their_own(void **state)
{
	struct bench *b = *state;
	struct qube t = bench_qube(b, QUBE_TemplateVM, "debian"), dom0;

	assert_null(property_find(&t, "template"));
	assert_null(property_find(&t, "auto_cleanup"));
	assert_int_equal(qube_find(b->ledger, "dom0", &dom0), 0);
	assert_null(property_find(&dom0, "memory"));
	assert_non_null(property_find(&dom0, "keyboard_layout"));
	assert_null(property_find(NULL, "memory"));
}

/* Every row of the tables can be read, and they are listed in order. */
static void all_of_them_have_a_value(void **state)
{
	struct bench *b = *state;
	struct qube q = bench_qube(b, QUBE_DispVM, "d");
	const struct qube *const whose[] = {&q, NULL};

	for (size_t w = 0; w < ARRAY_LEN(whose); w++) {
		const struct property *p;
		const char *last = "";

		for (size_t i = 0; (p = property_at(whose[w], i)); i++) {
			char value[PROPERTY_VALUE_MAX];

			assert_true(strcmp(last, p->name) < 0);
			assert_ptr_equal(property_find(whose[w], p->name), p);
			assert_true(
				property_get(b->ledger, whose[w], p, value));
			if (p->rule == PROPERTY_COMPUTED)
				assert_true(property_default(
					b->ledger, whose[w], p, value));
			last = p->name;
		}
		assert_string_not_equal(last, "");
	}
}

static void users_are_found_and_renamed(void **state)
{
	struct bench *b = *state;
	struct qube t = bench_qube(b, QUBE_TemplateVM, "debian");
	struct qube a = bench_qube(b, QUBE_AppVM, "work");
	char who[128];

	(void)t;
	assert_false(property_user_of(b->ledger, "debian", who, sizeof(who)));
	put(b, &a, "template", "debian");
	assert_true(property_user_of(b->ledger, "debian", who, sizeof(who)));
	assert_string_equal(who, "template of work");
	property_renamed(b->ledger, "debian", "bookworm");
	expect(b, &a, "template", "bookworm");
	put(b, NULL, "default_template", "bookworm");
	assert_true(property_user_of(b->ledger, "bookworm", who, sizeof(who)));
	assert_string_equal(who, "the global property default_template");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(defaults_are_those_of_qubes,
	                                        bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			values_come_from_templates_and_the_global_set,
			bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(classes_have_their_own,
	                                        bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(all_of_them_have_a_value,
	                                        bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(users_are_found_and_renamed,
	                                        bench_setup, bench_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

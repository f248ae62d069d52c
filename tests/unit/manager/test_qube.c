/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/qube.h"

#include <string.h>

#include "cmocka_all.h"
#include "manager/bench.h"

static void names_keep_to_the_rules(void **state)
{
	static const char *const bad[] = {
		"",        "1st",         "-x",
		".x",      "_x",          "a b",
		"a/b",     "a\n",         "none",
		"default", "Domain-0",    "dom0",
		"work-dm", "caf\xc3\xa9", "abcdefghijklmnopqrstuvwxyzabcdef",
	};
	static const char *const good[] = {
		"a",   "work", "a.b_c-d",
		"X11", "None", "abcdefghijklmnopqrstuvwxyzabcde",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (!qube_name_wrong(bad[i]))
			fail_msg("'%s' is not refused", bad[i]);
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (qube_name_wrong(good[i]))
			fail_msg("'%s' is refused", good[i]);
}

static void are_found_by_all_their_names(void **state)
{
	struct bench *b = *state;
	struct qube q = bench_qube(b, QUBE_AppVM, "work"), got;
	char by_uuid[64] = "uuid:";

	bench_again(b);
	strcat(by_uuid, q.uuid);
	assert_int_equal(qube_find(b->ledger, "work", &got), 0);
	assert_int_equal(got.id, q.id);
	assert_int_equal(got.class, QUBE_AppVM);
	assert_int_equal(qube_find(b->ledger, by_uuid, &got), 0);
	assert_string_equal(got.name, "work");
	assert_int_equal(qube_find(b->ledger, "@adminvm", &got), 0);
	assert_int_equal(got.id, 0);
	assert_int_equal(qube_find(b->ledger, "wor", &got), -ENOENT);

	qube_rename(b->ledger, &q, "play");
	assert_int_equal(qube_find(b->ledger, "work", &got), -ENOENT);
	assert_int_equal(qube_find(b->ledger, "play", &got), 0);
	assert_string_equal(got.uuid, q.uuid);
}

static void leave_nothing_and_numbers_are_not_used_again(void **state)
{
	struct bench *b = *state;
	struct qube q = bench_qube(b, QUBE_AppVM, "work"), other;
	char key[LEDGER_KEY_MAX];
	struct ledger_walk w;
	uint32_t id = q.id;

	qube_key(key, &q, "t/", "tag");
	ledger_put_text(b->ledger, key, "");
	qube_delete(b->ledger, &q);
	qube_key(key, &q, "", "");
	ledger_walk_begin(&w, b->ledger, key);
	assert_false(ledger_walk_next(&w));
	ledger_walk_end(&w);
	other = bench_qube(b, QUBE_AppVM, "work");
	assert_true(other.id > id);
	assert_string_not_equal(other.uuid, q.uuid);
}

static void are_walked_by_name(void **state)
{
	struct bench *b = *state;
	struct ledger_walk w;
	char seen[64] = "";
	struct qube q;

	(void)bench_qube(b, QUBE_AppVM, "b");
	(void)bench_qube(b, QUBE_TemplateVM, "a");
	qube_walk_begin(&w, b->ledger);
	while (qube_walk_next(&w, &q)) {
		strcat(seen, q.name);
		strcat(seen, " ");
	}
	qube_walk_end(&w);
	assert_string_equal(seen, "a b dom0 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_keep_to_the_rules),
		cmocka_unit_test_setup_teardown(are_found_by_all_their_names,
	                                        bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(
			leave_nothing_and_numbers_are_not_used_again,
			bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(are_walked_by_name, bench_setup,
	                                        bench_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

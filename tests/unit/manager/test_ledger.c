/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/ledger.h"

#include <fcntl.h>
#include <stdio.h>

#include "cmocka_all.h"
#include "manager/bench.h"

static void keeps_what_is_committed_only(void **state)
{
	struct bench *b = *state;
	char text[16];
	struct fault f;

	ledger_put_text(b->ledger, "a", "1");
	bench_again(b);
	assert_true(ledger_text(b->ledger, "a", text, sizeof(text)));
	assert_string_equal(text, "1");
	ledger_put_text(b->ledger, "a", "2");
	ledger_put_text(b->ledger, "b", "");
	ledger_abort(b->ledger);
	assert_int_equal(ledger_begin(b->ledger, false, &f), 0);
	assert_true(ledger_text(b->ledger, "a", text, sizeof(text)));
	assert_string_equal(text, "1");
	assert_false(ledger_has(b->ledger, "b"));
}

static void deletes_below_a_prefix_only(void **state)
{
	static const char *const keys[] = {"p", "p/", "p/a", "p/b", "p0", "q"};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		ledger_put_text(b->ledger, keys[i], keys[i]);
	ledger_delete_below(b->ledger, "p/");
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		assert_int_equal(ledger_has(b->ledger, keys[i]),
		                 strncmp(keys[i], "p/", 2) != 0);
	/* The last of all keys, too. */
	ledger_put_text(b->ledger, "zz/1", "");
	ledger_put_text(b->ledger, "zz/2", "");
	ledger_delete_below(b->ledger, "zz/");
	assert_false(ledger_has(b->ledger, "zz/1"));
	assert_false(ledger_has(b->ledger, "zz/2"));
}

static void walks_in_order(void **state)
{
	struct bench *b = *state;
	struct ledger_walk w;
	char seen[16] = "";

	ledger_put_text(b->ledger, "w/b", "2");
	ledger_put_text(b->ledger, "w/a", "1");
	ledger_put_text(b->ledger, "w/c", "3");
	ledger_walk_begin(&w, b->ledger, "w/");
	while (ledger_walk_next(&w)) {
		assert_int_equal(strlen(w.rest), 1);
		strcat(seen, w.rest);
		strncat(seen, (const char *)w.value.at, w.value.size);
	}
	ledger_walk_end(&w);
	assert_string_equal(seen, "a1b2c3");
}

/* Changes the one place in the file where `what` stands. */
static void damage(struct bench *b, const char *what)
{
	autofree char *bytes = NULL;
	int fd = openat(b->folder, "manager.lmdb", O_RDWR | O_CLOEXEC);
	off_t size = lseek(fd, 0, SEEK_END);
	int count = 0;

	assert_true(fd >= 0 && size > 0);
	bytes = malloc((size_t)size);
	assert_non_null(bytes);
	assert_int_equal(pread(fd, bytes, (size_t)size, 0), size);
	for (size_t i = 0; i + strlen(what) <= (size_t)size; i++) {
		if (memcmp(bytes + i, what, strlen(what)) != 0)
			continue;
		assert_int_equal(pwrite(fd, "X", 1, (off_t)i), 1);
		count++;
	}
	assert_true(count > 0);
	close(fd);
}

static void notices_a_damaged_record(void **state)
{
	struct bench *b = *state;
	struct span value;
	struct fault f;

	ledger_put_text(b->ledger, "key", "a value to be damaged");
	bench_again(b);
	ledger_abort(b->ledger);
	ledger_close(b->ledger);
	damage(b, "a value to be damaged");
	assert_int_equal(ledger_open(b->folder, b->runtime, &b->ledger, &f), 0);
	assert_int_equal(ledger_begin(b->ledger, true, &f), 0);
	assert_int_equal(ledger_get(b->ledger, "key", &value), -ENOENT);
	ledger_put_text(b->ledger, "other", "");
	/* Whatever was built on it is not to be believed. */
	assert_int_equal(ledger_commit(b->ledger, &f), -EBADMSG);
	assert_non_null(strstr(f.text, "damaged record key"));
}

static void what_passes_lies_apart_and_is_seen_as_one(void **state)
{
	struct bench *b = *state;
	struct qube a, z, disp, got;
	struct ledger_walk w;
	char seen[64] = "", key[LEDGER_KEY_MAX];
	struct fault f;

	a = bench_qube(b, QUBE_AppVM, "a");
	qube_add_passing(b->ledger, "disp0", &disp);
	z = bench_qube(b, QUBE_AppVM, "z");
	assert_true(disp.id > LEDGER_PASSING && z.id == a.id + 1);
	assert_true(qube_uuid_passes(disp.uuid));
	assert_false(qube_uuid_passes(a.uuid));
	/* Also when the manager has ended meanwhile. */
	bench_again(b);
	assert_int_equal(qube_find(b->ledger, "disp0", &got), 0);
	assert_string_equal(got.uuid, disp.uuid);
	qube_walk_begin(&w, b->ledger);
	while (qube_walk_next(&w, &got))
		strcat(strcat(seen, got.name), " ");
	qube_walk_end(&w);
	assert_string_equal(seen, "a disp0 dom0 z ");
	/* The machine has started since: it is gone, and nothing else. */
	assert_int_equal(ledger_commit(b->ledger, &f), 0);
	ledger_close(b->ledger);
	assert_int_equal(unlinkat(b->runtime, "passing.boot", 0), 0);
	assert_int_equal(ledger_open(b->folder, b->runtime, &b->ledger, &f), 0);
	assert_int_equal(ledger_begin(b->ledger, true, &f), 0);
	assert_int_equal(qube_find(b->ledger, "disp0", &got), -ENOENT);
	assert_int_equal(qube_find(b->ledger, disp.uuid, &got), -ENOENT);
	qube_key(key, &disp, "class", "");
	assert_false(ledger_has(b->ledger, key));
	assert_int_equal(qube_find(b->ledger, "z", &got), 0);
}

static void what_passes_can_be_deleted(void **state)
{
	struct bench *b = *state;
	struct qube disp, got;

	qube_add_passing(b->ledger, "disp0", &disp);
	qube_delete(b->ledger, &disp);
	bench_again(b);
	assert_int_equal(qube_find(b->ledger, "disp0", &got), -ENOENT);
	/* Its number is not used again. */
	qube_add_passing(b->ledger, "disp0", &got);
	assert_int_equal(got.id, disp.id + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keeps_what_is_committed_only,
	                                        bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(deletes_below_a_prefix_only,
	                                        bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(walks_in_order, bench_setup,
	                                        bench_teardown),
		cmocka_unit_test_setup_teardown(
			what_passes_lies_apart_and_is_seen_as_one, bench_setup,
			bench_teardown),
		cmocka_unit_test_setup_teardown(what_passes_can_be_deleted,
	                                        bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(notices_a_damaged_record,
	                                        bench_setup, bench_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Beside a table of which nothing is clever. */
#include "volume/pending.h"

#include "cmocka_all.h"

#define KEYS 700u

struct model {
	bool there, gone;
	uint8_t value;
	size_t size;
};

static uint8_t key_bytes[KEYS][3];

/* Of two lengths; the shorter are beginnings of others. */
static struct span key_of(unsigned n)
{
	key_bytes[n][0] = (uint8_t)(n / 26);
	key_bytes[n][1] = (uint8_t)(n % 26);
	key_bytes[n][2] = (uint8_t)n;
	return (struct span){key_bytes[n], n % 26 == 0 ? 1 : 3};
}

static void enter(struct pending *p, struct model *m, unsigned n, unsigned how)
{
	uint8_t value[100];
	struct span s = {value, how % sizeof(value)};
	struct pending_entry *e;

	m[n] = (struct model){
		.there = true, .gone = how % 5 == 0, .value = (uint8_t)how};
	if (m[n].gone)
		s = (struct span){NULL, 0};
	m[n].size = s.size;
	memset(value, m[n].value, sizeof(value));
	e = pending_make(key_of(n), s, m[n].gone);
	assert_non_null(e);
	pending_enter(p, e);
}

static void same(const struct pending_entry *e, const struct model *m,
                 unsigned n)
{
	assert_non_null(e);
	assert_int_equal(pending_compare(e->key, key_of(n)), 0);
	assert_int_equal(e->gone, m[n].gone);
	assert_int_equal(e->value.size, m[n].size);
	for (size_t i = 0; i < e->value.size; i++)
		assert_int_equal(e->value.at[i], m[n].value);
}

static void check(struct pending *p, const struct model *m, bool in_order)
{
	size_t count = 0;
	size_t bytes = 0;

	for (unsigned n = 0; n < KEYS; n++) {
		const struct pending_entry *e = pending_find(p, key_of(n));

		if (!m[n].there) {
			assert_null(e);
			continue;
		}
		same(e, m, n);
		count++;
		bytes += e->key.size + e->value.size;
	}
	assert_int_equal(p->count, count);
	assert_int_equal(p->bytes, bytes);
	for (unsigned n = 0, next = 0; in_order && n < KEYS; n++) {
		next = MAX(next, n);
		while (next < KEYS && !m[next].there)
			next++;
		if (next < KEYS)
			same(pending_from(p, key_of(n)), m, next);
		else
			assert_null(pending_from(p, key_of(n)));
	}
}

static void the_last_word_on_a_key_counts(void **state)
{
	autofree struct model *m = calloc(KEYS, sizeof(*m));
	struct pending p;
	unsigned random = 1;

	(void)state;
	assert_non_null(m);
	pending_init(&p);
	check(&p, m, true);
	for (unsigned i = 0; i < 3000; i++) {
		random = random * 1103515245 + 12345;
		enter(&p, m, (random >> 16) % KEYS, random >> 8);
		if (i % 500 == 7)
			check(&p, m, i % 1000 == 7);
	}
	check(&p, m, true);
	pending_clear(&p);
	memset(m, 0, KEYS * sizeof(*m));
	check(&p, m, true);
}

static void without_rows_it_is_only_slower(void **state)
{
	autofree struct model *m = calloc(KEYS, sizeof(*m));
	struct pending p;

	(void)state;
	assert_non_null(m);
	pending_init(&p);
	for (unsigned n = 0; n < KEYS; n++) {
		enter(&p, m, n * 3 % KEYS, n);
		if (n != 400)
			continue;
		free(p.rows);
		p.rows = NULL;
		check(&p, m, true);
	}
	check(&p, m, true);
	pending_clear(&p);
}

static void what_failed_joins_what_came_later(void **state)
{
	autofree struct model *m = calloc(KEYS, sizeof(*m));
	autofree struct model *old = calloc(KEYS, sizeof(*old));
	struct pending to, from;

	(void)state;
	assert_true(m && old);
	pending_init(&to);
	pending_init(&from);
	for (unsigned n = 0; n < 300; n++) {
		enter(&from, old, n, n);
		enter(&from, old, n, n + 1);
	}
	assert_ptr_equal(pending_from(&from, key_of(0)),
	                 pending_find(&from, key_of(0)));
	for (unsigned n = 100; n < 400; n++)
		enter(&to, m, n, n + 2);
	check(&to, m, true);
	memcpy(m, old, 100 * sizeof(*m));
	pending_merge(&to, &from);
	assert_int_equal(from.count, 0);
	check(&to, m, true);
	pending_clear(&to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_word_on_a_key_counts),
		cmocka_unit_test(without_rows_it_is_only_slower),
		cmocka_unit_test(what_failed_joins_what_came_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

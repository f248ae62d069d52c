/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/cmsg.h"

#include "cmocka_all.h"

static void what_is_put_can_be_taken(void **state)
{
	struct cmsgout o;
	struct reader r;
	struct cmsg c;

	(void)state;
	cmsg_out_init(&o, 256);
	cmsg_put(&o, 1, 2, "abc", 3);
	cmsg_put(&o, 3, 4, "12345678", 8);
	assert_false(o.truncated);
	r = (struct reader){.rest = {o.bytes, o.size}};
	assert_int_equal(cmsg_next(&r, &c), 1);
	assert_int_equal(c.level, 1);
	assert_int_equal(c.type, 2);
	assert_true(span_is(c.data, "abc"));
	assert_int_equal(cmsg_next(&r, &c), 1);
	assert_true(span_is(c.data, "12345678"));
	assert_int_equal(cmsg_next(&r, &c), 0);
}

static void a_short_room_cuts(void **state)
{
	struct cmsgout o;

	(void)state;
	cmsg_out_init(&o, CMSG_HEAD + 2);
	cmsg_put(&o, 1, 2, "abc", 3);
	assert_true(o.truncated);
	assert_int_equal(o.size, CMSG_HEAD + 2);
	cmsg_out_init(&o, CMSG_HEAD - 1);
	cmsg_put(&o, 1, 2, "abc", 3);
	assert_true(o.truncated);
	assert_int_equal(o.size, 0);
}

static const struct {
	const char *why;
	uint64_t claim;
	size_t size;
	int want;
} sizes[] = {
	{"too short for a head is the end", 16, 15, 0},
	{"nothing is the end", 16, 0, 0},
	{"smaller than its head", 15, 16, -EINVAL},
	{"zero", 0, 16, -EINVAL},
	{"one byte too many", 17, 16, -EINVAL},
	{"as large as can be", UINT64_MAX, 24, -EINVAL},
	{"no data", 16, 16, 1},
	{"not padded at the end", 17, 17, 1},
};

static void sizes_are_not_believed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		autofree uint8_t *wire = calloc(1, sizes[i].size + 1);
		autofree uint8_t *exact = NULL;
		struct reader r;
		struct cmsg c;

		memcpy(wire, &sizes[i].claim, MIN(sizes[i].size, 8));
		exact = malloc(MAX(sizes[i].size, 1));
		memcpy(exact, wire, sizes[i].size);
		r = (struct reader){.rest = {exact, sizes[i].size}};
		if (cmsg_next(&r, &c) != sizes[i].want)
			fail_msg("%s", sizes[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_can_be_taken),
		cmocka_unit_test(a_short_room_cuts),
		cmocka_unit_test(sizes_are_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

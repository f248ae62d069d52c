/* SPDX-License-Identifier: Apache-2.0 */
/* Orders to workers: what is written is read, and nothing else is. */
#include "manager/chore.h"

#include "cmocka_all.h"

#define UUID  "01234567-89ab-cdef-0123-456789abcdef"
#define OTHER "fedcba98-7654-3210-fedc-ba9876543210"

static struct chore some_work(void)
{
	return (struct chore){
		.kind = CHORE_begin,
		.uuid = UUID,
		.from = OTHER,
		.volume = "private",
		.volumes = 3,
		.number = 1ull << 40,
		.keep = {1000, 3},
		.fd = -1,
	};
}

/* Parses a copy that fills its allocation exactly. */
static int parse_exact(const uint8_t *wire, size_t size, struct chore *out)
{
	autofree uint8_t *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	memcpy(copy, wire, size);
	return chore_parse((struct span){copy, size}, out);
}

static void reads_what_was_written(void **state)
{
	struct chore w = some_work(), got;
	uint8_t wire[CHORE_SIZE_MAX];
	size_t size = chore_format(&w, wire);

	(void)state;
	assert_int_equal(parse_exact(wire, size, &got), 0);
	assert_int_equal(got.kind, w.kind);
	assert_string_equal(got.uuid, w.uuid);
	assert_string_equal(got.from, w.from);
	assert_string_equal(got.also_from, "");
	assert_string_equal(got.volume, w.volume);
	assert_int_equal(got.volumes, w.volumes);
	assert_true(got.number == w.number);
	assert_int_equal(got.keep[0], w.keep[0]);
	assert_int_equal(got.keep[1], w.keep[1]);
}

static void refuses_what_is_cut_off(void **state)
{
	struct chore w = some_work(), got;
	uint8_t wire[CHORE_SIZE_MAX];
	size_t size = chore_format(&w, wire);

	(void)state;
	for (size_t i = 0; i < size; i++)
		assert_int_equal(parse_exact(wire, i, &got), -EPROTO);
	wire[size] = 0;
	assert_int_equal(parse_exact(wire, size + 1, &got), -EPROTO);
}

static const struct {
	const char *why;
	struct chore w;
} refused[] = {
	{"no such work", {.kind = 99, .uuid = UUID}},
	{"nobody's volumes", {.kind = CHORE_drop}},
	{"a path for a UUID",
         {.kind = CHORE_drop, .uuid = "../../../../etc/xxxxxxxxxxxxxxxxxxxx"}},
	{"a UUID without dashes",
         {.kind = CHORE_drop, .uuid = "0123456789abcdef0123456789abcdef0123"}},
	{"capitals",
         {.kind = CHORE_drop, .uuid = "01234567-89AB-cdef-0123-456789abcdef"}},
	{"a short UUID", {.kind = CHORE_drop, .uuid = "01234567"}},
	{"a path to copy from",
         {.kind = CHORE_copy, .uuid = UUID, .from = ".."}},
	{"another one", {.kind = CHORE_begin, .uuid = UUID, .also_from = "/"}},
	{"no such volume",
         {.kind = CHORE_clear, .uuid = UUID, .volume = "used"}},
	{"a path for a volume",
         {.kind = CHORE_clear, .uuid = UUID, .volume = "../root"}},
};

static void refuses_what_is_no_order(void **state)
{
	uint8_t wire[CHORE_SIZE_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct chore got = {.number = 77};
		size_t size = chore_format(&refused[i].w, wire);

		if (parse_exact(wire, size, &got) != -EPROTO)
			fail_msg("%s", refused[i].why);
		assert_int_equal(got.number, 77); /* untouched */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_was_written),
		cmocka_unit_test(refuses_what_is_cut_off),
		cmocka_unit_test(refuses_what_is_no_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

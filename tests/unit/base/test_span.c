/* SPDX-License-Identifier: Apache-2.0 */
#include "base/span.h"

#include "cmocka_all.h"

static struct reader over(const char *s, size_t size)
{
	return (struct reader){.rest = {(const uint8_t *)s, size}};
}

static void numbers_are_little_endian(void **state)
{
	struct reader r = over("\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17", 15);

	(void)state;
	assert_int_equal(rd_u8(&r), 1);
	assert_int_equal(rd_le16(&r), 0x0302);
	assert_int_equal(rd_le32(&r), 0x07060504);
	assert_true(rd_le64(&r) == 0x0f0e0d0c0b0a0908ull);
	assert_true(rd_end(&r));
}

static void a_field_that_does_not_fit_spoils_all_that_follow(void **state)
{
	struct reader r = over("\1\2\3", 3);

	(void)state;
	assert_int_equal(rd_le32(&r), 0);
	assert_int_equal(rd_u8(&r), 0);
	assert_false(rd_end(&r));
}

static void a_byte_left_over_is_not_the_end(void **state)
{
	struct reader r = over("\2abc", 4);
	struct span s = rd_str8(&r);

	(void)state;
	assert_true(span_is(s, "ab"));
	assert_false(rd_end(&r));
	assert_int_equal(rd_u8(&r), 'c');
	assert_true(rd_end(&r));
}

static void a_length_beyond_the_end_yields_nothing(void **state)
{
	struct reader r = over("\xff\xff\xff\xff"
	                       "abc",
	                       7);

	(void)state;
	assert_int_equal(rd_str32(&r).size, 0);
	assert_false(rd_end(&r));
}

static void a_part_never_reaches_beyond_its_span(void **state)
{
	struct span s = span_str("abc");

	(void)state;
	assert_true(span_is(span_from(s, 1), "bc"));
	assert_int_equal(span_from(s, 3).size, 0);
	assert_int_equal(span_from(s, 4).size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_little_endian),
		cmocka_unit_test(
			a_field_that_does_not_fit_spoils_all_that_follow),
		cmocka_unit_test(a_byte_left_over_is_not_the_end),
		cmocka_unit_test(a_length_beyond_the_end_yields_nothing),
		cmocka_unit_test(a_part_never_reaches_beyond_its_span),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

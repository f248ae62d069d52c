/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/reply.h"

#include "cmocka_all.h"

#define WIRE(s) ((struct span){(const uint8_t *)(s), sizeof(s) - 1})

static void answers_arrive(void **state)
{
	autobuffer struct buffer b = {0};
	struct reply r;

	(void)state;
	reply_ok(&b, WIRE("work class=AppVM\n"));
	assert_memory_equal(b.at, "0\0work", 6);
	assert_int_equal(reply_parse(buffer_span(&b), &r), 0);
	assert_int_equal(r.kind, REPLY_OK);
	assert_true(span_is(r.data, "work class=AppVM\n"));
	assert_int_equal(reply_parse(WIRE("0\0"), &r), 0);
	assert_int_equal(r.data.size, 0);
}

static void exceptions_arrive_with_their_type(void **state)
{
	static const char wire[] = "2\0QubesException\0\0at 50%%\0";
	autobuffer struct buffer b = {0};
	struct reply r;

	(void)state;
	reply_exception(&b, "QubesException", "at 50%");
	assert_int_equal(b.size, sizeof(wire) - 1);
	assert_memory_equal(b.at, wire, b.size);
	assert_int_equal(reply_parse(buffer_span(&b), &r), 0);
	assert_int_equal(r.kind, REPLY_EXCEPTION);
	assert_string_equal(r.type, "QubesException");
	assert_string_equal(r.message, "at 50%");
}

static void refuses_what_is_no_answer(void **state)
{
	static const struct span bad[] = {
		WIRE(""),          WIRE("0"),        WIRE("1\0"),
		WIRE("3\0"),       WIRE("2\0T\0"),   WIRE("2\0T\0\0"),
		WIRE("2\0T\0\0m"), WIRE("00\0data"),
	};
	struct reply r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (reply_parse(bad[i], &r) != -EPROTO)
			fail_msg("answer %zu is not refused", i);
}

static void events_come_one_by_one(void **state)
{
	struct reply_event e = {"work",
	                        "property-set:label",
	                        {{"newvalue", "red"}, {"x", ""}},
	                        2};
	struct reply_event hello = {"", "connection-established", {{0}}, 0};
	autobuffer struct buffer b = {0};
	struct reply_event got;
	ssize_t first;

	(void)state;
	reply_event(&b, &hello);
	assert_int_equal(b.size, strlen("connection-established") + 5);
	reply_event(&b, &e);
	first = reply_parse_event(buffer_span(&b), &got);
	assert_int_equal(first, strlen("connection-established") + 5);
	assert_string_equal(got.name, "connection-established");
	/* Every beginning of the second is too short, none is refused. */
	for (size_t n = 0; n < b.size - (size_t)first; n++)
		assert_int_equal(
			reply_parse_event((struct span){b.at + first, n}, &got),
			0);
	assert_int_equal(
		reply_parse_event(span_from(buffer_span(&b), (size_t)first),
	                          &got),
		b.size - (size_t)first);
	assert_string_equal(got.subject, "work");
	assert_string_equal(reply_value(&got, "newvalue"), "red");
	assert_string_equal(reply_value(&got, "x"), "");
	assert_null(reply_value(&got, "y"));
	assert_int_equal(reply_parse_event(WIRE("2\0T\0"), &got), -EPROTO);
	assert_int_equal(reply_parse_event(WIRE("11"), &got), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_arrive),
		cmocka_unit_test(exceptions_arrive_with_their_type),
		cmocka_unit_test(refuses_what_is_no_answer),
		cmocka_unit_test(events_come_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

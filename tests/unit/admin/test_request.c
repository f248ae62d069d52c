/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/request.h"

#include "cmocka_all.h"

#define WIRE(s) ((struct span){(const uint8_t *)(s), sizeof(s) - 1})

#define W64  "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
#define W256 W64 W64 W64 W64

/* What we must refuse; one line for each rule in request.h. */
static const struct {
	const char *why;
	struct span wire;
} refused[] = {
	{"empty", WIRE("")},
	{"no NUL", WIRE("admin.vm.List+ dom0 name dom0")},
	{"one word", WIRE("admin.vm.List\0")},
	{"two words", WIRE("admin.vm.List+ dom0\0")},
	{"three words", WIRE("admin.vm.List+ dom0 name\0")},
	{"empty target", WIRE("admin.vm.List+ dom0 name \0")},
	{"empty source", WIRE("admin.vm.List+  name dom0\0")},
	{"empty method", WIRE("+arg dom0 name dom0\0")},
	{"five words", WIRE("admin.vm.List+ dom0 name dom0 x\0")},
	{"two blanks", WIRE("admin.vm.List+ dom0  name dom0\0")},
	{"a kind we do not know", WIRE("admin.vm.List+ dom0 uuid dom0\0")},
	{"a keyword we do not know", WIRE("admin.vm.List+ dom0 keyword x\0")},
	{"slash in the method", WIRE("admin/List+ dom0 name dom0\0")},
	{"64-byte method", WIRE(W64 "+ dom0 name dom0\0")},
	{"256-byte argument", WIRE("m+" W256 " dom0 name dom0\0")},
	{"256-byte target", WIRE("m+ dom0 name " W256 "\0")},
	{"newline in the argument", WIRE("m+a\n dom0 name dom0\0")},
	{"escape in the source", WIRE("m+a \033 name dom0\0")},
	{"a byte above ASCII in the target", WIRE("m+a dom0 name \xff\0")},
};

/* A copy that fills its allocation exactly, for the address sanitizer. */
static int parse_exact(struct span wire, struct request *r)
{
	autofree uint8_t *copy = malloc(MAX(wire.size, (size_t)1));

	assert_non_null(copy);
	memcpy(copy, wire.at, wire.size);
	return request_parse((struct span){copy, wire.size}, r);
}

static void refuses_what_the_format_forbids(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct request r = {.method = WIRE("untouched")};

		if (parse_exact(refused[i].wire, &r) != -EPROTO)
			fail_msg("%s: not refused", refused[i].why);
		assert_true(span_is(r.method, "untouched"));
	}
}

static void takes_requests_apart(void **state)
{
	struct request r;

	(void)state;
	assert_int_equal(
		request_parse(WIRE("admin.vm.tag.Set+a+b dom0 name work\0x\0y"),
	                      &r),
		0);
	assert_true(span_is(r.method, "admin.vm.tag.Set"));
	assert_true(span_is(r.argument, "a+b"));
	assert_true(span_is(r.source, "dom0"));
	assert_true(span_is(r.target, "work"));
	assert_true(span_eq(r.payload, WIRE("x\0y")));
	/* The plus may be left out; the manager has a keyword. */
	assert_int_equal(request_parse(WIRE("m dom0 keyword adminvm\0"), &r),
	                 0);
	assert_true(span_is(r.method, "m"));
	assert_int_equal(r.argument.size, 0);
	assert_true(span_is(r.target, "dom0"));
	assert_int_equal(r.payload.size, 0);
}

static void holds_to_the_limit(void **state)
{
	static const char head[] = "m+ dom0 name work";
	autofree uint8_t *wire = calloc(1, REQUEST_SIZE_MAX + 1);
	struct request r;

	(void)state;
	assert_non_null(wire);
	memcpy(wire, head, sizeof(head));
	assert_int_equal(
		request_parse((struct span){wire, REQUEST_SIZE_MAX}, &r), 0);
	assert_int_equal(r.payload.size, REQUEST_SIZE_MAX - sizeof(head));
	assert_int_equal(
		request_parse((struct span){wire, REQUEST_SIZE_MAX + 1}, &r),
		-EPROTO);
}

static void writes_what_it_reads(void **state)
{
	static const char wire[] = "admin.vm.List+x dom0 name work\0payload";
	autobuffer struct buffer b = {0};
	struct request r;

	(void)state;
	assert_int_equal(request_parse(WIRE(wire), &r), 0);
	request_format(&b, &r);
	assert_int_equal(b.size, sizeof(wire) - 1);
	assert_memory_equal(b.at, wire, b.size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_the_format_forbids),
		cmocka_unit_test(takes_requests_apart),
		cmocka_unit_test(holds_to_the_limit),
		cmocka_unit_test(writes_what_it_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

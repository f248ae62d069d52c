/* SPDX-License-Identifier: Apache-2.0 */
#include "qrexec/qrmsg.h"

#include "cmocka_all.h"

#define WIRE(s) ((struct span){(const uint8_t *)(s), sizeof(s) - 1})

#define Z4  "\0\0\0\0"
#define Z16 Z4 Z4 Z4 Z4
#define Z31 Z16 Z4 Z4 Z4 "\0\0\0"
#define Z63 Z31 Z31 "\0"

/* A private copy of exactly its size, for the sanitizer. */
static struct span exact(struct span s)
{
	uint8_t *copy = malloc(s.size ? s.size : 1);

	if (s.size)
		memcpy(copy, s.at, s.size);
	return (struct span){copy, s.size};
}

static void let_go(struct span s)
{
	free((void *)(uintptr_t)s.at);
}

static const struct {
	const char *why;
	struct span wire;
	int want;
} headers[] = {
	{"hello", WIRE("\0\3\0\0\4\0\0\0"), 0},
	{"hello of another size", WIRE("\0\3\0\0\5\0\0\0"), -EPROTO},
	{"an unknown type", WIRE("\4\2\0\0\4\0\0\0"), -EPROTO},
	{"end of input", WIRE("\x90\1\0\0\0\0\0\0"), 0},
	{"a full chunk", WIRE("\x91\1\0\0\0\0\1\0"), 0},
	{"a byte more", WIRE("\x91\1\0\0\1\0\1\0"), -EPROTO},
	{"a size of all bits", WIRE("\x91\1\0\0\xff\xff\xff\xff"), -EPROTO},
	{"half a port", WIRE("\0\2\0\0\x07\0\0\0"), -EPROTO},
	{"the longest command", WIRE("\0\2\0\0\x07\0\1\0"), 0},
	{"a longer one", WIRE("\0\2\0\0\x08\0\1\0"), -EPROTO},
	{"the longest name", WIRE("\x12\2\0\0\x49\xfe\0\0"), 0},
	{"a longer name", WIRE("\x12\2\0\0\x4a\xfe\0\0"), -EPROTO},
};

static void a_header_is_of_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		struct qrmsg_header h = {7, 7};
		int got = qrmsg_header_read(headers[i].wire.at, &h);

		if (got != headers[i].want || (got < 0 && h.type != 7))
			fail_msg("%s: got %d", headers[i].why, got);
	}
}

static const struct {
	const char *why;
	struct span wire;
	int want;
} commands[] = {
	{"empty", WIRE(""), -EPROTO},
	{"ends inside the port", WIRE("\1\0\0\0\2\0\0"), -EPROTO},
	{"no text", WIRE("\1\0\0\0\2\0\0\0"), -EPROTO},
	{"an empty text", WIRE("\1\0\0\0\2\0\0\0\0"), -EPROTO},
	{"no NUL", WIRE("\1\0\0\0\2\0\0\0ab"), -EPROTO},
	{"a NUL inside", WIRE("\1\0\0\0\2\0\0\0a\0b\0"), -EPROTO},
	{"right", WIRE("\1\0\0\0\2\0\0\0ab\0"), 0},
};

static void a_command_has_one_nul_at_its_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		struct span wire = exact(commands[i].wire);
		struct qrmsg_exec e = {.domain = 77};
		int got = qrmsg_exec_read(wire, &e);

		if (got != commands[i].want)
			fail_msg("%s: got %d", commands[i].why, got);
		if (got < 0)
			assert_int_equal(e.domain, 77);
		else
			assert_true(e.domain == 1 && e.port == 2 &&
			            span_is(e.text, "ab"));
		let_go(wire);
	}
}

#define TARGET "work" Z16 Z16 Z16 Z4 Z4 Z4
#define IDENT  "SOCKET11" Z16 Z4 Z4

static const struct {
	const char *why;
	struct span wire;
	int want;
} triggers[] = {
	{"right", WIRE(TARGET IDENT "a.B+c\0"), 0},
	{"no target: policy's default", WIRE(Z63 "\0" IDENT "s\0"), 0},
	{"empty", WIRE(""), -EPROTO},
	{"no service", WIRE(TARGET IDENT), -EPROTO},
	{"an empty service", WIRE(TARGET IDENT "\0"), -EPROTO},
	{"no NUL behind the service", WIRE(TARGET IDENT "ab"), -EPROTO},
	{"a byte behind the service", WIRE(TARGET IDENT "a\0b"), -EPROTO},
	{"a byte behind the target's NUL",
         WIRE("work\0x" Z16 Z16 Z16 Z4 Z4 "\0\0" IDENT "s\0"), -EPROTO},
	{"a target without NUL",
         WIRE("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" IDENT
              "s\0"),
         -EPROTO},
	{"no ident", WIRE(TARGET Z31 "\0s\0"), -EINVAL},
	{"a slash in the ident", WIRE(TARGET "SOCKET1/" Z16 Z4 Z4 "s\0"),
         -EINVAL},
	{"a slash in the target", WIRE("wo/k" Z16 Z16 Z16 Z4 Z4 Z4 IDENT "s\0"),
         -EINVAL},
	{"a service that is an argument", WIRE(TARGET IDENT "+a\0"), -EINVAL},
	{"a blank in the service", WIRE(TARGET IDENT "a b\0"), -EINVAL},
	{"a newline in the service", WIRE(TARGET IDENT "a\n\0"), -EINVAL},
};

static void a_trigger_is_checked_in_every_part(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(triggers); i++) {
		struct span wire = exact(triggers[i].wire);
		struct qrmsg_trigger t = {.ident = {NULL, 77}};
		int got = qrmsg_trigger_read(QRMSG_TRIGGER_SERVICE3, wire, &t);

		if (got != triggers[i].want)
			fail_msg("%s: got %d", triggers[i].why, got);
		if (got < 0)
			assert_int_equal(t.ident.size, 77);
		let_go(wire);
	}
}

/* The body of the one message in a buffer. */
static struct span body(const struct buffer *b, uint32_t type)
{
	struct qrmsg_header h;

	assert_false(b->bad);
	assert_true(b->size >= QRMSG_HEADER_SIZE);
	assert_int_equal(qrmsg_header_read(b->at, &h), 0);
	assert_int_equal(h.type, type);
	assert_int_equal(h.size, b->size - QRMSG_HEADER_SIZE);
	return span_from(buffer_span(b), QRMSG_HEADER_SIZE);
}

static void what_is_written_is_read(void **state)
{
	const struct qrmsg_trigger t = {span_str("src"), span_str("@dispvm:a"),
	                                span_str("SOCKET 1"), span_str("a+b")};
	const struct qrmsg_exec e = {3, 513, span_str("user:QUBESRPC a b")};
	autobuffer struct buffer b = {0};
	struct qrmsg_trigger t2;
	struct qrmsg_exec e2;
	struct span ident;
	uint32_t n;

	(void)state;
	qrmsg_put_trigger(&b, QRMSG_TRIGGER_SERVICE4, &t);
	assert_int_equal(qrmsg_trigger_read(QRMSG_TRIGGER_SERVICE4,
	                                    body(&b, QRMSG_TRIGGER_SERVICE4),
	                                    &t2),
	                 0);
	assert_true(
		span_eq(t.source, t2.source) && span_eq(t.target, t2.target) &&
		span_eq(t.ident, t2.ident) && span_eq(t.service, t2.service));
	buffer_clear(&b);
	qrmsg_put_exec(&b, QRMSG_EXEC_CMDLINE, &e);
	assert_int_equal(qrmsg_exec_read(body(&b, QRMSG_EXEC_CMDLINE), &e2), 0);
	assert_true(e2.domain == 3 && e2.port == 513 &&
	            span_eq(e.text, e2.text));
	buffer_clear(&b);
	qrmsg_put_refused(&b, span_str("SOCKET2"));
	assert_int_equal(
		qrmsg_refused_read(body(&b, QRMSG_SERVICE_REFUSED), &ident), 0);
	assert_true(span_is(ident, "SOCKET2"));
	buffer_clear(&b);
	qrmsg_put_port(&b, QRMSG_CONNECTION_TERMINATED, 9, 514);
	assert_int_equal(
		qrmsg_port_read(body(&b, QRMSG_CONNECTION_TERMINATED), &e2), 0);
	assert_true(e2.domain == 9 && e2.port == 514);
	buffer_clear(&b);
	qrmsg_put_number(&b, QRMSG_HELLO, 3);
	assert_int_equal(qrmsg_number_read(body(&b, QRMSG_HELLO), &n), 0);
	assert_int_equal(n, 3);
	buffer_clear(&b);
	qrmsg_put_data(&b, QRMSG_DATA_STDERR, span_str("oh"));
	assert_true(span_is(body(&b, QRMSG_DATA_STDERR), "oh"));
}

static void the_lower_version_is_spoken(void **state)
{
	(void)state;
	assert_int_equal(qrmsg_version(1), -EPROTONOSUPPORT);
	assert_int_equal(qrmsg_version(2), 2);
	assert_int_equal(qrmsg_version(3), 3);
	assert_int_equal(qrmsg_version(UINT32_MAX), QRMSG_VERSION);
	assert_int_equal(qrmsg_chunk(2), 4096);
	assert_int_equal(qrmsg_chunk(3), 65536);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_is_of_the_table),
		cmocka_unit_test(a_command_has_one_nul_at_its_end),
		cmocka_unit_test(a_trigger_is_checked_in_every_part),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(the_lower_version_is_spoken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

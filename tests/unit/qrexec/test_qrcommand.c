/* SPDX-License-Identifier: Apache-2.0 */
#include "qrexec/qrcommand.h"

#include "cmocka_all.h"

static const char *const good[] = {
	"user:ls -l /",
	"DEFAULT:nogui:QUBESRPC qubes.VMShell dom0",
	"user:QUBESRPC a+b work",
	"root:QUBESRPC a+ work name dom0",
	"user:QUBESRPC a work keyword @adminvm",
};

static const struct {
	const char *why;
	const char *text;
	int want;
} refused[] = {
	{"empty", "", -EPROTO},
	{"no user", "ls", -EPROTO},
	{"an empty user", ":ls", -EPROTO},
	{"no command", "user:", -EPROTO},
	{"no command behind nogui", "user:nogui:", -EPROTO},
	{"a user with a slash", "../x:ls", -EINVAL},
	{"no source", "user:QUBESRPC a", -EINVAL},
	{"a source with a slash", "user:QUBESRPC a b/c", -EINVAL},
	{"a service with a dollar", "user:QUBESRPC a$b c", -EINVAL},
	{"a kind without a target", "user:QUBESRPC a b name", -EPROTO},
	{"an unknown kind", "user:QUBESRPC a b tag c", -EPROTO},
	{"words left over", "user:QUBESRPC a b name c d", -EINVAL},
};

static void what_is_read_is_written_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		autobuffer struct buffer b = {0};
		struct qrcommand c;

		if (qrcommand_read(span_str(good[i]), &c) < 0)
			fail_msg("refused: %s", good[i]);
		qrcommand_write(&c, &b);
		assert_true(span_is(buffer_span(&b), good[i]));
	}
}

static void parts_are_told_apart(void **state)
{
	struct qrcommand c;

	(void)state;
	assert_int_equal(qrcommand_read(span_str(good[4]), &c), 0);
	assert_true(c.service && !c.nogui);
	assert_true(span_is(c.user, "user") && span_is(c.full, "a"));
	assert_true(span_is(c.source, "work") && span_is(c.kind, "keyword"));
	assert_true(span_is(c.target, "@adminvm"));
	assert_int_equal(qrcommand_read(span_str(good[0]), &c), 0);
	assert_true(!c.service && span_is(c.command, "ls -l /"));
}

static void others_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct qrcommand c = {.nogui = true};
		int got = qrcommand_read(span_str(refused[i].text), &c);

		if (got != refused[i].want || !c.nogui)
			fail_msg("%s: got %d", refused[i].why, got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_written_back),
		cmocka_unit_test(parts_are_told_apart),
		cmocka_unit_test(others_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

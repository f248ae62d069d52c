/* SPDX-License-Identifier: Apache-2.0 */
#include "qrexec/rpcconfig.h"

#include <errno.h>
#include <stdlib.h>

#include "cmocka_all.h"

/* Parses a copy that fills its allocation exactly. */
static int parse(const char *text, struct rpcconfig *c, uint32_t *line)
{
	size_t size = strlen(text);
	autofree uint8_t *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	memcpy(copy, text, size);
	return rpcconfig_parse((struct span){copy, size}, c, line);
}

static const struct {
	const char *why;
	const char *text;
	uint32_t line;
} refused[] = {
	{"no value", "wait-for-session =", 1},
	{"no equals sign", "wait-for-session true", 1},
	{"no key", "= true", 1},
	{"a section", "[service]", 1},
	{"text for a boolean", "wait-for-session = 'true'", 1},
	{"boolean for a text", "force-user = true", 1},
	{"number for a boolean", "exit-on-client-eof = 1", 1},
	{"another number", "wait-for-session = 2", 1},
	{"double quotes", "force-user = \"root\"", 1},
	{"text that does not end", "force-user = 'root", 1},
	{"text over two lines", "force-user = 'ro\not'", 1},
	{"a user that is a path", "force-user = '../x'", 1},
	{"something behind the value", "wait-for-session = true false", 1},
	{"a key twice", "force-user = 'a'\n\nforce-user = 'b'", 3},
	{"an unknown key twice", "# first\nx = 1\nx = 2", 3},
	{"an unknown key without value", "x =", 1},
	{"a carriage return", "wait-for-session = true\r\n", 1},
	{"a user of 64 letters",
         "force-user = "
         "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'",
         1},
};

static void refuses_what_is_not_a_configuration(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct rpcconfig c = {.unknown = 77};
		uint32_t line = 0;

		if (parse(refused[i].text, &c, &line) != -EINVAL)
			fail_msg("%s: accepted", refused[i].why);
		if (line != refused[i].line)
			fail_msg("%s: line %u", refused[i].why, line);
		assert_int_equal(c.unknown, 77); /* untouched on failure */
	}
}

static void reads_all_keys(void **state)
{
	struct rpcconfig c;
	uint32_t line;

	(void)state;
	assert_int_equal(parse("", &c, &line), 0);
	assert_false(c.wait_for_session || c.skip_service_descriptor ||
	             c.exit_on_client_eof || c.exit_on_service_eof);
	assert_string_equal(c.force_user, "");
	assert_int_equal(parse("# all there is\n"
	                       "wait-for-session=1\n"
	                       "\tskip-service-descriptor = true # yes\n"
	                       "exit-on-client-eof\t=\ttrue\n\n"
	                       "exit-on-service-eof = false\n"
	                       "force-user = 'www-data'#it\n"
	                       "more = 'of # this'\n"
	                       "and-of_that = 17",
	                       &c, &line),
	                 0);
	assert_true(c.wait_for_session && c.skip_service_descriptor);
	assert_true(c.exit_on_client_eof && !c.exit_on_service_eof);
	assert_string_equal(c.force_user, "www-data");
	assert_int_equal(c.unknown, 2);
}

static void a_large_file_is_refused(void **state)
{
	static char text[RPCCONFIG_SIZE_MAX + 2];
	struct rpcconfig c;
	uint32_t line;

	(void)state;
	memset(text, '\n', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(parse(text, &c, &line), -EINVAL);
	assert_int_equal(parse(text + 1, &c, &line), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_not_a_configuration),
		cmocka_unit_test(reads_all_keys),
		cmocka_unit_test(a_large_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/launch.h"

#include "cmocka_all.h"

/* A list of strings from a literal with a NUL behind each. */
#define LIST(n, s) \
	((struct launch_list){(n), {(const uint8_t *)(s), sizeof(s) - 1}})
#define EMPTY ((struct span){NULL, 0})

static struct launch usual(void)
{
	return (struct launch){
		.flags = LAUNCH_VERBOSE,
		.memory = 1 << 20,
		.tasks = 100,
		.stream = {LAUNCH_DESCRIPTOR, LAUNCH_TERMINAL, LAUNCH_CLOSED},
		.rows = 24,
		.columns = 80,
		.user = span_str("user"),
		.cwd = span_str("/home/user"),
		.trace = EMPTY,
		.args = LIST(2, "ls\0-l\0"),
		.env = LIST(1, "A=b\0"),
		.template_count = 2,
		.template = {{span_str("usr"), EMPTY},
	                     {span_str("bin"), span_str("usr/bin")}},
		.share_count = 1,
		.share = {{LAUNCH_SHARE_WRITABLE, span_str("/work")}},
	};
}

static void what_was_written_is_read(void **state)
{
	static struct launch l, got;
	autofree uint8_t *wire = NULL;
	size_t size;

	(void)state;
	l = usual();
	assert_int_equal(launch_format(&l, &wire, &size), 0);
	assert_int_equal(launch_parse((struct span){wire, size}, &got), 0);
	assert_int_equal(got.flags, l.flags);
	assert_int_equal(got.memory, l.memory);
	assert_int_equal(got.tasks, l.tasks);
	assert_memory_equal(got.stream, l.stream, sizeof(l.stream));
	assert_int_equal(got.columns, 80);
	assert_true(span_is(got.user, "user"));
	assert_int_equal(got.args.count, 2);
	assert_true(span_eq(got.args.packed, l.args.packed));
	assert_true(span_is(got.template[1].link, "usr/bin"));
	assert_true(span_is(got.share[0].at, "/work"));
	assert_int_equal(wire[LAUNCH_AT_FLAGS], l.flags);
}

static void a_record_cut_anywhere_is_refused(void **state)
{
	static struct launch l, got = {.tasks = 77};
	autofree uint8_t *wire = NULL;
	size_t size;

	(void)state;
	l = usual();
	assert_int_equal(launch_format(&l, &wire, &size), 0);
	for (size_t n = 0; n < size; n++) {
		autofree uint8_t *cut = malloc(n + 1);

		memcpy(cut, wire, n);
		assert_int_equal(launch_parse((struct span){cut, n}, &got),
		                 -EPROTO);
	}
	assert_int_equal(got.tasks, 77);
}

static void no_flag(struct launch *l)
{
	l->flags = 1u << 20;
}

static void no_memory(struct launch *l)
{
	l->memory = 0;
}

static void no_tasks(struct launch *l)
{
	l->tasks = 0;
}

static void no_stream(struct launch *l)
{
	l->stream[2] = LAUNCH_TERMINAL + 1;
}

static void no_user(struct launch *l)
{
	l->user = EMPTY;
}

static void relative_cwd(struct launch *l)
{
	l->cwd = span_str("home");
}

static void no_args(struct launch *l)
{
	l->args = LIST(0, "");
}

static void too_few_args(struct launch *l)
{
	l->args = LIST(3, "ls\0-l\0");
}

static void unended_args(struct launch *l)
{
	l->args = (struct launch_list){1, span_str("ls")};
}

static void slash_in_template(struct launch *l)
{
	l->template[0].name = span_str("usr/bin");
}

static void parent_as_template(struct launch *l)
{
	l->template[0].name = span_str("..");
}

static void share_above(struct launch *l)
{
	l->share[0].at = span_str("/a/../b");
}

static void share_of_root(struct launch *l)
{
	l->share[0].at = span_str("/");
}

static void share_flag(struct launch *l)
{
	l->share[0].flags = 8;
}

static void many_shares(struct launch *l)
{
	l->share_count = LAUNCH_SHARES + 1;
}

static const struct {
	const char *why;
	void (*spoil)(struct launch *l);
} refused[] = {
	{"unknown flag", no_flag},
	{"no memory", no_memory},
	{"no tasks", no_tasks},
	{"unknown kind of stream", no_stream},
	{"no user", no_user},
	{"relative folder", relative_cwd},
	{"nothing to run", no_args},
	{"fewer arguments than said", too_few_args},
	{"an argument without its end", unended_args},
	{"a template with a slash", slash_in_template},
	{"a template that is a parent", parent_as_template},
	{"a share above", share_above},
	{"a share over everything", share_of_root},
	{"unknown flag of a share", share_flag},
	{"too many shares", many_shares},
};

static void what_makes_no_sense_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct launch l = usual();
		uint8_t *wire = NULL;
		size_t size;

		refused[i].spoil(&l);
		if (launch_format(&l, &wire, &size) != -EINVAL)
			fail_msg("%s", refused[i].why);
		assert_null(wire);
	}
}

static void descriptors_are_counted(void **state)
{
	struct launch l = usual();

	(void)state;
	/* cell, one stream, the terminal, the trace, usr, the share */
	assert_int_equal(launch_descriptors(&l), 6);
	l.flags = 0;
	l.stream[1] = LAUNCH_CLOSED;
	assert_int_equal(launch_descriptors(&l), 4);
}

static void paths_are_checked(void **state)
{
	static const char *const good[] = {"/", "/a", "/a/b", "/...", "/.a"};
	static const char *const bad[] = {"",      "a",    "//",   "/a/",
	                                  "/a//b", "/./a", "/a/.", "/.."};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!launch_path_ok(span_str(good[i])))
			fail_msg("refused %s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (launch_path_ok(span_str(bad[i])))
			fail_msg("accepted %s", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(a_record_cut_anywhere_is_refused),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(descriptors_are_counted),
		cmocka_unit_test(paths_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

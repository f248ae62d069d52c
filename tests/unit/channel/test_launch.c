/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/launch.h"

#include "cmocka_all.h"

#define EMPTY ((struct span){NULL, 0})

static struct launch usual(void)
{
	return (struct launch){
		.flags = LAUNCH_VERBOSE | LAUNCH_LISTEN,
		.memory = 1 << 20,
		.tasks = 100,
		.name = span_str("work"),
		.trace = EMPTY,
		.mount_count = 6,
		.mount =
			{
				{LAUNCH_TEMPLATE, 0, 1, span_str("/usr"),
	                         EMPTY},
				{LAUNCH_LINK, 0, 0, span_str("/bin"),
	                         span_str("usr/bin")},
				{LAUNCH_VOLATILE, 0, 0, span_str("/"), EMPTY},
				{LAUNCH_VOLUME, LAUNCH_MOUNT_WRITABLE, 2,
	                         span_str("/rw"), span_str("private")},
				{LAUNCH_BIND, 0, 0, span_str("/home"),
	                         span_str("/rw/home")},
				{LAUNCH_SHARE, LAUNCH_MOUNT_WRITABLE, 1,
	                         span_str("/work"), EMPTY},
			},
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
	assert_true(span_is(got.name, "work"));
	assert_int_equal(got.mount_count, 6);
	assert_true(span_is(got.mount[1].from, "usr/bin"));
	assert_int_equal(got.mount[3].kind, LAUNCH_VOLUME);
	assert_int_equal(got.mount[3].fds, 2);
	assert_true(span_is(got.mount[5].at, "/work"));
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

static void no_name(struct launch *l)
{
	l->name = EMPTY;
}

static void name_with_slash(struct launch *l)
{
	l->name = span_str("a/b");
}

static void no_kind(struct launch *l)
{
	l->mount[0].kind = LAUNCH_TOOLS + 1;
}

static void deep_template(struct launch *l)
{
	l->mount[0].at = span_str("/usr/bin");
}

static void template_without(struct launch *l)
{
	l->mount[0].fds = 0;
}

static void link_to_nothing(struct launch *l)
{
	l->mount[1].from = EMPTY;
}

static void two_uppers(struct launch *l)
{
	l->mount[3].at = span_str("/");
	l->mount[5] = l->mount[3];
}

static void image_and_template(struct launch *l)
{
	l->mount[2].kind = LAUNCH_IMAGE;
	l->mount[2].fds = 1;
}

static void bind_of_relative(struct launch *l)
{
	l->mount[4].from = span_str("rw/home");
}

static void share_above(struct launch *l)
{
	l->mount[5].at = span_str("/a/../b");
}

static void share_of_root(struct launch *l)
{
	l->mount[5].at = span_str("/");
}

static void share_flag(struct launch *l)
{
	l->mount[5].flags = 8;
}

static void many_descriptors(struct launch *l)
{
	l->mount[3].fds = LAUNCH_MOUNT_FDS + 1;
}

static void many_mounts(struct launch *l)
{
	l->mount_count = LAUNCH_MOUNTS + 1;
}

static const struct {
	const char *why;
	void (*spoil)(struct launch *l);
} refused[] = {
	{"unknown flag", no_flag},
	{"no memory", no_memory},
	{"no tasks", no_tasks},
	{"no name", no_name},
	{"a name that is a path", name_with_slash},
	{"unknown kind of mount", no_kind},
	{"a template that is not below /", deep_template},
	{"a template without a folder", template_without},
	{"a link to nothing", link_to_nothing},
	{"two places to write to", two_uppers},
	{"an image and a template", image_and_template},
	{"a bind of a relative path", bind_of_relative},
	{"a share above", share_above},
	{"a share over everything", share_of_root},
	{"unknown flag of a share", share_flag},
	{"too many descriptors", many_descriptors},
	{"too many mounts", many_mounts},
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
	static struct launch l;

	(void)state;
	l = usual();
	/* cell, socket, trace, usr, two of the volume, the share */
	assert_int_equal(launch_descriptors(&l), 7);
	l.flags = 0;
	l.mount_count = 2;
	assert_int_equal(launch_descriptors(&l), 2);
}

static void mounts_are_added_as_far_as_there_is_room(void **state)
{
	static struct launch l;
	struct launch_mount m = {LAUNCH_VOLATILE, 0, 0, span_str("/x"), EMPTY};

	(void)state;
	for (uint32_t i = 0; i < LAUNCH_MOUNTS; i++)
		assert_int_equal(launch_add(&l, &m), 0);
	assert_int_equal(launch_add(&l, &m), -E2BIG);
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
		cmocka_unit_test(mounts_are_added_as_far_as_there_is_room),
		cmocka_unit_test(paths_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

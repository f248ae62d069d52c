/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/share.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cmocka_all.h"

struct bed {
	char dir[64];
	char text[4][128];
	struct shares shares;
	struct fault f;
};

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	int fd;

	(void)snprintf(b->dir, sizeof(b->dir), "/tmp/bento-share.XXXXXX");
	if (!mkdtemp(b->dir))
		return -1;
	(void)snprintf(b->text[0], sizeof(b->text[0]), "%s/a", b->dir);
	(void)snprintf(b->text[1], sizeof(b->text[1]), "%s/b:c", b->dir);
	(void)snprintf(b->text[2], sizeof(b->text[2]), "%s/file", b->dir);
	if (mkdir(b->text[0], 0700) < 0 || mkdir(b->text[1], 0700) < 0)
		return -1;
	fd = open(b->text[2], O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	close(fd);
	share_init(&b->shares);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	share_fini(&b->shares);
	(void)rmdir(b->text[0]);
	(void)rmdir(b->text[1]);
	(void)unlink(b->text[2]);
	(void)rmdir(b->dir);
	free(b);
	return 0;
}

static int add(struct bed *b, const char *fmt, bool writable)
{
	char what[256];

	/* The format is a literal of this file. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(what, sizeof(what), fmt, b->dir);
#pragma GCC diagnostic pop
	return share_add(&b->shares, what, writable, &b->f);
}

static void shares_appear_where_they_are_or_were_asked_for(void **state)
{
	struct bed *b = *state;
	char at[LAUNCH_PATH_MAX + 1];

	assert_int_equal(add(b, "%s/a", true), 0);
	assert_string_equal(b->shares.share[0].at, b->text[0]);
	assert_true(b->shares.share[0].writable);
	assert_int_equal(add(b, "%s/b\\:c:/x/y", false), 0);
	assert_string_equal(b->shares.share[1].at, "/x/y");
	assert_int_equal(add(b, "%s/file:/etc/f", false), 0);
	assert_true(b->shares.share[2].file);

	assert_true(share_covers(&b->shares, b->text[1], at));
	assert_string_equal(at, "/x/y");
	assert_false(share_covers(&b->shares, b->dir, at));
	assert_false(share_covers(&b->shares, "/", at));
}

static const struct {
	const char *why;
	const char *what;
	int want;
} refused[] = {
	{"not there", "%s/none", -ENOENT},
	{"nothing", "", -EINVAL},
	{"no path before the colon", ":/x", -EINVAL},
	{"all of the machine", "/", -EINVAL},
	{"all of it by another name", "/tmp/..", -EINVAL},
	{"a relative place", "%s/a:x", -EINVAL},
	{"an empty place", "%s/a:", -EINVAL},
	{"a place above", "%s/a:/x/../y", -EINVAL},
	{"over everything", "%s/a:/", -EINVAL},
	{"over the qube's /proc", "%s/a:/proc", -EINVAL},
	{"in the qube's /dev", "%s/a:/dev/x", -EINVAL},
	{"a device", "/dev/zero", -EINVAL},
};

static void what_cannot_be_shared_is_refused(void **state)
{
	struct bed *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		int got = add(b, refused[i].what, false);

		if (got != refused[i].want)
			fail_msg("%s: got %d", refused[i].why, got);
		assert_int_equal(b->shares.count, 0);
	}
	assert_int_equal(add(b, "%s/a:/proc-like", false), 0);
}

static void nothing_is_shared_twice(void **state)
{
	struct bed *b = *state;

	assert_int_equal(add(b, "%s/a", true), 0);
	assert_int_equal(add(b, "%s/a:/else", false), -EEXIST);
	assert_int_equal(add(b, "%s/../a/.", false), -ENOENT);
	assert_int_equal(add(b, "%s/a/../a:/else", false), -EEXIST);
	assert_int_equal(add(b, "%s/b\\:c:/x", false), 0);
	assert_int_equal(add(b, "%s/file:/x", false), -EEXIST);
	assert_int_equal(b->shares.count, 2);
}

#define WITH_BED(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BED(shares_appear_where_they_are_or_were_asked_for),
		WITH_BED(what_cannot_be_shared_is_refused),
		WITH_BED(nothing_is_shared_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

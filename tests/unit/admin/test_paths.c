/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/paths.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cmocka_all.h"

static void follows_the_environment(void **state)
{
	struct paths p;
	struct fault f;
	char own[64];

	(void)state;
	(void)setenv("HOME", "/h", 1);
	(void)setenv("XDG_DATA_HOME", "/d", 1);
	(void)setenv("XDG_STATE_HOME", "relative", 1); /* to be ignored */
	(void)unsetenv("XDG_RUNTIME_DIR");
	assert_int_equal(paths_find(&p, &f), 0);
	assert_string_equal(p.at[PATHS_DATA], "/d/bento");
	assert_string_equal(p.at[PATHS_STATE], "/h/.local/state/bento");
	(void)snprintf(own, sizeof(own), "/tmp/bento-%u", geteuid());
	assert_string_equal(p.at[PATHS_RUNTIME], own);
	(void)setenv("XDG_RUNTIME_DIR", "/r", 1);
	assert_int_equal(paths_find(&p, &f), 0);
	assert_string_equal(p.at[PATHS_RUNTIME], "/r/bento");
}

static void makes_folders_for_us_alone(void **state)
{
	char top[] = "/tmp/bento-paths.XXXXXX";
	struct paths p = {0};
	struct fault f;
	struct stat st;
	int fd, below;

	(void)state;
	assert_non_null(mkdtemp(top));
	(void)snprintf(p.at[PATHS_DATA], PATHS_MAX, "%s/a/b/bento", top);
	fd = paths_open(&p, PATHS_DATA, &f);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	below = paths_open_below(fd, "log", &f);
	assert_true(below >= 0);
	close(below);

	/* Others may write there: no. */
	assert_int_equal(fchmod(fd, 0770), 0);
	assert_int_equal(paths_open(&p, PATHS_DATA, &f), -EPERM);
	assert_non_null(strstr(f.text, "chmod 700"));
	assert_int_equal(fchmod(fd, 0700), 0);

	/* A link is not followed. */
	assert_int_equal(symlinkat("log", fd, "link"), 0);
	assert_true(paths_open_below(fd, "link", &f) < 0);
	assert_int_equal(unlinkat(fd, "link", 0), 0);
	assert_int_equal(unlinkat(fd, "log", AT_REMOVEDIR), 0);
	close(fd);
	for (char *slash = p.at[PATHS_DATA]; slash;) {
		assert_int_equal(rmdir(p.at[PATHS_DATA]), 0);
		if (strcmp(p.at[PATHS_DATA], top) == 0)
			break;
		slash = strrchr(p.at[PATHS_DATA], '/');
		*slash = '\0';
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_the_environment),
		cmocka_unit_test(makes_folders_for_us_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

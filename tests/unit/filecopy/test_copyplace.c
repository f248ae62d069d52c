/* SPDX-License-Identifier: Apache-2.0 */
#include "filecopy/copyplace.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cmocka_all.h"
#include "filecopy/copybed.h"

#define DEEP 8192u

static int bed_init(void **state)
{
	struct copybed *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	copybed_init(b);
	*state = b;
	return 0;
}

static int bed_fini(void **state)
{
	copybed_fini(*state);
	free(*state);
	return 0;
}

static int make(struct copyplace *p, const char *name, const char *text)
{
	struct copyplace_file file;
	const char *last;
	int folder = copyplace_enter(p, name, &last);
	int err;

	if (folder < 0)
		return folder;
	err = copyplace_create(p, folder, &file);
	if (err < 0)
		return err;
	assert_int_equal(write(file.fd, text, strlen(text)), strlen(text));
	err = copyplace_keep(p, folder, last, &file);
	if (err < 0)
		copyplace_drop(folder, &file);
	assert_int_equal(file.fd, -1);
	return err;
}

/* With /proc, and without: then files have hidden names first. */
static void files_are_made_and_never_replaced(void **state)
{
	struct copybed *b = *state;

	for (int proc = 0; proc < 2; proc++) {
		struct copyplace p;
		const char *name = proc ? "sub/one" : "sub/two";

		(void)mkdirat(b->folder, "sub", 0700);
		assert_int_equal(
			copyplace_init(&p, b->folder, proc ? b->proc : -1), 0);
		assert_int_equal(make(&p, name, "text"), 0);
		assert_int_equal(make(&p, name, "other"), -EEXIST);
		copybed_has(b->folder, name, "text");
		assert_int_equal(p.named, !proc);
		copyplace_fini(&p);
	}
	/* Nothing with a hidden name has stayed. */
	assert_int_equal(copybed_count(b->folder, "sub"), 2);
}

static void an_unfinished_file_has_no_name(void **state)
{
	struct copybed *b = *state;

	for (int proc = 0; proc < 2; proc++) {
		struct copyplace_file file;
		struct copyplace p;
		const char *last;
		int folder;

		assert_int_equal(
			copyplace_init(&p, b->folder, proc ? b->proc : -1), 0);
		folder = copyplace_enter(&p, "one", &last);
		assert_int_equal(folder, b->folder);
		assert_int_equal(copyplace_create(&p, folder, &file), 0);
		assert_int_equal(
			faccessat(folder, "one", F_OK, AT_SYMLINK_NOFOLLOW),
			-1);
		assert_int_equal(copybed_count(b->folder, "."), !proc);
		copyplace_drop(folder, &file);
		assert_int_equal(copybed_count(b->folder, "."), 0);
		copyplace_fini(&p);
	}
}

static void no_link_is_followed(void **state)
{
	struct copybed *b = *state;
	struct copyplace p;

	assert_int_equal(copyplace_init(&p, b->folder, b->proc), 0);
	assert_int_equal(mkdirat(b->around, "outside", 0700), 0);
	assert_int_equal(symlinkat("../outside", b->folder, "out"), 0);
	assert_int_equal(mkdirat(b->folder, "sub", 0700), 0);
	assert_int_equal(symlinkat("sub", b->folder, "same"), 0);
	assert_int_equal(symlinkat("../x", b->folder, "sub/file"), 0);

	assert_int_equal(make(&p, "out/x", "text"), -ENOTDIR);
	assert_int_equal(make(&p, "same/x", "text"), -ENOTDIR);
	assert_int_equal(make(&p, "sub/../x", "text"), -EINVAL);
	assert_int_equal(make(&p, "sub/file", "text"), -EEXIST);
	assert_int_equal(make(&p, "none/x", "text"), -ENOENT);
	assert_int_equal(make(&p, "sub/file/x", "text"), -ENOTDIR);
	assert_int_equal(copybed_count(b->around, "outside"), 0);
	copyplace_fini(&p);
}

/* Whoever swaps the folder in use for a link moves files along with it. */
static void a_folder_that_is_swapped_leads_nowhere(void **state)
{
	struct copybed *b = *state;
	struct copyplace p;

	assert_int_equal(copyplace_init(&p, b->folder, b->proc), 0);
	assert_int_equal(mkdirat(b->around, "outside", 0700), 0);
	assert_int_equal(mkdirat(b->folder, "sub", 0700), 0);
	assert_int_equal(mkdirat(b->folder, "sub/deep", 0700), 0);
	assert_int_equal(make(&p, "sub/one", "text"), 0);

	assert_int_equal(renameat(b->folder, "sub", b->folder, "moved"), 0);
	assert_int_equal(symlinkat("../outside", b->folder, "sub"), 0);
	assert_int_equal(make(&p, "sub/two", "text"), 0);
	copybed_has(b->folder, "moved/two", "text");
	assert_int_equal(make(&p, "sub/deep/three", "text"), 0);
	copybed_has(b->folder, "moved/deep/three", "text");
	/* Once it has to look again, it finds the link. */
	assert_int_equal(make(&p, "four", "text"), 0);
	assert_int_equal(make(&p, "sub/five", "text"), -ENOTDIR);
	assert_int_equal(copybed_count(b->around, "outside"), 0);
	copyplace_fini(&p);
}

static void paths_may_be_longer_than_the_host_takes(void **state)
{
	struct copybed *b = *state;
	autofree char *path = calloc(1, DEEP);
	struct copyplace p;
	const char *last;
	int folder;

	assert_non_null(path);
	assert_int_equal(copyplace_init(&p, b->folder, b->proc), 0);
	for (int i = 0; i < 40; i++) {
		size_t len = strlen(path);

		memset(path + len, 'a', 200);
		path[len + 200] = '\0';
		folder = copyplace_enter(&p, path, &last);
		assert_true(folder >= 0);
		assert_int_equal(mkdirat(folder, last, 0700), 0);
		strcat(path, "/");
	}
	strcat(path, "file");
	assert_int_equal(make(&p, path, "text"), 0);
	assert_int_equal(make(&p, "file", "text"), 0);
	assert_int_equal(make(&p, path, "text"), -EEXIST);

	memset(path, 'b', 300);
	memcpy(path + 300, "/x", sizeof("/x"));
	assert_int_equal(make(&p, path, "text"), -ENAMETOOLONG);
	copyplace_fini(&p);
}

static void take_apart(struct copybed *b)
{
	char one[201];
	int at = dup(b->folder);

	memset(one, 'a', 200);
	one[200] = '\0';
	for (;;) {
		int next = openat(at, one, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (next < 0)
			break;
		(void)unlinkat(next, "file", 0);
		/* All that is below comes up one level. */
		if (renameat(next, one, b->folder, "rest") < 0) {
			close(next);
			(void)unlinkat(at, one, AT_REMOVEDIR);
			break;
		}
		assert_int_equal(unlinkat(at, one, AT_REMOVEDIR), 0);
		assert_int_equal(renameat(b->folder, "rest", b->folder, one),
		                 0);
		close(next);
	}
	close(at);
}

static int deep_fini(void **state)
{
	take_apart(*state);
	return bed_fini(state);
}

int main(void)
{
#define WITH_BED(name) cmocka_unit_test_setup_teardown(name, bed_init, bed_fini)
	const struct CMUnitTest tests[] = {
		WITH_BED(files_are_made_and_never_replaced),
		WITH_BED(an_unfinished_file_has_no_name),
		WITH_BED(no_link_is_followed),
		WITH_BED(a_folder_that_is_swapped_leads_nowhere),
		cmocka_unit_test_setup_teardown(
			paths_may_be_longer_than_the_host_takes, bed_init,
			deep_fini),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

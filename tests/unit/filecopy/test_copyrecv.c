/* SPDX-License-Identifier: Apache-2.0 */
#include "filecopy/copyrecv.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "cmocka_all.h"
#include "filecopy/copybed.h"

#define FILE_ (S_IFREG | 0644)
#define LINK  (S_IFLNK | 0777)
#define DIR_  (S_IFDIR | 0755)

static const struct copyrecv_job plain;

struct bench {
	struct copybed bed;
	struct buffer wire;
	struct copybed_result r;
};

static int bench_init(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	copybed_init(&b->bed);
	*state = b;
	return 0;
}

static int bench_fini(void **state)
{
	struct bench *b = *state;

	copybed_fini(&b->bed);
	buffer_fini(&b->wire);
	free(b);
	return 0;
}

static void receive(struct bench *b)
{
	copybed_receive(&b->bed, &b->wire, &plain, &b->r);
}

static void a_tree_arrives(void **state)
{
	struct bench *b = *state;
	struct stat st;
	char link[64] = {0};

	copybed_put_file(&b->wire, FILE_, "plain", "text");
	copybed_put_file(&b->wire, S_IFREG | 0600, "empty", "");
	copybed_put(&b->wire, DIR_, "dir", 0);
	copybed_put_file(&b->wire, S_IFREG | 07755, "dir/prog", "#!");
	copybed_put(&b->wire, S_IFDIR | 0500, "dir/sub", 0);
	copybed_put_file(&b->wire, LINK, "dir/sub/link", "../prog");
	copybed_put(&b->wire, S_IFDIR | 0500, "dir/sub", 0);
	copybed_put(&b->wire, DIR_, "dir", 0);
	copybed_put_end(&b->wire);
	receive(b);

	assert_int_equal(b->r.got, 0);
	assert_int_equal(b->r.wire.crc,
	                 crc32(0, b->wire.at, (uInt)b->wire.size));
	assert_string_equal(b->r.name, "dir");
	assert_int_equal(b->r.count.files, 6);
	assert_int_equal(b->r.count.bytes, 4 + 2 + 7);

	assert_int_equal(fstatat(b->bed.folder, "dir/prog", &st, 0), 0);
	copybed_has(b->bed.folder, "plain", "text");
	copybed_has(b->bed.folder, "empty", "");
	copybed_has(b->bed.folder, "dir/prog", "#!");
	assert_int_equal(st.st_mode, S_IFREG | 0755); /* no set-user-ID */
	assert_int_equal(st.st_mtim.tv_sec, 1100000000);
	assert_int_equal(st.st_mtim.tv_nsec, 6);
	assert_int_equal(st.st_atim.tv_sec, 1000000000);
	assert_int_equal(fstatat(b->bed.folder, "dir/sub", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0500);
	assert_int_equal(st.st_mtim.tv_sec, 1100000000);
	assert_int_equal(readlinkat(b->bed.folder, "dir/sub/link", link,
	                            sizeof(link) - 1),
	                 7);
	assert_string_equal(link, "../prog");
	assert_int_equal(copybed_count(b->bed.around, "."), 1);
}

/* Each a stream of one entry, and what is answered. */
static const struct {
	const char *why;
	uint32_t mode;
	const char *name;
	const char *content;
	int want;
} refused[] = {
	{"absolute", FILE_, "/tmp/x", "", -EINVAL},
	{"above", FILE_, "../x", "", -EINVAL},
	{"above, within", FILE_, "a/../../x", "", -EINVAL},
	{"a slash behind", FILE_, "x/", "", -EINVAL},
	{"an escape", FILE_, "\033", "", -EILSEQ},
	{"a pipe", S_IFIFO | 0644, "x", "", -EINVAL},
	{"a device", S_IFCHR | 0644, "x", "", -EINVAL},
	{"no folder", FILE_, "none/x", "", -ENOENT},
	{"a folder above", DIR_, "..", "", -EINVAL},
	{"a folder in none", DIR_, "none/x", "", -ENOENT},
	{"a link by itself", LINK, "x", "y", -ENOLINK},
	{"a link out", LINK, "dir/x", "../../y", -ENOLINK},
	{"an absolute link", LINK, "dir/x", "/etc", -ENOLINK},
	{"a link to nothing", LINK, "dir/x", "", -EINVAL},
	{"through a link", FILE_, "out/x", "", -ENOTDIR},
	{"a folder through a link", DIR_, "out/x", "", -ENOTDIR},
	{"a link through a link", LINK, "out/x", "y", -ENOTDIR},
	{"a file that is there", FILE_, "old", "new", -EEXIST},
	{"a link that is there", FILE_, "out", "new", -EEXIST},
	{"a folder that is there", FILE_, "dir", "new", -EEXIST},
	{"a folder where a file is", DIR_, "old", "", -EEXIST},
	{"a folder where a link is", DIR_, "out", "", -EEXIST},
	{"a link where a file is", LINK, "dir/old", "x", -EEXIST},
	{"below a file", FILE_, "old/x", "", -ENOTDIR},
};

static void what_is_refused_leaves_all_as_it_was(void **state)
{
	struct bench *b = *state;
	int folder = b->bed.folder;

	assert_int_equal(mkdirat(b->bed.around, "outside", 0700), 0);
	assert_int_equal(symlinkat("../outside", folder, "out"), 0);
	copybed_put_file(&b->wire, FILE_, "old", "old");
	copybed_put(&b->wire, DIR_, "dir", 0);
	copybed_put_file(&b->wire, FILE_, "dir/old", "old");
	copybed_put_end(&b->wire);
	receive(b);
	assert_int_equal(b->r.got, 0);

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		buffer_clear(&b->wire);
		copybed_put_file(&b->wire, refused[i].mode, refused[i].name,
		                 refused[i].content);
		copybed_put_end(&b->wire);
		receive(b);
		if (b->r.got != refused[i].want)
			fail_msg("%s: %d", refused[i].why, b->r.got);
		assert_true(b->r.fault.text[0] != '\0');
		assert_null(strchr(b->r.fault.text, '\033'));
	}
	copybed_has(folder, "old", "old");
	copybed_has(folder, "dir/old", "old");
	assert_int_equal(copybed_count(folder, "."), 3);
	assert_int_equal(copybed_count(folder, "dir"), 1);
	assert_int_equal(copybed_count(b->bed.around, "outside"), 0);
}

static void a_nul_in_a_name_is_refused(void **state)
{
	struct bench *b = *state;

	copybed_put(&b->wire, FILE_, "abc", 0);
	b->wire.at[COPYWIRE_HEADER_SIZE + 1] = 0;
	receive(b);
	assert_int_equal(b->r.got, -EINVAL);

	buffer_clear(&b->wire);
	copybed_put(&b->wire, FILE_, "abc", 0);
	b->wire.at[COPYWIRE_HEADER_SIZE + 3] = 'd';
	receive(b);
	assert_int_equal(b->r.got, -EINVAL);

	buffer_clear(&b->wire);
	copybed_put(&b->wire, DIR_, "d", 0);
	copybed_put_file(&b->wire, LINK, "d/l", "abc");
	b->wire.at[b->wire.size - 2] = 0;
	receive(b);
	assert_int_equal(b->r.got, -EINVAL);
}

static void all_names_are_allowed_if_asked_for(void **state)
{
	const struct copyrecv_job all = {.all_names = true};
	struct bench *b = *state;

	copybed_put_file(&b->wire, FILE_, "a\nb\033\377", "x");
	copybed_put_end(&b->wire);
	copybed_receive(&b->bed, &b->wire, &all, &b->r);
	assert_int_equal(b->r.got, 0);
	copybed_has(b->bed.folder, "a\nb\033\377", "x");
}

/* Wherever it ends, files are whole or not there. */
static void an_interrupted_copy_leaves_whole_files(void **state)
{
	struct bench *b = *state;
	size_t all;

	copybed_put(&b->wire, DIR_, "d", 0);
	copybed_put_file(&b->wire, FILE_, "d/one", "first");
	copybed_put_file(&b->wire, FILE_, "d/two", "second");
	copybed_put_end(&b->wire);
	all = b->wire.size;
	for (size_t size = 0; size < all; size++) {
		int there;

		b->wire.size = size;
		receive(b);
		assert_int_equal(b->r.got, -ECONNRESET);
		there = faccessat(b->bed.folder, "d", F_OK, 0) == 0
		                ? copybed_count(b->bed.folder, "d")
		                : 0;
		if (there > 0)
			copybed_has(b->bed.folder, "d/one", "first");
		if (there > 1)
			copybed_has(b->bed.folder, "d/two", "second");
		(void)unlinkat(b->bed.folder, "d/one", 0);
		(void)unlinkat(b->bed.folder, "d/two", 0);
		(void)unlinkat(b->bed.folder, "d", AT_REMOVEDIR);
		assert_int_equal(copybed_count(b->bed.folder, "."), 0);
	}
}

static void limits_hold(void **state)
{
	const struct copyrecv_job two = {.files_max = 2};
	const struct copyrecv_job six = {.bytes_max = 6};
	struct bench *b = *state;

	copybed_put_file(&b->wire, FILE_, "a", "123");
	copybed_put_file(&b->wire, FILE_, "b", "123");
	copybed_put_file(&b->wire, FILE_, "c", "1");
	copybed_put_end(&b->wire);
	copybed_receive(&b->bed, &b->wire, &two, &b->r);
	assert_int_equal(b->r.got, -EDQUOT);
	assert_string_equal(b->r.name, "c");
	assert_int_equal(copybed_count(b->bed.folder, "."), 2);
	assert_int_equal(unlinkat(b->bed.folder, "a", 0), 0);
	assert_int_equal(unlinkat(b->bed.folder, "b", 0), 0);
	copybed_receive(&b->bed, &b->wire, &six, &b->r);
	assert_int_equal(b->r.got, -EDQUOT);
	assert_int_equal(copybed_count(b->bed.folder, "."), 2);
}

static void folders_that_are_there_stay_as_they_are(void **state)
{
	struct bench *b = *state;
	struct stat st;

	assert_int_equal(mkdirat(b->bed.folder, "d", 0711), 0);
	assert_int_equal(fchmodat(b->bed.folder, "d", 0711, 0), 0);
	copybed_put(&b->wire, DIR_, "d", 0);
	copybed_put_file(&b->wire, FILE_, "d/new", "x");
	copybed_put(&b->wire, DIR_, "d", 0);
	copybed_put_end(&b->wire);
	receive(b);
	assert_int_equal(b->r.got, 0);
	copybed_has(b->bed.folder, "d/new", "x");
	assert_int_equal(fstatat(b->bed.folder, "d", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0711);
}

/* A folder that was left is another one when it comes again. */
static void folders_are_closed_once_only(void **state)
{
	struct bench *b = *state;
	struct stat st;

	copybed_put(&b->wire, S_IFDIR | 0755, "a", 0);
	copybed_put(&b->wire, S_IFDIR | 0755, "a/b", 0);
	copybed_put(&b->wire, S_IFDIR | 0755, "ab", 0); /* leaves both */
	copybed_put(&b->wire, S_IFDIR | 0755, "a/b", 0);
	copybed_put(&b->wire, S_IFDIR | 0755, "ab", 0);
	copybed_put_end(&b->wire);
	receive(b);
	assert_int_equal(b->r.got, 0);
	assert_int_equal(b->r.count.files, 5);
	assert_int_equal(fstatat(b->bed.folder, "ab", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(fstatat(b->bed.folder, "a/b", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

/* Zeros at the start, within, across pieces, and at the end. */
static void zeros_become_holes(void **state)
{
	struct bench *b = *state;
	size_t size = (3u << 20) + 17;
	autofree uint8_t *content = calloc(1, size);
	autofree uint8_t *back = malloc(size);
	struct stat st;
	int fd;

	assert_non_null(content);
	assert_non_null(back);
	content[70000] = 1;
	content[1u << 20] = 2;
	content[(1u << 20) + 4095] = 3;
	memset(content + (2u << 20) - 10, 4, 300);
	copybed_put(&b->wire, FILE_, "sparse", size);
	buffer_put(&b->wire, content, size);
	copybed_put_file(&b->wire, FILE_, "next", "x");
	copybed_put_end(&b->wire);
	receive(b);
	assert_int_equal(b->r.got, 0);
	fd = openat(b->bed.folder, "sparse", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, size);
	assert_true(st.st_blocks < 200);
	assert_int_equal(pread(fd, back, size, 0), size);
	assert_memory_equal(back, content, size);
	close(fd);
	copybed_has(b->bed.folder, "next", "x");
}

static void the_longest_names_arrive(void **state)
{
	struct bench *b = *state;
	size_t size = COPYWIRE_NAME_MAX + 1;
	autofree char *name = calloc(1, size);

	assert_non_null(name);
	/* As long as it may be; then one byte more. */
	for (int i = 0; i < 3; i++) {
		memset(name + strlen(name), 'a' + i, 100);
		copybed_put(&b->wire, DIR_, name, 0);
		strcat(name, "/");
	}
	strcat(name, "file");
	copybed_put_file(&b->wire, FILE_, name, "x");
	copybed_put_end(&b->wire);
	receive(b);
	assert_int_equal(b->r.got, 0);
	copybed_has(b->bed.folder, name, "x");

	buffer_clear(&b->wire);
	memset(name, 'x', size - 2);
	name[size - 2] = '\0';
	copybed_put(&b->wire, FILE_, name, 0);
	receive(b);
	assert_int_equal(b->r.got, -ENAMETOOLONG);
	buffer_clear(&b->wire);
	memset(name, 'x', size - 1);
	name[size - 1] = '\0';
	copybed_put(&b->wire, FILE_, name, 0);
	receive(b);
	assert_int_equal(b->r.got, -ENAMETOOLONG);
	assert_string_equal(b->r.name, ""); /* it was not even read */
}

int main(void)
{
#define WITH_BENCH(name) \
	cmocka_unit_test_setup_teardown(name, bench_init, bench_fini)
	const struct CMUnitTest tests[] = {
		WITH_BENCH(a_tree_arrives),
		WITH_BENCH(what_is_refused_leaves_all_as_it_was),
		WITH_BENCH(a_nul_in_a_name_is_refused),
		WITH_BENCH(all_names_are_allowed_if_asked_for),
		WITH_BENCH(an_interrupted_copy_leaves_whole_files),
		WITH_BENCH(limits_hold),
		WITH_BENCH(folders_that_are_there_stay_as_they_are),
		WITH_BENCH(folders_are_closed_once_only),
		WITH_BENCH(zeros_become_holes),
		WITH_BENCH(the_longest_names_arrive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

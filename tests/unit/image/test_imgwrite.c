/* SPDX-License-Identifier: Apache-2.0 */
#include "imgmade.h"

#include <stdlib.h>

static void fill(struct imgmade *m)
{
	struct imgtree_file *file;
	char path[64];

	for (int i = 0; i < 600; i++) {
		(void)snprintf(path, sizeof(path), "usr/share/many/name-%d", i);
		file = imgmade_text(m, path, 0644, span_str(path));
		file->uid = (uint32_t)i * 100000;
		file->mtime = 1700000000 + i;
		file->mtime_nsec = 999999999;
	}
	file = imgmade_text(m, "etc/shadow", 0640, span_str("secret-shadow"));
	assert_int_equal(imgtree_enter(&m->w.tree, "etc/shadow-", file), 0);
	(void)imgmade_text(m, "root/key", 0644, span_str("secret-key"));
	(void)imgmade_add(m, "root", S_IFDIR | 0700);
	file = imgmade_add(m, "bin", S_IFLNK | 0777);
	file->target = span_str("usr/bin");
	file = imgmade_add(m, "dev/null", S_IFCHR | 0666);
	file->major = 1;
	file->minor = 0xabcde;
	file = imgmade_text(m, "usr/bin/ping", 04755, span_str("ping"));
	assert_int_equal(imgtree_set_xattr(&m->w.tree, file,
	                                   "security.capability",
	                                   span_str("\1\2\3")),
	                 0);
	assert_int_equal(
		imgtree_set_xattr(&m->w.tree, file, "user.a", span_str("long")),
		0);
	file = imgmade_text(m, "usr/acl", 0644, span_str("secret-acl"));
	assert_int_equal(imgtree_set_xattr(&m->w.tree, file,
	                                   "system.posix_acl_access",
	                                   span_str("whatever")),
	                 0);
}

static int one_xattr(void *ctx, const struct imgread_xattr *x)
{
	char *to = ctx;

	size_t used = strlen(to);

	(void)snprintf(to + used, 256 - used, "%s%.*s=%.*s;", x->prefix,
	               (int)x->suffix.size, (const char *)x->suffix.at,
	               (int)x->value.size, (const char *)x->value.at);
	return 0;
}

static void reads_back_what_was_written(void **state)
{
	struct imgread_inode i, j;
	struct imgmade m;
	char text[256] = "";

	(void)state;
	imgmade_begin(&m);
	fill(&m);
	imgmade_finish(&m);
	for (int n = 0; n < 600; n++) {
		(void)snprintf(text, sizeof(text), "usr/share/many/name-%d", n);
		assert_int_equal(imgmade_find(&m.image, text, &i), 0);
		assert_int_equal(i.uid, n * 100000);
		assert_int_equal(i.mtime, 1700000000 + n);
		assert_int_equal(i.mtime_nsec, 999999999);
		assert_int_equal(i.size, strlen(text));
	}
	assert_int_equal(imgmade_find(&m.image, "usr/share/many/name-600", &i),
	                 -ENOENT);
	assert_int_equal(imgmade_find(&m.image, "etc/shadow", &i), 0);
	assert_int_equal(imgmade_find(&m.image, "etc/shadow-", &j), 0);
	assert_int_equal(i.nid, j.nid);
	assert_int_equal(i.nlink, 2);
	assert_int_equal(imgmade_find(&m.image, "", &i), 0);
	assert_int_equal(i.nlink, 2 + 4); /* dev etc root usr */
	assert_int_equal(imgmade_find(&m.image, "bin", &i), 0);
	assert_int_equal(imgread_link(&m.image, &i, text, sizeof(text)), 7);
	assert_memory_equal(text, "usr/bin", 7);
	assert_int_equal(imgmade_find(&m.image, "dev/null", &i), 0);
	assert_int_equal(i.major, 1);
	assert_int_equal(i.minor, 0xabcde);
	assert_int_equal(imgmade_find(&m.image, "usr/bin/ping", &i), 0);
	assert_int_equal(i.mode, S_IFREG | 04755);
	text[0] = '\0';
	assert_int_equal(imgread_xattr_each(&m.image, &i, one_xattr, text), 0);
	assert_non_null(strstr(text, "security.capability=\1\2\3;"));
	assert_non_null(strstr(text, "user.a=long;"));
	imgmade_end(&m);
}

/* Is a text anywhere in a file? */
static bool holds(int fd, const char *text)
{
	struct stat st;
	void *at;
	bool found;

	assert_int_equal(fstat(fd, &st), 0);
	if (st.st_size == 0)
		return false;
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	assert_true(at != MAP_FAILED);
	found = memmem(at, (size_t)st.st_size, text, strlen(text)) != NULL;
	munmap(at, (size_t)st.st_size);
	return found;
}

static void keeps_secrets_out_of_what_cells_get(void **state)
{
	static const char *const secrets[] = {"secret-shadow", "secret-key",
	                                      "secret-acl", "name-7\0"};
	struct imgmade m;

	(void)state;
	imgmade_begin(&m);
	fill(&m);
	/* What a later entry replaces is nobody's any more. */
	(void)imgmade_text(&m, "usr/old", 0644, span_str("gone-forever"));
	(void)imgmade_text(&m, "usr/old", 0644, span_str("new"));
	imgmade_finish(&m);
	for (size_t i = 0; i + 1 < ARRAY_LEN(secrets); i++) {
		assert_false(holds(m.data_fd, secrets[i]));
		assert_true(holds(m.main_fd, secrets[i]));
	}
	assert_true(holds(m.data_fd, "ping"));
	assert_false(holds(m.data_fd, "gone-forever"));
	assert_false(holds(m.main_fd, "gone-forever"));
	imgmade_end(&m);
}

static void damaged(void *ctx, const char *path, const char *what)
{
	char *to = ctx;

	(void)what;
	(void)snprintf(to, 256, "%s", path);
}

static void names_the_file_of_a_flipped_byte(void **state)
{
	static const char *const names[] = {"usr/bin/ping", "etc/shadow",
	                                    "usr/share/many/name-599"};
	char found[256] = "";
	const struct imgcheck_told told = {found, damaged, NULL};
	struct imgcheck_files files;
	struct imgmade m;
	struct fault f;

	(void)state;
	imgmade_begin(&m);
	fill(&m);
	imgmade_finish(&m);
	files = (struct imgcheck_files){m.main_fd, m.data_fd, m.tree_fd};
	assert_int_equal(imgcheck(&files, &m.head, &told, &f), 0);
	for (size_t n = 0; n < ARRAY_LEN(names); n++) {
		struct imgread_inode i;
		uint64_t at, size;
		uint8_t byte;
		bool data;
		int fd;

		assert_int_equal(imgmade_find(&m.image, names[n], &i), 0);
		assert_int_equal(imgread_place(&m.image, &i, 0, &at, &size), 0);
		data = at >= m.head.main_blocks * (uint64_t)ONDISK_BLOCK;
		fd = data ? m.data_fd : m.main_fd;
		at -= data ? m.head.main_blocks * (uint64_t)ONDISK_BLOCK : 0;
		/* Behind its last byte, which nobody would read. */
		at += ONDISK_BLOCK - 1;
		assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
		byte ^= 1;
		assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
		assert_int_equal(imgcheck(&files, &m.head, &told, &f), -EIO);
		/* A file of two names may be told by either. */
		assert_int_equal(strncmp(found + 1, names[n], strlen(names[n])),
		                 0);
		byte ^= 1;
		assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
	}
	imgmade_end(&m);
}

/* A flipped byte anywhere is found. */
static void finds_every_flipped_byte(void **state)
{
	char found[256] = "";
	const struct imgcheck_told told = {found, damaged, NULL};
	struct imgcheck_files files;
	struct imgmade m;
	struct fault f;

	(void)state;
	imgmade_begin(&m);
	(void)imgmade_text(&m, "usr/a", 0644, span_str("a"));
	(void)imgmade_text(&m, "b", 0600, span_str("b"));
	imgmade_finish(&m);
	files = (struct imgcheck_files){m.main_fd, m.data_fd, m.tree_fd};
	for (uint64_t at = 0; at < m.head.main_blocks * ONDISK_BLOCK;
	     at += 97) {
		uint8_t byte;

		assert_int_equal(pread(m.main_fd, &byte, 1, (off_t)at), 1);
		byte ^= 0x80;
		assert_int_equal(pwrite(m.main_fd, &byte, 1, (off_t)at), 1);
		assert_int_equal(imgcheck(&files, &m.head, &told, &f), -EIO);
		byte ^= 0x80;
		assert_int_equal(pwrite(m.main_fd, &byte, 1, (off_t)at), 1);
	}
	assert_int_equal(imgcheck(&files, &m.head, &told, &f), 0);
	imgmade_end(&m);
}

/* What erofs-utils think of it: the two files one behind the other. */
static void satisfies_fsck_erofs(void **state)
{
	static const char command[] =
		"command -v fsck.erofs >/dev/null || exit 77\n"
		"d=$(mktemp -d) && trap 'rm -rf $d' EXIT\n"
		"cat /proc/%d/fd/%d /proc/%d/fd/%d >$d/image && : >$d/data\n"
		"fsck.erofs --device=$d/data $d/image >$d/said 2>&1 || {\n"
		"	cat $d/said; exit 1; }\n";
	char text[512];
	struct imgmade m;
	int status;

	(void)state;
	imgmade_begin(&m);
	fill(&m);
	imgmade_finish(&m);
	(void)snprintf(text, sizeof(text), command, (int)getpid(), m.main_fd,
	               (int)getpid(), m.data_fd);
	status = system(text);
	imgmade_end(&m);
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

static void refuses_paths_that_lead_out(void **state)
{
	static const char *const bad[] = {"..", "a/../b", "/../etc", "a/.."};
	static const uint8_t nul[] = {'a', 0, 'b'};
	static char to[IMGTREE_PATH_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(imgtree_clean(span_str(bad[i]), to), -EINVAL);
	assert_int_equal(imgtree_clean((struct span){nul, 3}, to), -EINVAL);
	assert_int_equal(imgtree_clean(span_str("//./a//b/./"), to), 0);
	assert_string_equal(to, "a/b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_back_what_was_written),
		cmocka_unit_test(keeps_secrets_out_of_what_cells_get),
		cmocka_unit_test(names_the_file_of_a_flipped_byte),
		cmocka_unit_test(finds_every_flipped_byte),
		cmocka_unit_test(satisfies_fsck_erofs),
		cmocka_unit_test(refuses_paths_that_lead_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

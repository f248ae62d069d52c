/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two file systems in memory, one over the other, at /o:
 *
 *	below		above
 *	file "low"	(nothing)
 *	dir/a, dir/b	dir/b (another), dir/c
 *	dir/sub/x
 *	one, two	one file with two names
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/fs/mount.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/fs/world.h"
#include "kernel/testbed.h"

struct layers {
	struct testbed *bed;
	struct superblock *below;
	struct superblock *above;
};

static struct inode *add(struct inode *dir, const char *name, uint32_t mode,
                         const char *text)
{
	struct inode_new how = {.mode = mode};
	struct inode *i = tmpfs_inode(dir->sb, &how);
	struct uio u;
	int64_t pos = 0;

	assert_non_null(i);
	assert_int_equal(tmpfs_enter(dir, span_str(name), i), 0);
	if (text) {
		uio_init_kernel(&u, (void *)(uintptr_t)text, strlen(text));
		assert_int_equal(
			filedata_write(&((struct tmpfs_node *)i->private)->data,
		                       &u, &pos),
			strlen(text));
	}
	inode_put(i);
	return i;
}

static void fill(struct layers *l)
{
	struct inode *low = l->below->root;
	struct inode *up = l->above->root;
	struct inode *dir, *sub, *one;

	add(low, "low", S_IFREG | 0640, "below");
	dir = add(low, "dir", S_IFDIR | 0755, NULL);
	add(dir, "a", S_IFREG | 0644, "a below");
	add(dir, "b", S_IFREG | 0644, "b below");
	sub = add(dir, "sub", S_IFDIR | 0755, NULL);
	add(sub, "x", S_IFREG | 0644, "x");
	one = add(low, "one", S_IFREG | 0644, "twice");
	assert_int_equal(tmpfs_enter(low, span_str("two"), one), 0);
	one->nlink = 2;
	low->sb->read_only = true;
	up->sb->next_ino = 1ull << 50;
	dir = add(up, "dir", S_IFDIR | 0700, NULL);
	add(dir, "b", S_IFREG | 0600, "b above");
	add(dir, "c", S_IFREG | 0600, "c above");
}

static int setup(void **state)
{
	struct layers *l = calloc(1, sizeof(*l));
	struct kernel *k;
	struct superblock *sb;
	struct path at;

	l->bed = testbed_create(0);
	k = &l->bed->kernel;
	assert_int_equal(tmpfs_create(k, 16u << 20, 0755, &l->below), 0);
	assert_int_equal(tmpfs_create(k, 16u << 20, 0755, &l->above), 0);
	fill(l);
	assert_int_equal(overlay_create(k, l->below, l->above, &sb), 0);
	assert_int_equal(testbed_call(l->bed, SYS_mkdir, "/o", 0755), 0);
	assert_int_equal(path_lookup(l->bed->task, AT_FDCWD, "/o", 0, &at), 0);
	assert_int_equal(mount_add(k, sb, &at, 0, "overlay", NULL), 0);
	inode_superblock_put(sb);
	path_put(&at);
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	struct layers *l = *state;

	inode_superblock_put(l->below);
	inode_superblock_put(l->above);
	testbed_destroy(l->bed);
	free(l);
	return 0;
}

static const char *text_of(struct layers *l, const char *name)
{
	static char text[64];
	long fd = testbed_call(l->bed, SYS_openat, AT_FDCWD, name, O_RDONLY);
	long n;

	if (fd < 0) {
		(void)snprintf(text, sizeof(text), "%ld", fd);
		return text;
	}
	n = testbed_call(l->bed, SYS_read, fd, text, sizeof(text) - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	assert_int_equal(testbed_call(l->bed, SYS_close, fd), 0);
	return text;
}

static void append(struct layers *l, const char *name, const char *text)
{
	long fd = testbed_call(l->bed, SYS_openat, AT_FDCWD, name,
	                       O_WRONLY | O_APPEND | O_CREAT, 0644);

	assert_true(fd >= 0);
	assert_int_equal(
		testbed_call(l->bed, SYS_write, fd, text, strlen(text)),
		strlen(text));
	assert_int_equal(testbed_call(l->bed, SYS_close, fd), 0);
}

static abi_stat stat_of(struct layers *l, const char *name)
{
	abi_stat st = {0};

	if (testbed_call(l->bed, SYS_lstat, name, &st) < 0)
		fail_msg("stat %s", name);
	return st;
}

/* The names in a directory but for the dots, sorted as they come. */
static const char *names_of(struct layers *l, const char *dir)
{
	static char names[512];
	uint8_t batch[1024];
	size_t used = 0;
	long fd = testbed_call(l->bed, SYS_openat, AT_FDCWD, dir,
	                       O_RDONLY | O_DIRECTORY);
	long got;

	assert_true(fd >= 0);
	names[0] = '\0';
	while ((got = testbed_call(l->bed, SYS_getdents64, fd, batch,
	                           sizeof(batch))) > 0) {
		for (long at = 0; at < got;) {
			uint16_t size;
			const char *name = (const char *)batch + at + 19;

			memcpy(&size, batch + at + 16, sizeof(size));
			if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
				used += (size_t)snprintf(names + used,
				                         sizeof(names) - used,
				                         "%s ", name);
			at += size;
		}
	}
	assert_int_equal(got, 0);
	assert_int_equal(testbed_call(l->bed, SYS_close, fd), 0);
	return names;
}

static void shows_both_and_the_upper_first(void **state)
{
	struct layers *l = *state;

	assert_string_equal(text_of(l, "/o/low"), "below");
	assert_string_equal(text_of(l, "/o/dir/a"), "a below");
	assert_string_equal(text_of(l, "/o/dir/b"), "b above");
	assert_string_equal(names_of(l, "/o/dir"), "b c a sub ");
	assert_int_equal(stat_of(l, "/o/dir").mode & 0777, 0700);
}

static void a_write_goes_above_and_changes_nothing_else(void **state)
{
	struct layers *l = *state;
	abi_stat before = stat_of(l, "/o/dir/sub/x");
	abi_stat dir = stat_of(l, "/o/dir/sub");
	abi_stat after;

	append(l, "/o/dir/sub/x", "yz");
	assert_string_equal(text_of(l, "/o/dir/sub/x"), "xyz");
	after = stat_of(l, "/o/dir/sub/x");
	assert_int_equal(after.ino, before.ino);
	assert_int_equal(after.mode, before.mode);
	assert_int_equal(stat_of(l, "/o/dir/sub").mtime.nsec, dir.mtime.nsec);
	assert_int_equal(stat_of(l, "/o/dir/sub").ino, dir.ino);
	assert_null(tmpfs_child(l->above->root, span_str("low")));
}

static void an_open_file_follows_its_copy(void **state)
{
	struct layers *l = *state;
	char text[16] = {0};
	long fd = testbed_call(l->bed, SYS_openat, AT_FDCWD, "/o/low",
	                       O_RDONLY);

	append(l, "/o/low", " and above");
	assert_int_equal(testbed_call(l->bed, SYS_pread64, fd, text, 15, 0),
	                 15);
	assert_string_equal(text, "below and above");
	assert_int_equal(testbed_call(l->bed, SYS_close, fd), 0);
}

static void what_is_removed_stays_away(void **state)
{
	struct layers *l = *state;

	assert_int_equal(testbed_call(l->bed, SYS_unlink, "/o/low"), 0);
	assert_string_equal(text_of(l, "/o/low"), "-2");
	assert_int_equal(testbed_call(l->bed, SYS_unlink, "/o/dir/b"), 0);
	assert_string_equal(names_of(l, "/o/dir"), "c a sub ");
	append(l, "/o/low", "new");
	assert_string_equal(text_of(l, "/o/low"), "new");
	assert_int_equal(testbed_call(l->bed, SYS_mknod, "/o/w", S_IFCHR, 0),
	                 -EPERM);
}

static void a_new_folder_does_not_show_the_old_one(void **state)
{
	struct layers *l = *state;

	assert_int_equal(testbed_call(l->bed, SYS_rmdir, "/o/dir/sub"),
	                 -ENOTEMPTY);
	assert_int_equal(testbed_call(l->bed, SYS_unlink, "/o/dir/sub/x"), 0);
	assert_string_equal(names_of(l, "/o/dir/sub"), "");
	assert_int_equal(testbed_call(l->bed, SYS_rmdir, "/o/dir/sub"), 0);
	assert_int_equal(testbed_call(l->bed, SYS_mkdir, "/o/dir/sub", 0755),
	                 0);
	assert_string_equal(names_of(l, "/o/dir/sub"), "");
	assert_string_equal(text_of(l, "/o/dir/sub/x"), "-2");
	assert_int_equal(testbed_call(l->bed, SYS_getxattr, "/o/dir/sub",
	                              "trusted.overlay.opaque", NULL, 0),
	                 -ENODATA);
}

static void renames_leave_nothing_behind(void **state)
{
	struct layers *l = *state;

	assert_int_equal(testbed_call(l->bed, SYS_rename, "/o/dir", "/o/d2"),
	                 -EXDEV);
	assert_int_equal(testbed_call(l->bed, SYS_rename, "/o/low", "/o/l2"),
	                 0);
	assert_string_equal(text_of(l, "/o/low"), "-2");
	assert_string_equal(text_of(l, "/o/l2"), "below");
	assert_int_equal(testbed_call(l->bed, SYS_rename, "/o/l2", "/o/dir/a"),
	                 0);
	assert_string_equal(text_of(l, "/o/dir/a"), "below");
	assert_int_equal(testbed_call(l->bed, SYS_mkdir, "/o/n", 0755), 0);
	append(l, "/o/n/y", "y");
	/* A new folder over an old, empty one hides what was below it. */
	assert_int_equal(testbed_call(l->bed, SYS_unlink, "/o/dir/sub/x"), 0);
	assert_int_equal(testbed_call(l->bed, SYS_rename, "/o/n", "/o/dir/sub"),
	                 0);
	assert_string_equal(names_of(l, "/o/dir/sub"), "y ");
	assert_string_equal(names_of(l, "/o"), "dir one two ");
}

static void names_can_change_places(void **state)
{
	struct layers *l = *state;

	assert_int_equal(testbed_call(l->bed, SYS_renameat2, AT_FDCWD, "/o/low",
	                              AT_FDCWD, "/o/dir/c", RENAME_EXCHANGE),
	                 0);
	assert_string_equal(text_of(l, "/o/low"), "c above");
	assert_string_equal(text_of(l, "/o/dir/c"), "below");
	assert_int_equal(testbed_call(l->bed, SYS_renameat2, AT_FDCWD, "/o/low",
	                              AT_FDCWD, "/o/dir/a", RENAME_NOREPLACE),
	                 -EEXIST);
}

/* As with Linux's overlay, which copies one of the names. */
static void a_copy_parts_from_its_other_names(void **state)
{
	struct layers *l = *state;

	append(l, "/o/one", "!");
	assert_string_equal(text_of(l, "/o/one"), "twice!");
	assert_string_equal(text_of(l, "/o/two"), "twice");
}

static void links_work_above(void **state)
{
	struct layers *l = *state;

	assert_int_equal(testbed_call(l->bed, SYS_link, "/o/low", "/o/dir/l"),
	                 0);
	append(l, "/o/dir/l", "!");
	assert_string_equal(text_of(l, "/o/low"), "below!");
	assert_int_equal(stat_of(l, "/o/low").nlink, 2);
	assert_int_equal(stat_of(l, "/o/low").ino, stat_of(l, "/o/dir/l").ino);
}

static void a_removed_file_can_still_be_changed(void **state)
{
	struct layers *l = *state;
	abi_stat st;
	long fd = testbed_call(l->bed, SYS_openat, AT_FDCWD, "/o/dir/sub/x",
	                       O_RDONLY);

	assert_int_equal(testbed_call(l->bed, SYS_unlink, "/o/dir/sub/x"), 0);
	assert_int_equal(testbed_call(l->bed, SYS_rmdir, "/o/dir/sub"), 0);
	assert_int_equal(testbed_call(l->bed, SYS_fchmod, fd, 0400), 0);
	assert_int_equal(testbed_call(l->bed, SYS_fstat, fd, &st), 0);
	assert_int_equal(st.mode & 0777, 0400);
	assert_int_equal(st.nlink, 0);
	assert_string_equal(names_of(l, "/o/dir"), "b c a ");
	assert_int_equal(testbed_call(l->bed, SYS_close, fd), 0);
}

#define LAYERS(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/*
 * Below both, a third: "low" and "dir/b" of its own, which are not seen; "dir/d"
 * and "more/e", which are.
 */
static void what_is_joined_is_seen_under_the_rest(void **state)
{
	struct layers *l = *state;
	struct kernel *k = &l->bed->kernel;
	struct superblock *third, *fourth, *joined, *top;
	struct inode *dir, *more, *got, *again;
	struct path at;

	assert_int_equal(tmpfs_create(k, 16u << 20, 0755, &third), 0);
	assert_int_equal(tmpfs_create(k, 16u << 20, 0755, &fourth), 0);
	third->next_ino = 1ull << 51;
	fourth->next_ino = 1ull << 52;
	add(third->root, "low", S_IFDIR | 0755, NULL);
	dir = add(third->root, "dir", S_IFDIR | 0711, NULL);
	add(dir, "b", S_IFREG | 0644, "b of the third");
	add(dir, "d", S_IFREG | 0644, "d of the third");
	more = add(third->root, "more", S_IFDIR | 0755, NULL);
	add(more, "e", S_IFREG | 0644, "e of the third");
	assert_int_equal(overlay_join(k, third, l->below, &joined), 0);

	/* Only a directory of both is more than what either has. */
	assert_int_equal(joined->root->ops->lookup(joined->root, l->bed->task,
	                                           span_str("low"), &got),
	                 0);
	assert_ptr_equal(got->sb, l->below);
	inode_put(got);
	assert_int_equal(joined->root->ops->lookup(joined->root, l->bed->task,
	                                           span_str("more"), &got),
	                 0);
	assert_ptr_equal(got->sb, third);
	inode_put(got);
	assert_int_equal(joined->root->ops->lookup(joined->root, l->bed->task,
	                                           span_str("dir"), &got),
	                 0);
	assert_ptr_equal(got->sb, joined);
	assert_int_equal(got->mode, S_IFDIR | 0755);
	assert_int_equal(joined->root->ops->lookup(joined->root, l->bed->task,
	                                           span_str("dir"), &again),
	                 0);
	assert_ptr_equal(again, got);
	inode_put(again);
	inode_put(got);

	assert_int_equal(overlay_create(k, joined, fourth, &top), 0);
	assert_int_equal(testbed_call(l->bed, SYS_mkdir, "/j", 0755), 0);
	assert_int_equal(path_lookup(l->bed->task, AT_FDCWD, "/j", 0, &at), 0);
	assert_int_equal(mount_add(k, top, &at, 0, "overlay", NULL), 0);
	path_put(&at);
	assert_string_equal(text_of(l, "/j/low"), "below");
	assert_string_equal(text_of(l, "/j/dir/a"), "a below");
	assert_string_equal(text_of(l, "/j/dir/b"), "b below");
	assert_string_equal(text_of(l, "/j/dir/d"), "d of the third");
	assert_string_equal(text_of(l, "/j/dir/sub/x"), "x");
	assert_string_equal(text_of(l, "/j/more/e"), "e of the third");
	assert_string_equal(names_of(l, "/j/dir"), "a b sub d ");

	/* Writing copies up, removing hides, as anywhere. */
	append(l, "/j/dir/d", " and more");
	assert_string_equal(text_of(l, "/j/dir/d"), "d of the third and more");
	assert_int_equal(testbed_call(l->bed, SYS_unlink, "/j/dir/b"), 0);
	assert_string_equal(names_of(l, "/j/dir"), "d a sub ");
	assert_int_equal(testbed_call(l->bed, SYS_unlink, "/j/more/e"), 0);
	assert_string_equal(names_of(l, "/j/more"), "");

	inode_superblock_put(top);
	inode_superblock_put(joined);
	inode_superblock_put(fourth);
	inode_superblock_put(third);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAYERS(what_is_joined_is_seen_under_the_rest),
		LAYERS(shows_both_and_the_upper_first),
		LAYERS(a_write_goes_above_and_changes_nothing_else),
		LAYERS(an_open_file_follows_its_copy),
		LAYERS(what_is_removed_stays_away),
		LAYERS(a_new_folder_does_not_show_the_old_one),
		LAYERS(renames_leave_nothing_behind),
		LAYERS(names_can_change_places),
		LAYERS(a_copy_parts_from_its_other_names),
		LAYERS(links_work_above),
		LAYERS(a_removed_file_can_still_be_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

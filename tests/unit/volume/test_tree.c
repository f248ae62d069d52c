/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/tree.h"

#include "volume/bed.h"
#include "volume/object.h"

static void names_lead_to_inodes(void **state)
{
	struct bed *b = *state;
	struct tree_node d, f;
	uint64_t ino;
	uint8_t type;

	assert_int_equal(bed_make(b, &b->root, "d", S_IFDIR | 0755, NULL, &d),
	                 0);
	assert_int_equal(bed_make(b, &d, "f", S_IFREG | 0644, "text", &f), 0);
	assert_int_equal(bed_make(b, &d, "f", S_IFREG | 0644, "text", NULL),
	                 -EEXIST);
	assert_int_equal(tree_lookup(b->v, d.ino, span_str("f"), &ino, &type),
	                 0);
	assert_int_equal(ino, f.ino);
	assert_int_equal(type, S_IFREG >> 12);
	assert_int_equal(tree_lookup(b->v, d.ino, span_str("g"), &ino, NULL),
	                 -ENOENT);
	assert_int_equal(b->root.r.nlink, 3);
	assert_string_equal(bed_check(b), "");
	assert_int_equal(volume_flush(b->v), 0);
	assert_string_equal(bed_check(b), "");
}

static void what_no_directory_may_hold_is_refused(void **state)
{
	static const char *const bad[] = {"", ".", "..", "a/b"};
	struct bed *b = *state;
	char longest[257];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(
			bed_make(b, &b->root, bad[i], S_IFDIR, NULL, NULL),
			-EINVAL);
	memset(longest, 'x', 256);
	longest[256] = '\0';
	assert_int_equal(bed_make(b, &b->root, longest, S_IFREG, NULL, NULL),
	                 -EINVAL);
	longest[255] = '\0';
	assert_int_equal(bed_make(b, &b->root, longest, S_IFREG, NULL, NULL),
	                 0);
}

static void a_full_directory_is_not_removed(void **state)
{
	struct bed *b = *state;
	struct tree_node d, f;

	assert_int_equal(bed_make(b, &b->root, "d", S_IFDIR, NULL, &d), 0);
	assert_int_equal(bed_make(b, &d, "f", S_IFREG, NULL, &f), 0);
	assert_int_equal(tree_unlink(b->v, &b->root, span_str("d"), &d),
	                 -ENOTEMPTY);
	assert_int_equal(tree_unlink(b->v, &d, span_str("f"), &f), 0);
	assert_int_equal(f.r.nlink, 0);
	assert_int_equal(tree_unlink(b->v, &b->root, span_str("d"), &d), 0);
	assert_int_equal(b->root.r.nlink, 2);
	assert_int_equal(tree_empty(b->v, VRECORD_ROOT), 1);
}

static void all_names_are_read_once_whatever_lies_where(void **state)
{
	struct bed *b = *state;
	bool seen[60] = {false};
	struct vrecord_name n;
	int64_t pos = 0;
	char name[8];

	/* Some safe, some on their way, some waiting, some taken back. */
	for (int i = 0; i < 60; i++) {
		struct tree_node f;

		(void)snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(bed_make(b, &b->root, name, S_IFIFO, NULL, &f),
		                 0);
		if (i == 20)
			assert_int_equal(volume_flush(b->v), 0);
		if (i == 40)
			assert_true(volume_freeze(b->v));
		if (i % 7 == 0)
			assert_int_equal(
				tree_unlink(b->v, &b->root, span_str(name), &f),
				0);
	}
	while (tree_name_at(b->v, VRECORD_ROOT, &pos, &n) == 0) {
		(void)snprintf(name, sizeof(name), "%.*s", (int)n.name.size,
		               (const char *)n.name.at);
		assert_false(seen[atoi(name)]);
		seen[atoi(name)] = true;
		pos++;
	}
	for (int i = 0; i < 60; i++)
		assert_int_equal(seen[i], i % 7 != 0);
	volume_settle(b->v, volume_commit(b->v));
}

static void a_failed_change_changes_nothing(void **state)
{
	struct bed *b = *state;
	struct tree_node before = b->root;
	struct tree_node f;

	b->v->sums.max_inodes = 1;
	assert_int_equal(bed_make(b, &b->root, "f", S_IFREG, NULL, &f),
	                 -ENOSPC);
	assert_memory_equal(&before, &b->root, sizeof(before));
	b->v->sums.max_inodes = BED_INODES;
	assert_string_equal(bed_check(b), "");
}

static void links_and_renames_keep_the_order(void **state)
{
	struct bed *b = *state;
	struct tree_node d, e, f, g;
	struct tree_rename m = {.from_dir = &b->root, .what = &e};

	assert_int_equal(bed_make(b, &b->root, "d", S_IFDIR, NULL, &d), 0);
	assert_int_equal(bed_make(b, &b->root, "e", S_IFDIR, NULL, &e), 0);
	assert_int_equal(bed_make(b, &d, "f", S_IFREG, "f", &f), 0);
	assert_int_equal(bed_make(b, &b->root, "g", S_IFREG, "g", &g), 0);
	assert_int_equal(tree_link(b->v, &e, span_str("l"), &f), 0);
	assert_int_equal(f.r.nlink, 2);
	m.to_dir = &d;
	m.from = span_str("e");
	m.to = span_str("moved");
	assert_int_equal(tree_rename(b->v, &m), 0);
	assert_int_equal(e.r.parent, d.ino);
	assert_int_equal(d.r.nlink, 3);
	assert_string_equal(bed_check(b), "");
	m = (struct tree_rename){.from_dir = &b->root,
	                         .to_dir = &d,
	                         .from = span_str("g"),
	                         .to = span_str("f"),
	                         .what = &g,
	                         .over = &f};
	assert_int_equal(tree_rename(b->v, &m), 0);
	assert_int_equal(f.r.nlink, 1);
	m.exchange = true;
	m.from_dir = &d;
	m.to_dir = &b->root;
	m.from = span_str("moved");
	m.to = span_str("d");
	m.what = &e;
	m.over = NULL;
	assert_int_equal(tree_rename(b->v, &m), -ENOENT);
	assert_string_equal(bed_check(b), "");
	bed_crash(b);
	assert_string_equal(bed_check(b), "");
}

static void attributes_are_charged(void **state)
{
	struct bed *b = *state;
	uint64_t used = b->v->sums.bytes;
	struct vrecord_key key = {0};
	struct vrecord_xattr x;
	struct tree_node f;
	struct span got;

	assert_int_equal(bed_make(b, &b->root, "f", S_IFREG, NULL, &f), 0);
	assert_int_equal(tree_xattr_set(b->v, &f, span_str("user.a"),
	                                span_str("12345"), 0),
	                 0);
	assert_int_equal(b->v->sums.bytes, used + 11);
	assert_int_equal(tree_xattr_get(b->v, f.ino, span_str("user.a"), &got),
	                 0);
	assert_true(span_is(got, "12345"));
	assert_int_equal(tree_xattr_next(b->v, f.ino, &key, &x), 0);
	assert_true(span_is(x.name, "user.a"));
	assert_int_equal(tree_xattr_next(b->v, f.ino, &key, &x), -ENOENT);
	assert_string_equal(bed_check(b), "");
	assert_int_equal(tree_xattr_remove(b->v, &f, span_str("user.a")), 0);
	assert_int_equal(b->v->sums.bytes, used);
	assert_string_equal(bed_check(b), "");
}

static void nameless_inodes_go_with_all_they_have(void **state)
{
	struct bed *b = *state;
	struct stat st;
	struct tree_node f;

	assert_int_equal(bed_make(b, NULL, "", S_IFREG | 0600, "x", &f), 0);
	assert_int_equal(
		tree_xattr_set(b->v, &f, span_str("user.a"), span_str("1"), 0),
		0);
	assert_int_equal(volume_flush(b->v), 0);
	bed_crash(b);
	assert_int_equal(tree_load(b->v, f.ino, &f), -ENOENT);
	assert_int_equal(object_stat(b->v->objects_fd, f.ino, &st), -ENOENT);
	assert_int_equal(b->v->sums.inodes, 1);
	assert_int_equal(b->v->sums.bytes, 0);
	assert_string_equal(bed_check(b), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BED(names_lead_to_inodes),
		BED(what_no_directory_may_hold_is_refused),
		BED(a_full_directory_is_not_removed),
		BED(all_names_are_read_once_whatever_lies_where),
		BED(a_failed_change_changes_nothing),
		BED(links_and_renames_keep_the_order),
		BED(attributes_are_charged),
		BED(nameless_inodes_go_with_all_they_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

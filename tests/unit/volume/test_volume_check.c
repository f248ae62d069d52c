/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/volume_check.h"

#include "volume/bed.h"
#include "volume/object.h"

static void put(struct bed *b, const struct vrecord_key *key, struct span value)
{
	struct store_edit e = {0};

	assert_int_equal(store_edit_put(&e, key, value), 0);
	store_edit_apply(b->v->store, &e);
}

static void delete_key(struct bed *b, const struct vrecord_key *key)
{
	struct store_edit e = {0};

	assert_int_equal(store_edit_delete(&e, key), 0);
	store_edit_apply(b->v->store, &e);
}

static void put_inode(struct bed *b, const struct tree_node *n)
{
	struct vrecord_key key = vrecord_key_inode(n->ino);
	uint8_t bytes[256];

	put(b, &key, (struct span){bytes, vrecord_put_inode(&n->r, bytes)});
}

static struct vrecord_key name_key(struct bed *b, uint64_t dir,
                                   const char *name)
{
	uint8_t hash[16];

	store_hash(b->v->store, span_str(name), hash);
	return vrecord_key_name(dir, hash);
}

struct damaged {
	struct tree_node dir, file;
};

static void lose_name(struct bed *b, struct damaged *d)
{
	struct vrecord_key key = name_key(b, d->dir.ino, "f");

	delete_key(b, &key);
}

static void lose_inode(struct bed *b, struct damaged *d)
{
	struct vrecord_key key = vrecord_key_inode(d->file.ino);

	delete_key(b, &key);
}

static void lose_object(struct bed *b, struct damaged *d)
{
	assert_int_equal(object_remove(b->v->objects_fd, d->file.ino), 0);
}

static void add_object(struct bed *b, struct damaged *d)
{
	int fd = object_create(b->v->objects_fd, d->file.ino + 100);

	assert_true(fd >= 0);
	close(fd);
}

static void wrong_links(struct bed *b, struct damaged *d)
{
	d->file.r.nlink = 5;
	put_inode(b, &d->file);
}

static void wrong_parent(struct bed *b, struct damaged *d)
{
	d->dir.r.parent = 77;
	put_inode(b, &d->dir);
}

static void wrong_charge(struct bed *b, struct damaged *d)
{
	d->file.r.charged += 4096;
	put_inode(b, &d->file);
}

static void wrong_count(struct bed *b, struct damaged *d)
{
	(void)d;
	b->v->sums.inodes++;
}

static void wrong_next(struct bed *b, struct damaged *d)
{
	b->v->sums.next_ino = d->file.ino;
}

static void wrong_type(struct bed *b, struct damaged *d)
{
	d->file.r.mode = S_IFIFO;
	put_inode(b, &d->file);
}

static void wrong_key(struct bed *b, struct damaged *d)
{
	struct vrecord_key key = name_key(b, d->dir.ino, "other");
	struct vrecord_name n = {d->file.ino, 8, span_str("f")};
	uint8_t bytes[64];

	put(b, &key, (struct span){bytes, vrecord_put_name(&n, bytes)});
}

static void lost_ring(struct bed *b, struct damaged *d)
{
	struct vrecord_key key = name_key(b, VRECORD_ROOT, "d");
	struct vrecord_key in_itself = name_key(b, d->dir.ino, "d");
	struct vrecord_name n = {d->dir.ino, 4, span_str("d")};
	uint8_t bytes[64];

	delete_key(b, &key);
	put(b, &in_itself, (struct span){bytes, vrecord_put_name(&n, bytes)});
}

static void lost_attribute(struct bed *b, struct damaged *d)
{
	uint8_t hash[16];
	struct vrecord_key key;

	store_hash(b->v->store, span_str("user.a"), hash);
	key = vrecord_key_xattr(d->file.ino, hash);
	delete_key(b, &key);
}

static void nonsense(struct bed *b, struct damaged *d)
{
	struct vrecord_key key = vrecord_key_inode(d->file.ino);

	put(b, &key, span_str("nonsense"));
}

static const struct {
	const char *told; /* part of what the checker says */
	void (*damage)(struct bed *b, struct damaged *d);
} cases[] = {
	{"no name leads to it", lose_name},
	{"spoken of, and not there", lose_inode},
	{"its contents are missing", lose_object},
	{"belongs to no file", add_object},
	{"it says 5 links, and has 1", wrong_links},
	{"its parent is another", wrong_parent},
	{"bytes are said to be used", wrong_charge},
	{"inodes are said to be used", wrong_count},
	{"number was given already", wrong_next},
	{"says another type", wrong_type},
	{"under another's key", wrong_key},
	{"not reached from the root", lost_ring},
	{"bytes of attributes", lost_attribute},
	{"makes no sense", nonsense},
};

static void each_kind_of_damage_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct damaged d;
		struct bed *b;

		assert_int_equal(bed_setup((void **)&b), 0);
		assert_int_equal(
			bed_make(b, &b->root, "d", S_IFDIR, NULL, &d.dir), 0);
		assert_int_equal(
			bed_make(b, &d.dir, "f", S_IFREG, "x", &d.file), 0);
		assert_int_equal(tree_xattr_set(b->v, &d.file,
		                                span_str("user.a"),
		                                span_str("1"), 0),
		                 0);
		assert_string_equal(bed_check(b), "");
		cases[i].damage(b, &d);
		if (!strstr(bed_check(b), cases[i].told))
			fail_msg("\"%s\" was not told, but: %s", cases[i].told,
			         bed_check(b));
		assert_int_equal(bed_teardown((void **)&b), 0);
	}
}

/* A bit flipped in each of the values that lie on the disk. */
static void a_flipped_bit_is_noticed(void **state)
{
	struct bed *b = *state;
	static uint8_t file[1 << 20];
	char path[128];
	size_t size, at = 0;
	struct fault f;
	FILE *s;

	assert_int_equal(
		bed_make(b, &b->root, "a-name-to-find", S_IFIFO, NULL, NULL),
		0);
	assert_int_equal(volume_close(b->v), 0);
	b->v = NULL;
	(void)snprintf(path, sizeof(path), "%s/meta.mdb", b->host);
	s = fopen(path, "r+");
	assert_non_null(s);
	size = fread(file, 1, sizeof(file), s);
	/* The name lies in the value, in each page that ever had it. */
	for (size_t i = 0; i + 14 < size; i++) {
		if (memcmp(file + i, "a-name-to-find", 14) != 0)
			continue;
		assert_int_equal(fseek(s, (long)i, SEEK_SET), 0);
		assert_int_equal(fputc('A', s), 'A');
		at = i;
	}
	assert_true(at > 0);
	assert_int_equal(fclose(s), 0);
	assert_int_equal(volume_open(b->dir, NULL, &b->v, &f), 0);
	assert_non_null(strstr(bed_check(b), "is damaged"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_damage_is_told),
		BED(a_flipped_bit_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "import/acl.h"

#include <archive.h>
#include <archive_entry.h>

#define ENTRIES 128 /* of one list, at most */
#define VERSION 2u
#define MASK    0x10

struct entry {
	uint16_t tag, perm;
	uint32_t id;
};

static const struct {
	int theirs;
	uint16_t tag;
	bool named;
} tags[] = {
	{ARCHIVE_ENTRY_ACL_USER_OBJ, 0x01, false},
	{ARCHIVE_ENTRY_ACL_USER, 0x02, true},
	{ARCHIVE_ENTRY_ACL_GROUP_OBJ, 0x04, false},
	{ARCHIVE_ENTRY_ACL_GROUP, 0x08, true},
	{ARCHIVE_ENTRY_ACL_MASK, MASK, false},
	{ARCHIVE_ENTRY_ACL_OTHER, 0x20, false},
};

static int compare(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;

	if (x->tag != y->tag)
		return x->tag < y->tag ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static void put_le(uint8_t *to, uint32_t v, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		to[i] = (uint8_t)(v >> (8 * i));
}

/* The list of one type; how many entries, or a negative errno. */
static int read_list(struct archive_entry *e, int type, struct entry *list)
{
	int type_got, perm, tag, id;
	const char *name;
	int count = 0;

	(void)archive_entry_acl_reset(e, type);
	while (archive_entry_acl_next(e, type, &type_got, &perm, &tag, &id,
	                              &name) == ARCHIVE_OK) {
		size_t i = 0;

		while (i < ARRAY_LEN(tags) && tags[i].theirs != tag)
			i++;
		if (i == ARRAY_LEN(tags) || count == ENTRIES)
			return -EOPNOTSUPP;
		if (tags[i].named && id < 0)
			return -EOPNOTSUPP;
		list[count++] = (struct entry){
			.tag = tags[i].tag,
			.perm = (uint16_t)(perm & 7),
			.id = tags[i].named ? (uint32_t)id : UINT32_MAX,
		};
	}
	return count;
}

/*
 * Of a file with a mask, the mode's bits for the group are that: libarchive
 * puts there what the list says of the group itself.
 */
static void set_mode(struct imgtree_file *file, const struct entry *list,
                     int count)
{
	for (int i = 0; i < count; i++)
		if (list[i].tag == MASK)
			file->mode = (file->mode & ~070u) |
			             (uint32_t)list[i].perm << 3;
}

static int take(struct imgtree *t, struct imgtree_file *file,
                struct archive_entry *e, int type, const char *name)
{
	uint8_t value[4 + ENTRIES * 8];
	struct entry list[ENTRIES];
	int count;

	/* Mode bits alone are no list. */
	if (!(archive_entry_acl_types(e) & type))
		return 0;
	count = read_list(e, type, list);
	if (count <= 0)
		return count;
	qsort(list, (size_t)count, sizeof(list[0]), compare);
	if (type == ARCHIVE_ENTRY_ACL_TYPE_ACCESS)
		set_mode(file, list, count);
	put_le(value, VERSION, 4);
	for (int i = 0; i < count; i++) {
		uint8_t *at = value + 4 + i * 8;

		put_le(at, list[i].tag, 2);
		put_le(at + 2, list[i].perm, 2);
		put_le(at + 4, list[i].id, 4);
	}
	return imgtree_set_xattr(t, file, name,
	                         (struct span){value, 4 + (size_t)count * 8});
}

int acl_take(struct imgtree *t, struct imgtree_file *file,
             struct archive_entry *e)
{
	int err = take(t, file, e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS,
	               "system.posix_acl_access");

	if (err == 0)
		err = take(t, file, e, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT,
		           "system.posix_acl_default");
	/* One list too many for the space of attributes is one not taken. */
	return err == -E2BIG ? -EOPNOTSUPP : err;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record that was read is written as the same bytes, and a header that was
 * read says the same when it is written and read again.  The first byte says
 * what the rest is.
 */
#include "volume/header.h"
#include "volume/vrecord.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(struct span wire, const uint8_t *to, size_t size)
{
	if (!span_eq(wire, (struct span){to, size}))
		abort();
}

static void try_header(struct span wire)
{
	struct header first, again;
	char text[HEADER_MAX];
	struct fault f;
	size_t size;

	if (header_parse(wire, &first, &f) < 0)
		return;
	size = header_write(&first, text);
	if (header_parse((struct span){(uint8_t *)text, size}, &again, &f) <
	            0 ||
	    memcmp(&first, &again, sizeof(first)) != 0)
		abort();
}

static void try_key(struct span wire)
{
	struct vrecord_key key = {0};
	const uint8_t *hash;
	uint64_t ino;
	char kind;

	if (vrecord_key_parse(wire, &kind, &ino, &hash) < 0)
		return;
	if (kind == 'S')
		key = vrecord_key_volume();
	else if (kind == 'I')
		key = vrecord_key_inode(ino);
	else if (kind == 'D')
		key = vrecord_key_name(ino, hash);
	else
		key = vrecord_key_xattr(ino, hash);
	same(wire, key.at, key.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t to[VRECORD_MAX];
	struct span wire = span_from((struct span){data, size}, 1);
	struct vrecord_volume v;
	struct vrecord_inode i;
	struct vrecord_name n;
	struct vrecord_xattr x;

	if (size == 0)
		return 0;
	switch (data[0]) {
	case 'S':
		if (vrecord_get_volume(wire, &v) == 0)
			same(wire, to, vrecord_put_volume(&v, to));
		break;
	case 'I':
		if (vrecord_get_inode(wire, &i) == 0)
			same(wire, to, vrecord_put_inode(&i, to));
		break;
	case 'D':
		if (vrecord_get_name(wire, &n) == 0)
			same(wire, to, vrecord_put_name(&n, to));
		break;
	case 'X':
		if (vrecord_get_xattr(wire, &x) == 0)
			same(wire, to, vrecord_put_xattr(&x, to));
		break;
	case 'K':
		try_key(wire);
		break;
	default:
		try_header(wire);
		break;
	}
	return 0;
}

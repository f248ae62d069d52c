/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/launch.h"

#define LAUNCH_MAGIC 0x326f746eu /* "nto2" */
#define TRACE_MAX    4096u

bool launch_path_ok(struct span path)
{
	size_t start = 1;

	if (path.size == 0 || path.size > LAUNCH_PATH_MAX || path.at[0] != '/')
		return false;
	if (memchr(path.at, 0, path.size))
		return false;
	if (path.size == 1)
		return true;
	for (size_t i = 1; i <= path.size; i++) {
		struct span part = {path.at + start, i - start};

		if (i < path.size && path.at[i] != '/')
			continue;
		if (part.size == 0 || span_is(part, ".") || span_is(part, ".."))
			return false;
		start = i + 1;
	}
	return true;
}

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool launch_name_ok(struct span name)
{
	if (name.size == 0 || name.size > LAUNCH_NAME_MAX ||
	    !is_letter(name.at[0]))
		return false;
	for (size_t i = 1; i < name.size; i++) {
		uint8_t c = name.at[i];

		if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '-' &&
		    c != '_' && c != '.')
			return false;
	}
	return true;
}

/* What each kind may have. */
static const struct {
	uint32_t fds_min, fds_max;
	uint32_t flags;
	bool below_root; /* `at` is one name below / */
	bool at_root;    /* `at` may be / itself */
	enum { NOTHING, A_NAME, A_PATH } from;
} kinds[] = {
	[LAUNCH_TEMPLATE] = {1, 1, 0, true, false, NOTHING},
	[LAUNCH_LINK] = {0, 0, 0, true, false, A_NAME},
	[LAUNCH_IMAGE] = {1, LAUNCH_MOUNT_FDS, 0, false, true, NOTHING},
	[LAUNCH_VOLUME] = {1, LAUNCH_MOUNT_FDS, LAUNCH_MOUNT_WRITABLE, false,
                           true, A_NAME},
	[LAUNCH_VOLATILE] = {0, LAUNCH_MOUNT_FDS, 0, false, true, NOTHING},
	[LAUNCH_SHARE] = {1, 1, LAUNCH_MOUNT_WRITABLE | LAUNCH_MOUNT_FILE,
                          false, false, NOTHING},
	[LAUNCH_BIND] = {0, 0, 0, false, false, A_PATH},
	[LAUNCH_TOOLS] = {1, 1, 0, false, true, NOTHING},
};

static bool from_ok(const struct launch_mount *m)
{
	switch (kinds[m->kind].from) {
	case NOTHING:
		return m->from.size == 0;
	case A_NAME:
		return m->from.size > 0 &&
		       wire_text_ok(m->from, LAUNCH_PATH_MAX);
	case A_PATH:
		return launch_path_ok(m->from) && m->from.size > 1;
	}
	return false;
}

static bool mount_ok(const struct launch_mount *m)
{
	size_t slashes = 0;

	if (m->kind >= ARRAY_LEN(kinds) || !launch_path_ok(m->at) ||
	    m->flags & ~kinds[m->kind].flags)
		return false;
	for (size_t i = 0; i < m->at.size; i++)
		slashes += m->at.at[i] == '/';
	if (kinds[m->kind].below_root &&
	    (slashes != 1 || m->at.size - 1 > LAUNCH_NAME_MAX))
		return false;
	return m->fds >= kinds[m->kind].fds_min &&
	       m->fds <= kinds[m->kind].fds_max &&
	       (m->at.size > 1 || kinds[m->kind].at_root) && from_ok(m);
}

/* One of each at the root; no image with templates. */
static bool root_ok(const struct launch *l)
{
	uint32_t at_root[ARRAY_LEN(kinds)] = {0};
	uint32_t folders = 0;

	for (uint32_t i = 0; i < l->mount_count; i++) {
		const struct launch_mount *m = &l->mount[i];

		folders += kinds[m->kind].below_root;
		if (m->at.size == 1 && ++at_root[m->kind] > 1)
			return false;
	}
	return at_root[LAUNCH_IMAGE] == 0 || folders == 0;
}

static bool launch_ok(const struct launch *l)
{
	if (l->flags & ~LAUNCH_FLAGS || l->memory == 0 || l->tasks == 0)
		return false;
	if (!launch_name_ok(l->name) || !wire_text_ok(l->trace, TRACE_MAX))
		return false;
	if (l->mount_count > LAUNCH_MOUNTS)
		return false;
	for (uint32_t i = 0; i < l->mount_count; i++)
		if (!mount_ok(&l->mount[i]))
			return false;
	return root_ok(l) && launch_descriptors(l) <= LAUNCH_FDS_MAX;
}

int launch_parse(struct span wire, struct launch *out)
{
	struct reader r = {.rest = wire};
	struct launch l = {0};

	if (rd_le32(&r) != LAUNCH_MAGIC)
		return -EPROTO;
	l.flags = rd_le32(&r);
	l.memory = rd_le64(&r);
	l.tasks = rd_le32(&r);
	l.name = rd_str32(&r);
	l.trace = rd_str32(&r);
	l.mount_count = rd_le32(&r);
	for (uint32_t i = 0; i < MIN(l.mount_count, LAUNCH_MOUNTS); i++) {
		l.mount[i].kind = rd_u8(&r);
		l.mount[i].flags = rd_u8(&r);
		l.mount[i].fds = rd_u8(&r);
		l.mount[i].at = rd_str32(&r);
		l.mount[i].from = rd_str32(&r);
	}
	if (!rd_end(&r) || !launch_ok(&l))
		return -EPROTO;
	*out = l;
	return 0;
}

int launch_format(const struct launch *l, uint8_t **out, size_t *size)
{
	struct buffer b = {0};

	if (!launch_ok(l))
		return -EINVAL;
	wire_put_le(&b, LAUNCH_MAGIC, 4);
	wire_put_le(&b, l->flags, 4);
	wire_put_le(&b, l->memory, 8);
	wire_put_le(&b, l->tasks, 4);
	wire_put_str(&b, l->name);
	wire_put_str(&b, l->trace);
	wire_put_le(&b, l->mount_count, 4);
	for (uint32_t i = 0; i < l->mount_count; i++) {
		wire_put_le(&b, l->mount[i].kind, 1);
		wire_put_le(&b, l->mount[i].flags, 1);
		wire_put_le(&b, l->mount[i].fds, 1);
		wire_put_str(&b, l->mount[i].at);
		wire_put_str(&b, l->mount[i].from);
	}
	return wire_take(&b, out, size);
}

uint32_t launch_descriptors(const struct launch *l)
{
	uint32_t count = 1;

	count += (l->flags & LAUNCH_LISTEN) != 0;
	count += (l->flags & LAUNCH_TELL) != 0;
	for (uint32_t i = 0; i < l->mount_count; i++)
		count += l->mount[i].fds;
	return count;
}

int launch_add(struct launch *l, const struct launch_mount *m)
{
	if (l->mount_count == LAUNCH_MOUNTS)
		return -E2BIG;
	l->mount[l->mount_count++] = *m;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/launch.h"

#define LAUNCH_MAGIC 0x6f746e42u /* "Bnto" */

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

static bool text_ok(struct span s, size_t max)
{
	return s.size <= max && (s.size == 0 || !memchr(s.at, 0, s.size));
}

static bool list_ok(const struct launch_list *l)
{
	uint32_t ends = 0;

	for (size_t i = 0; i < l->packed.size; i++)
		ends += l->packed.at[i] == 0;
	if (l->packed.size > 0 && l->packed.at[l->packed.size - 1] != 0)
		return false;
	return ends == l->count;
}

static bool template_ok(const struct launch_template *t)
{
	return t->name.size > 0 && text_ok(t->name, LAUNCH_NAME_MAX) &&
	       !memchr(t->name.at, '/', t->name.size) &&
	       !span_is(t->name, ".") && !span_is(t->name, "..") &&
	       text_ok(t->link, LAUNCH_LINK_MAX);
}

static bool streams_ok(const struct launch *l)
{
	for (size_t i = 0; i < ARRAY_LEN(l->stream); i++)
		if (l->stream[i] > LAUNCH_TERMINAL)
			return false;
	return true;
}

static bool launch_ok(const struct launch *l)
{
	if (l->flags & ~LAUNCH_FLAGS || l->memory == 0 || l->tasks == 0)
		return false;
	if (!streams_ok(l))
		return false;
	if (l->user.size == 0 || !text_ok(l->user, LAUNCH_NAME_MAX))
		return false;
	if (!launch_path_ok(l->cwd) || !text_ok(l->trace, 4096))
		return false;
	if (l->args.count == 0 || !list_ok(&l->args) || !list_ok(&l->env))
		return false;
	if (l->template_count > LAUNCH_TEMPLATES ||
	    l->share_count > LAUNCH_SHARES)
		return false;
	for (uint32_t i = 0; i < l->template_count; i++)
		if (!template_ok(&l->template[i]))
			return false;
	for (uint32_t i = 0; i < l->share_count; i++)
		if (l->share[i].flags & ~LAUNCH_SHARE_FLAGS ||
		    !launch_path_ok(l->share[i].at) || l->share[i].at.size < 2)
			return false;
	return true;
}

static void rd_list(struct reader *r, struct launch_list *l)
{
	l->count = rd_le32(r);
	l->packed = rd_str32(r);
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
	for (size_t i = 0; i < ARRAY_LEN(l.stream); i++)
		l.stream[i] = rd_u8(&r);
	l.rows = rd_le16(&r);
	l.columns = rd_le16(&r);
	l.user = rd_str32(&r);
	l.cwd = rd_str32(&r);
	l.trace = rd_str32(&r);
	rd_list(&r, &l.args);
	rd_list(&r, &l.env);
	l.template_count = rd_le32(&r);
	for (uint32_t i = 0; i < MIN(l.template_count, LAUNCH_TEMPLATES); i++) {
		l.template[i].name = rd_str32(&r);
		l.template[i].link = rd_str32(&r);
	}
	l.share_count = rd_le32(&r);
	for (uint32_t i = 0; i < MIN(l.share_count, LAUNCH_SHARES); i++) {
		l.share[i].flags = rd_le32(&r);
		l.share[i].at = rd_str32(&r);
	}
	if (!rd_end(&r) || !launch_ok(&l))
		return -EPROTO;
	*out = l;
	return 0;
}

/* Writes if there is room, counts in any case. */
struct writer {
	uint8_t *at;
	size_t size;
};

static void put(struct writer *w, const void *from, size_t size)
{
	if (w->at && size > 0)
		memcpy(w->at + w->size, from, size);
	w->size += size;
}

static void put_le(struct writer *w, uint64_t v, size_t size)
{
	uint8_t b[8];

	for (size_t i = 0; i < size; i++)
		b[i] = (uint8_t)(v >> (8 * i));
	put(w, b, size);
}

static void put_str(struct writer *w, struct span s)
{
	put_le(w, s.size, 4);
	put(w, s.at, s.size);
}

static void put_list(struct writer *w, const struct launch_list *l)
{
	put_le(w, l->count, 4);
	put_str(w, l->packed);
}

static void put_launch(struct writer *w, const struct launch *l)
{
	put_le(w, LAUNCH_MAGIC, 4);
	put_le(w, l->flags, 4);
	put_le(w, l->memory, 8);
	put_le(w, l->tasks, 4);
	for (size_t i = 0; i < ARRAY_LEN(l->stream); i++)
		put_le(w, l->stream[i], 1);
	put_le(w, l->rows, 2);
	put_le(w, l->columns, 2);
	put_str(w, l->user);
	put_str(w, l->cwd);
	put_str(w, l->trace);
	put_list(w, &l->args);
	put_list(w, &l->env);
	put_le(w, l->template_count, 4);
	for (uint32_t i = 0; i < l->template_count; i++) {
		put_str(w, l->template[i].name);
		put_str(w, l->template[i].link);
	}
	put_le(w, l->share_count, 4);
	for (uint32_t i = 0; i < l->share_count; i++) {
		put_le(w, l->share[i].flags, 4);
		put_str(w, l->share[i].at);
	}
}

int launch_format(const struct launch *l, uint8_t **out, size_t *size)
{
	struct writer w = {0};

	if (!launch_ok(l))
		return -EINVAL;
	put_launch(&w, l);
	if (w.size > LAUNCH_SIZE_MAX)
		return -EINVAL;
	w.at = malloc(w.size);
	if (!w.at)
		return -ENOMEM;
	w.size = 0;
	put_launch(&w, l);
	*out = w.at;
	*size = w.size;
	return 0;
}

uint32_t launch_descriptors(const struct launch *l)
{
	uint32_t count = 1 + l->share_count;
	bool terminal = false;

	for (size_t i = 0; i < ARRAY_LEN(l->stream); i++) {
		count += l->stream[i] == LAUNCH_DESCRIPTOR;
		terminal |= l->stream[i] == LAUNCH_TERMINAL;
	}
	count += terminal;
	count += (l->flags & LAUNCH_TELL) != 0;
	for (uint32_t i = 0; i < l->template_count; i++)
		count += l->template[i].link.size == 0;
	return count;
}

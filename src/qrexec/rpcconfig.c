/* SPDX-License-Identifier: Apache-2.0 */
#include "qrexec/rpcconfig.h"

#include <errno.h>

enum kind { BOOLEAN, BOOLEAN_OR_NUMBER, TEXT };

/* All keys, and where their values go. */
static const struct key {
	const char *name;
	enum kind kind;
	size_t at;
} keys[] = {
	{"wait-for-session", BOOLEAN_OR_NUMBER,
         offsetof(struct rpcconfig, wait_for_session)},
	{"skip-service-descriptor", BOOLEAN,
         offsetof(struct rpcconfig, skip_service_descriptor)},
	{"exit-on-client-eof", BOOLEAN,
         offsetof(struct rpcconfig, exit_on_client_eof)},
	{"exit-on-service-eof", BOOLEAN,
         offsetof(struct rpcconfig, exit_on_service_eof)},
	{"force-user", TEXT, offsetof(struct rpcconfig, force_user)},
};

struct state {
	struct rpcconfig config;
	bool seen[ARRAY_LEN(keys)];
	struct span odd[RPCCONFIG_SIZE_MAX / 4]; /* unknown keys so far */
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct span skip_blanks(struct span s)
{
	while (s.size > 0 && is_blank(s.at[0]))
		s = span_from(s, 1);
	return s;
}

static bool is_key(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* The longest beginning whose bytes all are (or are not) so. */
static struct span take_key(struct span *s)
{
	struct span got = *s;

	got.size = 0;
	while (got.size < s->size && is_key(s->at[got.size]))
		got.size++;
	*s = span_from(*s, got.size);
	return got;
}

/* Nothing, or a comment, may be left of a line. */
static bool at_end(struct span s)
{
	s = skip_blanks(s);
	return s.size == 0 || s.at[0] == '#';
}

static int set_text(const struct key *k, struct rpcconfig *c, struct span text)
{
	char *to = (char *)c + k->at;

	if (text.size > RPCCONFIG_USER_MAX)
		return -EINVAL;
	for (size_t i = 0; i < text.size; i++)
		if (!is_key(text.at[i]) && text.at[i] != '.')
			return -EINVAL;
	if (text.size > 0)
		memcpy(to, text.at, text.size);
	to[text.size] = '\0';
	return 0;
}

static int set_bool(const struct key *k, struct rpcconfig *c, struct span word)
{
	bool *to = (bool *)((char *)c + k->at);

	if (span_is(word, "true") ||
	    (k->kind == BOOLEAN_OR_NUMBER && span_is(word, "1")))
		*to = true;
	else if (span_is(word, "false") ||
	         (k->kind == BOOLEAN_OR_NUMBER && span_is(word, "0")))
		*to = false;
	else
		return -EINVAL;
	return 0;
}

/* A value of any kind: 'text', or a word.  *quoted says which. */
static int take_value(struct span *s, struct span *out, bool *quoted)
{
	const uint8_t *end;

	*quoted = s->size > 0 && s->at[0] == '\'';
	if (!*quoted) {
		*out = take_key(s);
		return out->size > 0 ? 0 : -EINVAL;
	}
	*s = span_from(*s, 1);
	end = s->size > 0 ? memchr(s->at, '\'', s->size) : NULL;
	if (!end)
		return -EINVAL;
	*out = (struct span){s->at, (size_t)(end - s->at)};
	*s = span_from(*s, out->size + 1);
	return 0;
}

/* A key of another program's, or another time's: only not twice. */
static int note_unknown(struct state *st, struct span name)
{
	for (uint32_t i = 0; i < st->config.unknown; i++)
		if (span_eq(st->odd[i], name))
			return -EINVAL;
	if (st->config.unknown == ARRAY_LEN(st->odd))
		return -EINVAL;
	st->odd[st->config.unknown++] = name;
	return 0;
}

static int set_key(struct state *st, struct span name, struct span value,
                   bool quoted)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (!span_is(name, keys[i].name))
			continue;
		if (st->seen[i] || quoted != (keys[i].kind == TEXT))
			return -EINVAL;
		st->seen[i] = true;
		return quoted ? set_text(&keys[i], &st->config, value)
		              : set_bool(&keys[i], &st->config, value);
	}
	return note_unknown(st, name);
}

static int parse_line(struct state *st, struct span line)
{
	struct span name, value;
	bool quoted;

	if (at_end(line))
		return 0;
	line = skip_blanks(line);
	name = take_key(&line);
	line = skip_blanks(line);
	if (name.size == 0 || line.size == 0 || line.at[0] != '=')
		return -EINVAL;
	line = skip_blanks(span_from(line, 1));
	if (take_value(&line, &value, &quoted) < 0 || !at_end(line))
		return -EINVAL;
	return set_key(st, name, value, quoted);
}

int rpcconfig_parse(struct span text, struct rpcconfig *out, uint32_t *line)
{
	autofree struct state *st = calloc(1, sizeof(*st));
	uint32_t number = 0;

	if (!st)
		return -ENOMEM;
	if (text.size > RPCCONFIG_SIZE_MAX) {
		*line = 1;
		return -EINVAL;
	}
	while (text.size > 0) {
		const uint8_t *end = memchr(text.at, '\n', text.size);
		size_t size = end ? (size_t)(end - text.at) : text.size;

		number++;
		if (parse_line(st, (struct span){text.at, size}) < 0) {
			*line = number;
			return -EINVAL;
		}
		text = span_from(text, size + (end != NULL));
	}
	*out = st->config;
	return 0;
}

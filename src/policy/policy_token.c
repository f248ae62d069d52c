/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_token.h"

enum tail { EXACT, OF, UUID };

enum {
	SOURCE = POLICY_SOURCE,
	TARGET = POLICY_TARGET,
	REDIRECT = POLICY_REDIRECT,
	WANTED = POLICY_WANTED,
};

static const struct row {
	enum policy_kind kind;
	const char *spelling;
	enum tail tail;
	unsigned places;
} rows[] = {
#define TOKEN(kind, spelling, tail, places) \
	{POLICY_##kind, spelling, tail, places},
#include "policy/policy_tokens.def"
};

bool policy_token_is_uuid(struct span s)
{
	if (s.size != 36)
		return false;
	for (size_t i = 0; i < s.size; i++) {
		uint8_t c = s.at[i];
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');

		if (dash ? c != '-' : !digit)
			return false;
	}
	return true;
}

/* The row of a word, and what follows its spelling; NULL: it is a name. */
static const struct row *find(struct span word, struct span *tail)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct reader r = {.rest = word};
		struct span start = rd_take(&r, strlen(rows[i].spelling));

		if (!span_is(start, rows[i].spelling))
			continue;
		if (rows[i].tail == EXACT && r.rest.size > 0)
			continue;
		*tail = r.rest;
		return &rows[i];
	}
	return NULL;
}

int policy_token_read(struct span word, enum policy_place place,
                      struct policy_token *out)
{
	struct span tail = {NULL, 0};
	const struct row *row = find(word, &tail);

	if (word.size == 0)
		return -EINVAL;
	if (!row) {
		if (word.at[0] == '@')
			return -EINVAL;
		*out = (struct policy_token){POLICY_NAME, word};
		return 0;
	}
	if (!(row->places & place))
		return -EINVAL;
	if (row->tail == OF && (tail.size == 0 || tail.at[0] == '@'))
		return -EINVAL;
	if (row->tail == UUID && !policy_token_is_uuid(tail))
		return -EINVAL;
	*out = (struct policy_token){row->kind, tail};
	return 0;
}

const char *policy_token_spelling(enum policy_kind kind)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].kind == kind)
			return rows[i].spelling;
	return "";
}

bool policy_token_same(struct policy_token a, struct policy_token b)
{
	return a.kind == b.kind && span_eq(a.value, b.value);
}

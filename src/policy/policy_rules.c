/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_rules.h"

#define CHUNK 16384u

struct policy_chunk {
	struct policy_chunk *next;
	size_t used;
	size_t size;
	uint8_t bytes[];
};

struct policy_rules *policy_rules_create(void)
{
	return calloc(1, sizeof(struct policy_rules));
}

void policy_rules_destroy(struct policy_rules *p)
{
	struct policy_chunk *next;

	if (!p)
		return;
	for (struct policy_chunk *c = p->chunks; c; c = next) {
		next = c->next;
		free(c);
	}
	free(p->rule);
	free((void *)p->file);
	free(p);
}

/* Room for `size` bytes in the first chunk, or NULL. */
static uint8_t *reserve(struct policy_rules *p, size_t size)
{
	struct policy_chunk *c = p->chunks;
	size_t room;

	if (!c || size > c->size - c->used) {
		room = MAX(size, (size_t)CHUNK);
		if (!size_add(room, sizeof(*c), &room))
			return NULL;
		c = malloc(room);
		if (!c)
			return NULL;
		c->next = p->chunks;
		c->used = 0;
		c->size = room - sizeof(*c);
		p->chunks = c;
	}
	c->used += size;
	return &c->bytes[c->used - size];
}

int policy_rules_keep(struct policy_rules *p, struct span s, struct span *out)
{
	uint8_t *to;
	size_t size;

	if (!size_add(s.size, 1, &size))
		return -ENOMEM;
	to = reserve(p, size);
	if (!to)
		return -ENOMEM;
	if (s.size > 0)
		memcpy(to, s.at, s.size);
	to[s.size] = 0;
	*out = (struct span){to, s.size};
	return 0;
}

int64_t policy_rules_file(struct policy_rules *p, const char *path)
{
	struct span kept;
	size_t room = MAX(p->file_room * 2, (size_t)16);
	int err;

	if (p->file_count >= POLICY_FILES_MAX)
		return -E2BIG;
	if (p->file_count == p->file_room) {
		const char **more = reallocarray((void *)p->file, room,
		                                 sizeof(*more));

		if (!more)
			return -ENOMEM;
		p->file = more;
		p->file_room = room;
	}
	err = policy_rules_keep(p, span_str(path), &kept);
	if (err < 0)
		return err;
	p->file[p->file_count] = (const char *)kept.at;
	return (int64_t)p->file_count++;
}

int policy_rules_add(struct policy_rules *p, const struct policy_rule *rule)
{
	struct policy_rule r = *rule;
	struct span *const strings[] = {
		&r.service,      &r.argument,       &r.source.value,
		&r.target.value, &r.redirect.value, &r.default_target.value,
		&r.user,
	};
	size_t room = MAX(p->room * 2, (size_t)64);

	if (p->count >= POLICY_RULES_MAX)
		return -E2BIG;
	if (p->count == p->room) {
		struct policy_rule *more = reallocarray(p->rule, room,
		                                        sizeof(*more));

		if (!more)
			return -ENOMEM;
		p->rule = more;
		p->room = room;
	}
	for (size_t i = 0; i < ARRAY_LEN(strings); i++)
		if (strings[i]->size > 0 &&
		    policy_rules_keep(p, *strings[i], strings[i]) < 0)
			return -ENOMEM;

	/* Nothing below can fail. */
	p->rule[p->count++] = r;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_source.h"

#include <stdio.h>

int policy_source_add(struct policy_names *n, const char *name)
{
	size_t room = MAX(n->room * 2, (size_t)16);
	char *copy;

	if (n->count == n->room) {
		char **more = reallocarray(n->name, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		n->name = more;
		n->room = room;
	}
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	n->name[n->count++] = copy;
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void policy_source_sort(struct policy_names *n)
{
	if (n->count > 1)
		qsort(n->name, n->count, sizeof(*n->name), by_bytes);
}

void policy_source_fini(struct policy_names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->name[i]);
	free(n->name);
	*n = (struct policy_names){0};
}

int policy_source_name(const char *name)
{
	static const char suffix[] = ".policy";
	size_t len = strlen(name);

	if (name[0] == '.' || len < sizeof(suffix) - 1 ||
	    strcmp(name + len - (sizeof(suffix) - 1), suffix) != 0)
		return 0;
	if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.-") != len)
		return -EINVAL;
	return 1;
}

int policy_source_pick(struct policy_names *n, const char *folder,
                       struct fault *f)
{
	size_t kept = 0;

	policy_source_sort(n);
	for (size_t i = 0; i < n->count; i++) {
		int is = policy_source_name(n->name[i]);
		char shown[256];

		if (is < 0) {
			policy_source_escape(span_str(n->name[i]), shown,
			                     sizeof(shown));
			/* What was passed over is freed, the rest kept. */
			while (i < n->count)
				n->name[kept++] = n->name[i++];
			n->count = kept;
			return fault_set(f, is,
			                 "%s: %s is no name for a policy "
			                 "file: a-z 0-9 _ . - only",
			                 folder, shown);
		}
		if (is)
			n->name[kept++] = n->name[i];
		else
			free(n->name[i]);
	}
	n->count = kept;
	return 0;
}

void policy_source_escape(struct span s, char *to, size_t room)
{
	size_t at = 0;

	for (size_t i = 0; i < s.size; i++) {
		uint8_t c = s.at[i];
		bool plain = c >= 0x20 && c < 0x7f && c != '\\';
		size_t need = plain ? 1 : 4;

		if (need >= room - at)
			break;
		(void)snprintf(to + at, room - at, plain ? "%c" : "\\x%02x", c);
		at += need;
	}
	to[at] = '\0';
}

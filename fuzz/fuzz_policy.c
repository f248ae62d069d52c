/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of whatever the parser accepts, written as lines, are the same
 * rules when they are read again; what it refuses, it refuses with a reason.
 *
 * The input has files divided by NULs: the main one, then /p/policy.d/1, /2
 * and so on; the folder `d` has them as a.policy, b.policy ..., and the folder
 * of old files has them as `a`, `b+x`, `c`, ...
 */
#include <stdio.h>

#include "base/buffer.h"
#include "policy/policy_line.h"
#include "policy/policy_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PARTS 5u

struct input {
	struct span part[PARTS];
	size_t count;
};

static int give(struct span s, uint8_t **text, size_t *size, struct fault *f)
{
	*text = malloc(MAX(s.size, (size_t)1));
	if (!*text)
		return fault_set(f, -ENOMEM, "out of memory");
	if (s.size > 0)
		memcpy(*text, s.at, s.size);
	*size = s.size;
	return 0;
}

static int input_read(void *ctx, const char *path, uint8_t **text, size_t *size,
                      struct fault *f)
{
	static const char *const names[PARTS][3] = {
		{"/p/policy.d/m", "/p/policy.d/m", "/p/policy.d/m"},
		{"/p/policy.d/1", "/p/policy.d/d/a.policy", "/p/policy/a"},
		{"/p/policy.d/2", "/p/policy.d/d/b.policy", "/p/policy/b+x"},
		{"/p/policy.d/3", "/p/policy.d/d/c.policy", "/p/policy/c"},
		{"/p/policy.d/4", "/p/policy.d/d/d.policy", "/p/policy/b"},
	};
	const struct input *in = ctx;

	for (size_t i = 0; i < in->count; i++)
		for (size_t k = 0; k < ARRAY_LEN(names[i]); k++)
			if (strcmp(path, names[i][k]) == 0)
				return give(in->part[i], text, size, f);
	return fault_set(f, -ENOENT, "%s is not there", path);
}

static int input_list(void *ctx, const char *path, struct policy_names *names,
                      struct fault *f)
{
	static const char *const news[PARTS] = {"", "a.policy", "b.policy",
	                                        "c.policy", "d.policy"};
	static const char *const olds[PARTS] = {"", "a", "b+x", "c", "b"};
	const struct input *in = ctx;
	bool old = strcmp(path, "/p/policy") == 0;

	if (!old && strcmp(path, "/p/policy.d/d") != 0)
		return fault_set(f, -ENOENT, "%s is not there", path);
	for (size_t i = in->count; i-- > 1;)
		if (policy_source_add(names, (old ? olds : news)[i]) < 0)
			return fault_set(f, -ENOMEM, "out of memory");
	return 0;
}

/* All rules as lines; false if one is longer than a line may be. */
static bool dump(const struct policy_rules *p, struct buffer *to)
{
	char line[POLICY_LINE_MAX + 1];

	for (size_t i = 0; i < p->count; i++) {
		if (p->rule[i].file >= p->file_count)
			abort();
		if (policy_line_write(&p->rule[i], line, sizeof(line)) < 0)
			return false;
		buffer_printf(to, "%s\n", line);
	}
	return true;
}

/* Reads the input; true and its rules in `to` if they are ones. */
static bool parse(struct input *in, struct buffer *to)
{
	const struct policy_source source = {in, input_read, input_list};
	struct policy_rules *rules = policy_rules_create();
	struct fault f = {""};
	bool good;
	int err;

	if (!rules)
		abort();
	err = policy_parse_file(rules, &source, "/p/policy.d/m", "/p/policy.d",
	                        &f);
	if (err < 0 && !f.text[0])
		abort();
	good = err == 0 && dump(rules, to);
	policy_rules_destroy(rules);
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autobuffer struct buffer first = {0};
	autobuffer struct buffer second = {0};
	struct reader r = {.rest = {data, size}};
	struct input in = {.count = 0};

	/* Files that include one another often only take time. */
	if (size > 4096)
		return 0;
	while (in.count < PARTS && (r.rest.size > 0 || in.count == 0)) {
		size_t n = 0;

		while (n < r.rest.size && r.rest.at[n])
			n++;
		in.part[in.count++] = rd_take(&r, n);
		(void)rd_take(&r, MIN(r.rest.size, (size_t)1));
	}
	if (!parse(&in, &first) || first.size > POLICY_FILE_MAX)
		return 0;
	in = (struct input){.part = {buffer_span(&first)}, .count = 1};
	if (!parse(&in, &second) ||
	    !span_eq(buffer_span(&first), buffer_span(&second)))
		abort();
	return 0;
}

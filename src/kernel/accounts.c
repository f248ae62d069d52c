/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/accounts.h"

#include <fcntl.h>
#include <stdlib.h>

#include "channel/job.h"
#include "kernel/fs/hand.h"

#define FILE_MAX ((size_t)1 << 20)
#define FIELDS   7

static const struct account known[] = {
	{1000, 1000, "user", "/home/user", "/bin/bash", {1000}, 1},
	{0, 0, "root", "/root", "/bin/bash", {0}, 1},
};

static_assert(JOB_USER_MAX <= ACCOUNTS_TEXT_MAX, "jobs can name all accounts");

/* Takes the next line off, without its end.  False: there is none. */
static bool take_line(struct span *text, struct span *line)
{
	const uint8_t *end;

	if (text->size == 0)
		return false;
	end = memchr(text->at, '\n', text->size);
	line->at = text->at;
	line->size = end ? (size_t)(end - text->at) : text->size;
	*text = span_from(*text, line->size + 1);
	return true;
}

/* Takes what is before the next `c` off. */
static struct span take_field(struct span *rest, uint8_t c)
{
	const uint8_t *end = rest->size > 0 ? memchr(rest->at, c, rest->size)
	                                    : NULL;
	struct span got = *rest;

	if (end)
		got.size = (size_t)(end - rest->at);
	*rest = span_from(*rest, got.size + 1);
	return got;
}

static bool number(struct span s, uint32_t *out)
{
	uint64_t n = 0;

	if (s.size == 0 || s.size > 10)
		return false;
	for (size_t i = 0; i < s.size; i++) {
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(s.at[i] - '0');
	}
	*out = (uint32_t)n;
	return n < UINT32_MAX; /* -1 is nobody's */
}

static bool copy(char to[ACCOUNTS_TEXT_MAX + 1], struct span s)
{
	if (s.size > ACCOUNTS_TEXT_MAX ||
	    (s.size > 0 && memchr(s.at, 0, s.size)))
		return false;
	if (s.size > 0)
		memcpy(to, s.at, s.size);
	to[s.size] = '\0';
	return true;
}

/* name:password:uid:gid:gecos:home:shell */
static bool parse_user(struct span line, struct span name, struct account *out)
{
	struct span field[FIELDS];

	for (size_t i = 0; i < FIELDS; i++)
		field[i] = take_field(&line, ':');
	return span_eq(field[0], name) && number(field[2], &out->uid) &&
	       number(field[3], &out->gid) && copy(out->name, field[0]) &&
	       copy(out->home, field[5]) && copy(out->shell, field[6]);
}

static void add_group(struct account *a, uint32_t gid)
{
	for (uint32_t i = 0; i < a->group_count; i++)
		if (a->groups[i] == gid)
			return;
	if (a->group_count < ACCOUNTS_GROUPS)
		a->groups[a->group_count++] = gid;
}

/* name:password:gid:member,member... */
static void parse_group(struct span line, struct span name, struct account *a)
{
	struct span gid;
	uint32_t n;

	(void)take_field(&line, ':');
	(void)take_field(&line, ':');
	gid = take_field(&line, ':');
	while (line.size > 0)
		if (span_eq(take_field(&line, ','), name) && number(gid, &n))
			add_group(a, n);
}

int accounts_parse(struct span passwd, struct span group, struct span name,
                   struct account *out)
{
	struct account a = {0};
	struct span line;
	bool found = false;

	while (name.size > 0 && !found && take_line(&passwd, &line))
		found = parse_user(line, name, &a);
	if (!found)
		return -ENOENT;
	add_group(&a, a.gid);
	while (take_line(&group, &line))
		parse_group(line, name, &a);
	*out = a;
	return 0;
}

/* A file of root's as text, which the caller frees; or a negative errno. */
static long read_text(struct task *t, const char *path, uint8_t **out)
{
	autofree uint8_t *text = malloc(FILE_MAX);
	struct path p;
	long n;

	if (!text)
		return -ENOMEM;
	n = path_lookup(t, AT_FDCWD, path, PATH_FOLLOW, &p);
	if (n < 0)
		return n;
	n = hand_read(t, &p, text, FILE_MAX);
	path_put(&p);
	if (n < 0)
		return n;
	*out = text;
	text = NULL;
	return n;
}

/* As the qube's files have it. */
static int find_in_files(struct task *t, struct span name, struct account *out)
{
	autofree uint8_t *passwd = NULL, *group = NULL;
	long users, groups;

	users = read_text(t, "/etc/passwd", &passwd);
	if (users < 0)
		return (int)users;
	groups = read_text(t, "/etc/group", &group);
	return accounts_parse((struct span){passwd, (size_t)users},
	                      (struct span){group, (size_t)MAX(groups, 0)},
	                      name, out);
}

int accounts_find(struct task *t, struct span name, struct account *out)
{
	int err;

	if (name.size == 0)
		name = span_str(known[0].name);
	err = find_in_files(t, name, out);
	for (size_t i = 0; i < ARRAY_LEN(known) && err < 0; i++)
		if (span_is(name, known[i].name)) {
			*out = known[i];
			err = 0;
		}
	return err;
}

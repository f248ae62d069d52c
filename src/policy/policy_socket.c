/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_socket.h"

#define NAME_ROOM 128u

enum { OPTIONAL, WANTED };

/* Printable ASCII without blanks; a text may also be empty. */
static int read_text(struct span value, void *to)
{
	for (size_t i = 0; i < value.size; i++)
		if (value.at[i] < 0x21 || value.at[i] > 0x7e)
			return -EPROTO;
	*(struct span *)to = value;
	return 0;
}

static int read_word(struct span value, void *to)
{
	return value.size > 0 ? read_text(value, to) : -EPROTO;
}

static int read_bool(struct span value, void *to)
{
	if (!span_is(value, "yes") && !span_is(value, "no"))
		return -EPROTO;
	*(bool *)to = span_is(value, "yes");
	return 0;
}

static const struct {
	const char *name;
	int (*read)(struct span value, void *to);
	size_t at;
	int need;
} keys[] = {
#define KEY(name, function, member, need)                                  \
	{#name, read_##function, offsetof(struct policy_question, member), \
	 need},
#include "policy/policy_keys.def"
};

ssize_t policy_socket_size(struct span bytes)
{
	size_t most = MIN(bytes.size, (size_t)POLICY_SOCKET_MAX);

	for (size_t i = 0; i < most; i++)
		if (bytes.at[i] == '\n' && (i == 0 || bytes.at[i - 1] == '\n'))
			return (ssize_t)(i + 1);
	return bytes.size >= POLICY_SOCKET_MAX ? -EPROTO : 0;
}

/* Takes what is before `end` off the front, and `end`; bad if it is not there. */
static struct span take_until(struct reader *r, uint8_t end)
{
	struct span got;
	size_t size = 0;

	while (size < r->rest.size && r->rest.at[size] != end)
		size++;
	got = rd_take(r, size);
	(void)rd_take(r, 1);
	return got;
}

static int read_line(struct span line, uint32_t *seen,
                     struct policy_question *q)
{
	struct reader r = {.rest = line};
	struct span key = take_until(&r, '=');

	if (r.bad)
		return -EPROTO;
	for (uint32_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (!span_is(key, keys[i].name))
			continue;
		if (*seen & 1u << i)
			return -EPROTO;
		*seen |= 1u << i;
		return keys[i].read(r.rest, (char *)q + keys[i].at);
	}
	return -EPROTO;
}

int policy_socket_parse(struct span bytes, struct policy_question *out)
{
	struct policy_question q = {0};
	struct reader r = {.rest = bytes};
	uint32_t seen = 0;

	while (!r.bad) {
		struct span line = take_until(&r, '\n');

		if (r.bad || line.size == 0)
			break;
		if (read_line(line, &seen, &q) < 0)
			return -EPROTO;
	}
	if (!rd_end(&r))
		return -EPROTO;
	for (uint32_t i = 0; i < ARRAY_LEN(keys); i++)
		if (keys[i].need == WANTED && !(seen & 1u << i))
			return -EPROTO;
	*out = q;
	return 0;
}

bool policy_socket_source(const struct policy_system *s,
                          struct policy_question *q)
{
	return policy_system_speaker(s, q->request.source, q->requested_source,
	                             &q->request.source);
}

void policy_socket_settle(const struct policy_question *q,
                          struct policy_answer *a)
{
	size_t at = a->offer_count;

	if (q->assume_yes && !q->just_evaluate)
		at = policy_eval_find(a, a->wanted);
	if (q->assume_yes || q->just_evaluate)
		policy_eval_choose(a, at);
}

void policy_socket_format(const struct policy_system *s,
                          const struct policy_answer *a, struct buffer *to)
{
	char target[NAME_ROOM];
	char uuid[NAME_ROOM];
	char wanted[NAME_ROOM];

	if (a->action != POLICY_ALLOW ||
	    policy_system_write(s, a->target, false, target, NAME_ROOM) < 0 ||
	    policy_system_write(s, a->target, true, uuid, NAME_ROOM) < 0 ||
	    policy_system_write(s, a->wanted, false, wanted, NAME_ROOM) < 0) {
		buffer_text(to, "result=deny\n");
		return;
	}
	buffer_printf(to,
	              "result=allow\nuser=%.*s\ntarget=%s\ntarget_uuid=%s\n"
	              "autostart=%s\nrequested_target=%s\n",
	              a->user.size ? (int)a->user.size : 7,
	              a->user.size ? (const char *)a->user.at : "DEFAULT",
	              target, uuid, a->autostart ? "True" : "False", wanted);
}

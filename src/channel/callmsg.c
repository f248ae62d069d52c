/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/callmsg.h"

#include <unistd.h>

#include "base/memfile.h"

#define FIELDS 4

static bool letter_ok(uint8_t c, bool target)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9'))
		return true;
	if (target && (c == '@' || c == ':'))
		return true;
	return c == '+' || c == '-' || c == '.' || c == '_';
}

static bool name_ok(struct span s, size_t max, bool target)
{
	for (size_t i = 0; i < s.size; i++)
		if (!letter_ok(s.at[i], target))
			return false;
	return s.size <= max;
}

static bool callmsg_ok(const struct callmsg *m)
{
	if (m->service.size == 0 || m->service.at[0] == '+' ||
	    !memchr(m->service.at, '+', m->service.size))
		return false;
	return name_ok(m->service, CALLMSG_SERVICE_MAX, false) &&
	       name_ok(m->target, CALLMSG_NAME_MAX, true) &&
	       name_ok(m->source, CALLMSG_NAME_MAX, false) &&
	       name_ok(m->user, CALLMSG_NAME_MAX, false);
}

int callmsg_parse(struct span text, struct callmsg *out)
{
	struct span field[FIELDS] = {{NULL, 0}};
	struct callmsg m;
	size_t count = 0, start = 0;

	for (size_t i = 0; i <= text.size; i++) {
		if (i < text.size && text.at[i] != ' ')
			continue;
		if (count == FIELDS)
			return -EPROTO;
		field[count++] = (struct span){text.at + start, i - start};
		start = i + 1;
	}
	m = (struct callmsg){field[0], field[1], field[2], field[3]};
	if (count != FIELDS || !callmsg_ok(&m))
		return -EPROTO;
	*out = m;
	return 0;
}

static size_t put(char *to, size_t at, struct span s)
{
	if (at > 0)
		to[at++] = ' ';
	if (s.size > 0)
		memcpy(to + at, s.at, s.size);
	return at + s.size;
}

static size_t format(const struct callmsg *m, char *to)
{
	size_t at = put(to, 0, m->service);

	at = put(to, at, m->target);
	at = put(to, at, m->source);
	return put(to, at, m->user);
}

/* The record as a memory file: a descriptor, or a negative errno. */
static int record_file(const struct callmsg *m, size_t size)
{
	autofree uint8_t *text = malloc(size);

	if (!text)
		return -ENOMEM;
	(void)format(m, (char *)text);
	return memfile_make("call", (struct span){text, size});
}

int callmsg_send(int sock, const struct control *c, const struct callmsg *m,
                 const int streams[CALLMSG_STREAMS])
{
	struct control out = {.kind = c->kind};
	size_t size = m->service.size + m->target.size + m->source.size +
	              m->user.size + FIELDS - 1;
	autoclose int record = -1;
	int fds[1 + CALLMSG_STREAMS];
	uint32_t count = 0;

	if (!callmsg_ok(m))
		return -EINVAL;
	memcpy(out.value, c->value, sizeof(out.value));
	if (size <= CONTROL_TEXT_MAX) {
		(void)format(m, out.text);
	} else {
		record = record_file(m, size);
		if (record < 0)
			return record;
		fds[count++] = record;
	}
	for (uint32_t i = 0; streams && i < CALLMSG_STREAMS; i++)
		fds[count++] = streams[i];
	return control_send(sock, &out, fds, count);
}

int callmsg_take_streams(struct control_fds *fds, uint32_t from,
                         int streams[CALLMSG_STREAMS])
{
	if (fds->lost)
		return -EMFILE;
	if (fds->count < from + CALLMSG_STREAMS)
		return -EPROTO;
	for (uint32_t i = 0; i < CALLMSG_STREAMS; i++)
		streams[i] = control_take(fds, from + i);
	return 0;
}

int callmsg_take(const struct control *c, struct control_fds *fds, char **text,
                 struct callmsg *out, int streams[CALLMSG_STREAMS])
{
	uint32_t records = c->text[0] == '\0';
	autofree uint8_t *copy = NULL;
	autoclose int record = -1;
	struct callmsg m;
	size_t size;
	int err;

	if (fds->lost)
		return -EMFILE;
	if (records > 0) {
		record = control_take(fds, 0);
		err = memfile_read(record, CALLMSG_SIZE_MAX, &copy, &size);
		if (err < 0)
			return err;
	} else {
		size = strlen(c->text);
		copy = (uint8_t *)strndup(c->text, size);
		if (!copy)
			return -ENOMEM;
	}
	err = callmsg_parse((struct span){copy, size}, &m);
	if (err == 0 && c->kind == CONTROL_serve)
		err = callmsg_take_streams(fds, records, streams);
	else if (err == 0 && fds->count != records)
		err = -EPROTO;
	if (err < 0)
		return err;
	*out = m;
	*text = take_ptr(&copy);
	return 0;
}

void callmsg_tell_status(int stream, uint32_t status)
{
	uint8_t wire[4];

	for (size_t i = 0; i < sizeof(wire); i++)
		wire[i] = (uint8_t)(status >> (8 * i));
	(void)!write(stream, wire, sizeof(wire));
}

void callmsg_close(int streams[CALLMSG_STREAMS])
{
	for (uint32_t i = 0; i < CALLMSG_STREAMS; i++)
		base_close(&streams[i]);
}

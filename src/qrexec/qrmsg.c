/* SPDX-License-Identifier: Apache-2.0 */
#include "qrexec/qrmsg.h"

#include "qrexec/qrname.h"

static const struct row {
	uint32_t type;
	uint32_t least;
	uint32_t most;
	const char *name;
} rows[] = {
#define MESSAGE(number, name, least, most, body) \
	{(number), (least), (most), #name},
#include "qrexec/messages.def"
};

#define MESSAGE(number, name, least, most, body) \
	static_assert((most) <= QRMSG_BODY_MAX, #name);
#include "qrexec/messages.def"

static const struct row *find(uint32_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].type == type)
			return &rows[i];
	return NULL;
}

static void write_le32(uint8_t *to, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		to[i] = (uint8_t)(v >> 8 * i);
}

int qrmsg_header_read(const uint8_t wire[QRMSG_HEADER_SIZE],
                      struct qrmsg_header *out)
{
	struct reader r = {.rest = {wire, QRMSG_HEADER_SIZE}};
	struct qrmsg_header h;
	const struct row *row;

	h.type = rd_le32(&r);
	h.size = rd_le32(&r);
	row = find(h.type);
	if (!row || h.size < row->least || h.size > row->most)
		return -EPROTO;
	*out = h;
	return 0;
}

void qrmsg_header_write(struct qrmsg_header h, uint8_t wire[QRMSG_HEADER_SIZE])
{
	write_le32(wire, h.type);
	write_le32(wire + 4, h.size);
}

const char *qrmsg_type_name(uint32_t type)
{
	const struct row *row = find(type);

	return row ? row->name : NULL;
}

uint32_t qrmsg_chunk(uint32_t version)
{
	return version < 3 ? 4096 : QRMSG_CHUNK_MAX;
}

int qrmsg_version(uint32_t theirs)
{
	if (theirs < QRMSG_VERSION_OLDEST)
		return -EPROTONOSUPPORT;
	return (int)MIN(theirs, QRMSG_VERSION);
}

int qrmsg_number_read(struct span body, uint32_t *out)
{
	struct reader r = {.rest = body};
	uint32_t n = rd_le32(&r);

	if (!rd_end(&r))
		return -EPROTO;
	*out = n;
	return 0;
}

/* A text whose only NUL is the last byte, without it. */
static bool ended_text(struct span s, struct span *out)
{
	if (s.size < 2 || memchr(s.at, 0, s.size) != s.at + s.size - 1)
		return false;
	*out = (struct span){s.at, s.size - 1};
	return true;
}

int qrmsg_exec_read(struct span body, struct qrmsg_exec *out)
{
	struct reader r = {.rest = body};
	struct qrmsg_exec e;

	e.domain = rd_le32(&r);
	e.port = rd_le32(&r);
	if (r.bad || body.size > QRMSG_EXEC_MAX || !ended_text(r.rest, &e.text))
		return -EPROTO;
	*out = e;
	return 0;
}

int qrmsg_port_read(struct span body, struct qrmsg_exec *out)
{
	struct reader r = {.rest = body};
	struct qrmsg_exec e = {0};

	e.domain = rd_le32(&r);
	e.port = rd_le32(&r);
	if (!rd_end(&r))
		return -EPROTO;
	*out = e;
	return 0;
}

int qrmsg_trigger_read(uint32_t type, struct span body,
                       struct qrmsg_trigger *out)
{
	struct reader r = {.rest = body};
	struct qrmsg_trigger t = {0};
	bool padded = true;

	if (type == QRMSG_TRIGGER_SERVICE4)
		padded = qrname_padded(rd_take(&r, QRMSG_QUBE_SIZE), &t.source);
	else if (type != QRMSG_TRIGGER_SERVICE3)
		return -EPROTO;
	padded = qrname_padded(rd_take(&r, QRMSG_QUBE_SIZE), &t.target) &&
	         padded;
	padded = qrname_padded(rd_take(&r, QRMSG_IDENT_SIZE), &t.ident) &&
	         padded;
	if (r.bad || !padded || !ended_text(r.rest, &t.service))
		return -EPROTO;

	if (!qrname_qube_ok(t.source) || !qrname_qube_ok(t.target) ||
	    !qrname_ident_ok(t.ident) || !qrname_service_ok(t.service))
		return -EINVAL;
	*out = t;
	return 0;
}

int qrmsg_refused_read(struct span body, struct span *ident)
{
	struct span got;

	if (body.size != QRMSG_IDENT_SIZE || !qrname_padded(body, &got))
		return -EPROTO;
	if (!qrname_ident_ok(got))
		return -EINVAL;
	*ident = got;
	return 0;
}

static void put_header(struct buffer *to, uint32_t type, size_t size)
{
	uint8_t wire[QRMSG_HEADER_SIZE];

	qrmsg_header_write((struct qrmsg_header){type, (uint32_t)size}, wire);
	buffer_put(to, wire, sizeof(wire));
}

static void put_le32(struct buffer *to, uint32_t v)
{
	uint8_t wire[4];

	write_le32(wire, v);
	buffer_put(to, wire, sizeof(wire));
}

/* A text in a field of fixed size. */
static void put_field(struct buffer *to, struct span s, size_t size)
{
	static const uint8_t zeros[QRMSG_QUBE_SIZE];

	assert(s.size < size && size <= sizeof(zeros));
	buffer_put(to, s.at, s.size);
	buffer_put(to, zeros, size - s.size);
}

static void put_text0(struct buffer *to, struct span s)
{
	buffer_put(to, s.at, s.size);
	buffer_put(to, "", 1);
}

void qrmsg_put_number(struct buffer *to, enum qrmsg_type type, uint32_t n)
{
	put_header(to, type, 4);
	put_le32(to, n);
}

void qrmsg_put_exec(struct buffer *to, enum qrmsg_type type,
                    const struct qrmsg_exec *e)
{
	assert(e->text.size > 0 && e->text.size < QRMSG_EXEC_MAX - 8);
	put_header(to, type, 8 + e->text.size + 1);
	put_le32(to, e->domain);
	put_le32(to, e->port);
	put_text0(to, e->text);
}

void qrmsg_put_port(struct buffer *to, enum qrmsg_type type, uint32_t domain,
                    uint32_t port)
{
	put_header(to, type, 8);
	put_le32(to, domain);
	put_le32(to, port);
}

void qrmsg_put_trigger(struct buffer *to, enum qrmsg_type type,
                       const struct qrmsg_trigger *t)
{
	bool four = type == QRMSG_TRIGGER_SERVICE4;

	assert(t->service.size > 0 && t->service.size <= QRMSG_NAME_MAX);
	put_header(to, type, (four ? 160u : 96u) + t->service.size + 1);
	if (four)
		put_field(to, t->source, QRMSG_QUBE_SIZE);
	put_field(to, t->target, QRMSG_QUBE_SIZE);
	put_field(to, t->ident, QRMSG_IDENT_SIZE);
	put_text0(to, t->service);
}

void qrmsg_put_refused(struct buffer *to, struct span ident)
{
	put_header(to, QRMSG_SERVICE_REFUSED, QRMSG_IDENT_SIZE);
	put_field(to, ident, QRMSG_IDENT_SIZE);
}

void qrmsg_put_data(struct buffer *to, enum qrmsg_type type, struct span bytes)
{
	assert(bytes.size <= QRMSG_CHUNK_MAX);
	put_header(to, type, bytes.size);
	buffer_put(to, bytes.at, bytes.size);
}

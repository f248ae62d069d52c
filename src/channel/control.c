/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/control.h"

#include <sys/socket.h>

#include "base/rights.h"

static const struct {
	uint32_t number;
	enum control_side from;
} kinds[] = {
#define KERNEL                            CONTROL_KERNEL
#define CLIENT                            CONTROL_CLIENT
#define CONTROL(number, name, from, what) {(number), (from)},
#include "channel/control.def"
#undef KERNEL
#undef CLIENT
};

static bool may_send(uint32_t number, enum control_side from)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].number == number)
			return kinds[i].from == from;
	return false;
}

int control_parse(struct span wire, enum control_side from, struct control *out)
{
	struct reader r = {.rest = wire};
	struct control c = {0};

	c.kind = rd_le32(&r);
	for (size_t i = 0; i < ARRAY_LEN(c.value); i++)
		c.value[i] = rd_le64(&r);
	if (r.bad || r.rest.size > CONTROL_TEXT_MAX || !may_send(c.kind, from))
		return -EPROTO;
	for (size_t i = 0; i < r.rest.size && r.rest.at[i]; i++) {
		uint8_t byte = r.rest.at[i];

		c.text[i] = byte >= ' ' && byte < 127 ? (char)byte : '?';
	}
	*out = c;
	return 0;
}

static void put_le(uint8_t *at, uint64_t v, size_t size)
{
	for (size_t i = 0; i < size; i++)
		at[i] = (uint8_t)(v >> (8 * i));
}

size_t control_format(const struct control *c,
                      uint8_t wire[static CONTROL_SIZE_MAX])
{
	size_t len = strnlen(c->text, CONTROL_TEXT_MAX);
	size_t at = 4;

	put_le(wire, c->kind, 4);
	for (size_t i = 0; i < ARRAY_LEN(c->value); i++, at += 8)
		put_le(wire + at, c->value[i], 8);
	memcpy(wire + at, c->text, len);
	return at + len;
}

int control_send(int sock, const struct control *c, const int *fds,
                 uint32_t count)
{
	uint8_t wire[CONTROL_SIZE_MAX];
	struct span bytes = {wire, control_format(c, wire)};
	ssize_t n;

	if (count > CONTROL_FDS_MAX)
		return -E2BIG;
	n = rights_send(sock, bytes, fds, count, MSG_DONTWAIT);
	return n < 0 ? (int)n : 0;
}

int control_send_raised(int sock, const struct control *c, const int *fds,
                        uint32_t count)
{
	rlim_t usual = rights_allow_many();
	int err = control_send(sock, c, fds, count);

	rights_allow(usual);
	return err;
}

int control_take(struct control_fds *fds, uint32_t i)
{
	return i < fds->count ? take_fd(&fds->fd[i]) : -1;
}

void control_close(struct control_fds *fds)
{
	for (uint32_t i = 0; i < fds->count; i++)
		base_close(&fds->fd[i]);
	fds->count = 0;
}

/* As rights_receive(). */
static ssize_t receive(int sock, uint8_t wire[CONTROL_SIZE_MAX],
                       struct control_fds *fds, bool *cut)
{
	struct rights_got got;
	ssize_t n = rights_receive(sock, wire, CONTROL_SIZE_MAX, fds->fd,
	                           CONTROL_FDS_MAX, &got, MSG_DONTWAIT);

	fds->count = (uint32_t)got.count;
	fds->lost = got.lost;
	*cut = got.cut;
	return n;
}

int control_receive(int sock, enum control_side from, struct control *out,
                    struct control_fds *fds)
{
	uint8_t wire[CONTROL_SIZE_MAX];
	struct control_fds got;
	bool too_long;
	ssize_t n;
	int err;

	n = receive(sock, wire, &got, &too_long);
	/* It went without reading all of ours; what it said comes behind. */
	if (n == -ECONNRESET)
		n = receive(sock, wire, &got, &too_long);
	/* A message of no bytes looks like the end, and may bring some. */
	if (n <= 0) {
		control_close(&got);
		return n == -EINTR ? -EAGAIN : (int)n;
	}
	err = too_long ? -EPROTO
	               : control_parse((struct span){wire, (size_t)n}, from,
	                               out);
	if (err < 0) {
		control_close(&got);
		return err;
	}
	*fds = got;
	return 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/control.h"

#include <sys/socket.h>

static const struct {
	uint32_t number;
	enum control_side from;
} kinds[] = {
#define KERNEL                            CONTROL_KERNEL
#define OWNER                             CONTROL_OWNER
#define CONTROL(number, name, from, what) {(number), (from)},
#include "channel/control.def"
#undef KERNEL
#undef OWNER
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
	c.value[0] = rd_le32(&r);
	c.value[1] = rd_le32(&r);
	if (r.bad || r.rest.size > CONTROL_TEXT_MAX || !may_send(c.kind, from))
		return -EPROTO;
	if (r.rest.size > 0)
		memcpy(c.text, r.rest.at, r.rest.size);
	*out = c;
	return 0;
}

static void put_le32(uint8_t *at, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(v >> (8 * i));
}

size_t control_format(const struct control *c,
                      uint8_t wire[static CONTROL_SIZE_MAX])
{
	size_t len = strnlen(c->text, CONTROL_TEXT_MAX);

	put_le32(wire, c->kind);
	put_le32(wire + 4, c->value[0]);
	put_le32(wire + 8, c->value[1]);
	memcpy(wire + 12, c->text, len);
	return 12 + len;
}

/* Room for one descriptor, aligned as the host wants it. */
union rights {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

int control_send(int sock, const struct control *c, int fd)
{
	uint8_t wire[CONTROL_SIZE_MAX];
	struct iovec iov = {wire, control_format(c, wire)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	union rights rights = {0};

	if (fd >= 0) {
		msg.msg_control = rights.room;
		msg.msg_controllen = sizeof(rights.room);
		rights.head.cmsg_len = CMSG_LEN(sizeof(int));
		rights.head.cmsg_level = SOL_SOCKET;
		rights.head.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&rights.head), &fd, sizeof(fd));
	}
	if (sendmsg(sock, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}

/* The descriptor that came along, or -1. */
static int received_fd(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

int control_receive(int sock, enum control_side from, struct control *out,
                    int *fd)
{
	uint8_t wire[CONTROL_SIZE_MAX];
	struct iovec iov = {wire, sizeof(wire)};
	union rights rights = {0};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = rights.room,
		.msg_controllen = sizeof(rights.room),
	};
	autoclose int got = -1;
	ssize_t n;
	int err;

	n = recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	/* It went without reading all of ours; what it said comes behind. */
	if (n < 0 && errno == ECONNRESET)
		n = recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	if (n == 0)
		return 0;
	got = received_fd(&msg);
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return -EPROTO;
	err = control_parse((struct span){wire, (size_t)n}, from, out);
	if (err < 0)
		return err;
	*fd = take_fd(&got);
	return 1;
}

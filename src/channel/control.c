/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/control.h"

#include <sys/socket.h>

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

/* Room for the descriptors, aligned as the host wants it. */
union rights {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int) * CONTROL_FDS_MAX)];
};

int control_send(int sock, const struct control *c, const int *fds,
                 uint32_t count)
{
	uint8_t wire[CONTROL_SIZE_MAX];
	struct iovec iov = {wire, control_format(c, wire)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	union rights rights = {0};
	size_t size = sizeof(int) * count;

	if (count > CONTROL_FDS_MAX)
		return -E2BIG;
	if (count > 0) {
		msg.msg_control = rights.room;
		msg.msg_controllen = CMSG_SPACE(size);
		rights.head.cmsg_len = CMSG_LEN(size);
		rights.head.cmsg_level = SOL_SOCKET;
		rights.head.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&rights.head), fds, size);
	}
	if (sendmsg(sock, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
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

/* The descriptors that came along. */
static void received_fds(struct msghdr *msg, struct control_fds *fds)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	size_t size = c ? c->cmsg_len - CMSG_LEN(0) : 0;

	*fds = (struct control_fds){.lost = msg->msg_flags & MSG_CTRUNC};
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    size <= sizeof(fds->fd)) {
		fds->count = (uint32_t)(size / sizeof(int));
		memcpy(fds->fd, CMSG_DATA(c), size);
	}
	if (fds->lost)
		control_close(fds);
}

int control_receive(int sock, enum control_side from, struct control *out,
                    struct control_fds *fds)
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
	struct control_fds got;
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
	received_fds(&msg, &got);
	err = msg.msg_flags & MSG_TRUNC
	              ? -EPROTO
	              : control_parse((struct span){wire, (size_t)n}, from,
	                              out);
	if (err < 0) {
		control_close(&got);
		return err;
	}
	*fds = got;
	return 1;
}

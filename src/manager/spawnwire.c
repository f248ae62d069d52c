/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/spawnwire.h"

#include <sys/socket.h>

/* Room for the descriptors, aligned as the host wants it. */
union rights {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int) * SPAWNWIRE_FDS_MAX)];
};

int spawnwire_send(int sock, struct span bytes, const int *fds, uint32_t count)
{
	struct iovec iov = {(void *)(uintptr_t)bytes.at, bytes.size};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	size_t size = sizeof(int) * count;
	union rights rights = {0};

	if (count > SPAWNWIRE_FDS_MAX || bytes.size > SPAWNWIRE_SIZE_MAX)
		return -E2BIG;
	if (count > 0) {
		msg.msg_control = rights.room;
		msg.msg_controllen = CMSG_SPACE(size);
		rights.head.cmsg_len = CMSG_LEN(size);
		rights.head.cmsg_level = SOL_SOCKET;
		rights.head.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&rights.head), fds, size);
	}
	while (sendmsg(sock, &msg, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int spawnwire_take(struct spawnwire_fds *fds, uint32_t i)
{
	return i < fds->count ? take_fd(&fds->fd[i]) : -1;
}

void spawnwire_close(struct spawnwire_fds *fds)
{
	for (uint32_t i = 0; i < fds->count; i++)
		base_close(&fds->fd[i]);
	fds->count = 0;
}

static void received_fds(struct msghdr *msg, struct spawnwire_fds *fds)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	size_t size = c ? c->cmsg_len - CMSG_LEN(0) : 0;

	fds->count = 0;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    size <= sizeof(fds->fd)) {
		fds->count = (uint32_t)(size / sizeof(int));
		memcpy(fds->fd, CMSG_DATA(c), size);
	}
}

ssize_t spawnwire_receive(int sock, uint8_t *room, struct spawnwire_fds *fds)
{
	struct iovec iov = {room, SPAWNWIRE_SIZE_MAX};
	union rights rights = {0};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = rights.room,
		.msg_controllen = sizeof(rights.room),
	};
	ssize_t n;

	fds->count = 0;
	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	received_fds(&msg, fds);
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		spawnwire_close(fds);
		return -EPROTO;
	}
	return n;
}

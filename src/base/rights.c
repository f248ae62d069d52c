/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rights.h"

#include <sys/socket.h>

/* Aligned as the host wants it. */
union rights {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int) * RIGHTS_MAX)];
};

void rights_allow(rlim_t most)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = MIN(most, files.rlim_max);
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

rlim_t rights_allow_many(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return RLIM_INFINITY;
	rights_allow(files.rlim_max);
	return files.rlim_cur;
}

ssize_t rights_send(int sock, struct span bytes, const int *fds, size_t count,
                    int flags)
{
	struct iovec iov = {(void *)(uintptr_t)bytes.at, bytes.size};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	size_t size = sizeof(int) * count;
	union rights rights;
	ssize_t n;

	if (count > RIGHTS_MAX)
		return -E2BIG;
	if (count > 0) {
		memset(rights.room, 0, CMSG_SPACE(size));
		msg.msg_control = rights.room;
		msg.msg_controllen = CMSG_SPACE(size);
		rights.head.cmsg_len = CMSG_LEN(size);
		rights.head.cmsg_level = SOL_SOCKET;
		rights.head.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&rights.head), fds, size);
	}
	n = sendmsg(sock, &msg, flags | MSG_NOSIGNAL);
	return n < 0 ? -errno : n;
}

/* Takes what came along out of the message; what does not fit is closed. */
static void take(struct msghdr *msg, int *fds, size_t room,
                 struct rights_got *got)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int all[RIGHTS_MAX];
	size_t count = 0;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(all, CMSG_DATA(c), count * sizeof(int));
	}
	got->lost = msg->msg_flags & MSG_CTRUNC || count > room;
	for (size_t i = 0; i < count; i++)
		if (got->lost)
			base_close(&all[i]);
		else
			fds[got->count++] = all[i];
}

ssize_t rights_receive(int sock, void *to, size_t size, int *fds, size_t room,
                       struct rights_got *got, int flags)
{
	struct iovec iov = {to, size};
	union rights rights;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = rights.room,
		.msg_controllen = CMSG_SPACE(sizeof(int) *
	                                     MIN(room, RIGHTS_MAX)),
	};
	ssize_t n = recvmsg(sock, &msg, flags | MSG_CMSG_CLOEXEC);

	*got = (struct rights_got){0};
	if (n < 0)
		return -errno;
	take(&msg, fds, room, got);
	got->cut = msg.msg_flags & MSG_TRUNC;
	return n;
}

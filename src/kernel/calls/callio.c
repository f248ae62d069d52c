/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/calls/callio.h"

#include <sys/socket.h>

long callio_receive(int fd, void *to, size_t size)
{
	ssize_t n = recv(fd, to, size, MSG_DONTWAIT);

	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	return n;
}

long callio_send(int fd, const void *from, size_t size)
{
	ssize_t n = send(fd, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	return n;
}

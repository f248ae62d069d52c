/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/calls/callio.h"

#include <sys/socket.h>
#include <unistd.h>

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

void callio_status(int fd, uint32_t status)
{
	uint8_t wire[4];

	for (size_t i = 0; i < sizeof(wire); i++)
		wire[i] = (uint8_t)(status >> (8 * i));
	/* It is the first on that stream: there is room, or nobody reads. */
	(void)!write(fd, wire, sizeof(wire));
}

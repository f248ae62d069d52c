/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/spawnwire.h"

#include "base/rights.h"

int spawnwire_send(int sock, struct span bytes, const int *fds, uint32_t count)
{
	ssize_t n;

	if (count > SPAWNWIRE_FDS_MAX || bytes.size > SPAWNWIRE_SIZE_MAX)
		return -E2BIG;
	do
		n = rights_send(sock, bytes, fds, count, 0);
	while (n == -EINTR);
	return n < 0 ? (int)n : 0;
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

ssize_t spawnwire_receive(int sock, uint8_t *room, struct spawnwire_fds *fds)
{
	struct rights_got got;
	ssize_t n;

	do
		n = rights_receive(sock, room, SPAWNWIRE_SIZE_MAX, fds->fd,
		                   SPAWNWIRE_FDS_MAX, &got, 0);
	while (n == -EINTR);
	fds->count = (uint32_t)got.count;
	if (got.cut || got.lost) {
		spawnwire_close(fds);
		return -EPROTO;
	}
	return n;
}

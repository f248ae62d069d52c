/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages between the manager and its spawner (manager/spawner.def): bytes and
 * descriptors over a SEQPACKET socket, with waiting.
 */
#pragma once

#include "base/span.h"
#include "channel/launch.h"

#define SPAWNWIRE_SIZE_MAX ((size_t)128 << 10)
#define SPAWNWIRE_FDS_MAX  LAUNCH_FDS_MAX

/* Descriptors that came with a message; the receiver's. */
struct spawnwire_fds {
	int fd[SPAWNWIRE_FDS_MAX];
	uint32_t count;
};

/* Sends; the descriptors are borrowed.  0 or a negative errno. */
must_check int spawnwire_send(int sock, struct span bytes, const int *fds,
                              uint32_t count);

/*
 * Receives into `room`, which is of SPAWNWIRE_SIZE_MAX.  Its size; 0 when the
 * other side has gone; -EPROTO for one that is too long; or a negative errno.
 */
must_check ssize_t spawnwire_receive(int sock, uint8_t *room,
                                     struct spawnwire_fds *fds);

/* Takes descriptor `i` out: -1 if there is none. */
must_check int spawnwire_take(struct spawnwire_fds *fds, uint32_t i);

/* Closes those not taken. */
void spawnwire_close(struct spawnwire_fds *fds);

/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/callstreams.h"

#include <fcntl.h>
#include <sys/socket.h>

/*
 * Each for one direction.  A pipe takes a third of a socket's time, until it is
 * handed over and closed: it is no work for the host's search for sockets that
 * only other sockets hold.
 */
int callstreams_make(int near[CALLMSG_STREAMS], int far[CALLMSG_STREAMS])
{
	for (size_t i = 0; i < CALLMSG_STREAMS; i++)
		near[i] = far[i] = -1;
	for (size_t i = 0; i < CALLMSG_STREAMS; i++) {
		int ends[2];
		int err = i < CALLMSG_ERRORS
		                  ? socketpair(AF_UNIX,
		                               SOCK_STREAM | SOCK_CLOEXEC, 0,
		                               ends)
		                  : pipe2(ends, O_CLOEXEC);

		if (err < 0) {
			err = -errno;
			callmsg_close(near);
			callmsg_close(far);
			return err;
		}
		near[i] = ends[0];
		far[i] = ends[1];
	}
	return 0;
}

void callstreams_refuse(int far[CALLMSG_STREAMS])
{
	if (far[CALLMSG_STATUS] >= 0)
		callmsg_tell_status(far[CALLMSG_STATUS], CALLMSG_EXIT_REFUSED);
	callmsg_close(far);
}

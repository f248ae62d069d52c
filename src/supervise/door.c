/* SPDX-License-Identifier: Apache-2.0 */
#include "supervise/door.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define WAITING_MAX 64 /* connections the kernel has not taken yet */

/* Names of sockets are short; the folder goes by its descriptor. */
static int address(int dir, const char *name, struct sockaddr_un *to,
                   struct fault *f)
{
	int n;

	*to = (struct sockaddr_un){.sun_family = AF_UNIX};
	n = snprintf(to->sun_path, sizeof(to->sun_path), "/proc/self/fd/%d/%s",
	             dir, name);
	if (n < 0 || (size_t)n >= sizeof(to->sun_path))
		return fault_set(f, -ENAMETOOLONG, "socket %s: name too long",
		                 name);
	return 0;
}

int door_make(int dir, const char *name, struct fault *f)
{
	struct sockaddr_un at;
	autoclose int fd = -1;
	int err = address(dir, name, &at, f);

	if (err < 0)
		return err;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fault_errno(f, "make a socket");
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return fault_errno(f, "remove the old socket %s", name);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return fault_errno(f, "make the socket %s", name);
	if (listen(fd, WAITING_MAX) < 0)
		return fault_errno(f, "listen on %s", name);
	return take_fd(&fd);
}

int door_enter(int dir, const char *name, struct fault *f)
{
	struct sockaddr_un at;
	autoclose int fd = -1;
	int err = address(dir, name, &at, f);

	if (err < 0)
		return err;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fault_errno(f, "make a socket");
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return fault_errno(f, "connect to %s", name);
	return take_fd(&fd);
}

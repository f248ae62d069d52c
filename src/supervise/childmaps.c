/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel may count processes in a namespace of its own, so it sends a
 * pidfd; our /proc says which number that has here.  A number may be reused
 * once its process has gone: the pidfd is asked again at the end.
 */
#include "supervise/childmaps.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/* The number behind `key` at the start of a line of the file, or -1. */
static long field(const char *path, const char *key)
{
	char text[2048];
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	const char *at;

	text[n < 0 ? 0 : n] = '\0';
	for (at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, key, strlen(key)) == 0)
			return strtol(at + strlen(key), NULL, 10);
	}
	return -1;
}

static bool alive(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return poll(&p, 1, 0) == 0;
}

int childmaps_open(pid_t kernel, int pidfd, const char *file)
{
	autoclose int fd = -1;
	char path[64];
	long pid;

	if (pidfd < 0)
		return -EBADF;
	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	pid = field(path, "Pid:");
	if (pid <= 0)
		return -ESRCH;
	(void)snprintf(path, sizeof(path), "/proc/%ld/status", pid);
	if (field(path, "PPid:") != kernel)
		return -EPERM;
	(void)snprintf(path, sizeof(path), "/proc/%ld/%s", pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return alive(pidfd) ? take_fd(&fd) : -ESRCH;
}

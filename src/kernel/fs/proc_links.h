/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What in /proc/PID leads somewhere: the program, its places, its descriptors
 * and namespaces; and the numbered directories.
 */
#pragma once

#include "kernel/fs/pseudo.h"

#define LINKS(X) X(cwd) X(exe) X(root) X(fd)

#define DECLARE(name)                                                \
	long proc_links_##name(const struct pseudo_ctx *c, char *to, \
	                       size_t room);                         \
	long proc_links_to_##name(const struct pseudo_ctx *c, struct path *out);
LINKS(DECLARE)
#undef DECLARE
#undef LINKS

/* ns/NAME: only a text, "NAME:[number]", the same for everyone. */
#define NAMESPACES(X) \
	X(cgroup) X(ipc) X(mnt) X(net) X(pid) X(time) X(user) X(uts)
#define DECLARE(name)                                                   \
	long proc_links_ns_##name(const struct pseudo_ctx *c, char *to, \
	                          size_t room);
NAMESPACES(DECLARE)
#undef DECLARE

/* /proc/self and /proc/thread-self. */
long proc_links_self(const struct pseudo_ctx *c, char *to, size_t room);
long proc_links_thread_self(const struct pseudo_ctx *c, char *to, size_t room);

extern const struct pseudo_numbers proc_links_fds;
extern const struct pseudo_numbers proc_links_fdinfos;

/* What there is to say about an open file; proc_links_fdinfos shows it. */
bool proc_links_find_fd(const struct pseudo_ctx *c, int32_t number,
                        struct pseudo_ctx *child);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a kernel is told what qube it is: one record, and descriptors.
 *
 * Whoever starts a kernel (src/supervise) leaves it the descriptors numbered
 * below and nothing else.  The record, in a memory file, says what they are
 * for; channel/wire.h says what it is made of.  The programs to be run come
 * later, by control messages (channel/control.h).
 *
 * From LAUNCH_FD_FIRST on, in this order, each only if the record has it:
 * the cell's executable, the listening socket, the trace, the descriptors of
 * the mounts.
 */
#pragma once

#include "channel/wire.h"

#define LAUNCH_FD_SAY     2 /* a dying kernel's last words: a pipe, or a log */
#define LAUNCH_FD_CONTROL 3 /* SEQPACKET; its other end is our owner's */
#define LAUNCH_FD_RECORD  4
#define LAUNCH_FD_FIRST   5

#define LAUNCH_MOUNTS    96u
#define LAUNCH_NAME_MAX  31u
#define LAUNCH_PATH_MAX  255u
#define LAUNCH_MOUNT_FDS 4u   /* of one mount */
#define LAUNCH_FDS_MAX   128u /* of all of it */

#define LAUNCH_TRACE   1u /* tell every call of `trace`... */
#define LAUNCH_VERBOSE 2u /* tell what is unsupported, once each; ... */
#define LAUNCH_TELL    3u /* either: a descriptor to tell it to comes along */
/*
 * The kernel is in a user namespace in which only its own user has a number:
 * files of all others seem to belong to nobody (65534).
 */
#define LAUNCH_ALONE 4u
/* Reach guest memory through the stubs only, as where the host forbids. */
#define LAUNCH_FAR 8u
/*
 * A qube that lasts: a listening SEQPACKET socket comes along, on which more
 * connections are taken, and the qube goes on when a program ends.  Otherwise
 * it ends with its first program.
 */
#define LAUNCH_LISTEN 16u
#define LAUNCH_FLAGS  31u

/* Where in the record the lowest byte of `flags` lies. */
#define LAUNCH_AT_FLAGS 4

/*
 * What a mount is.  The root has either templates and links, or one image, or
 * neither, read-only below; above that what is volatile, named or not; and above
 * both a volume, if there is one.
 * A kind's descriptors are the business of its file system.
 */
enum launch_kind {
	LAUNCH_TEMPLATE, /* /NAME is a folder of the host's; it */
	LAUNCH_LINK,     /* /NAME is a symbolic link to `from` */
	LAUNCH_IMAGE,    /* a template image, read-only: its file, its tree of
	                  * hashes, a file with the root, [its data] */
	LAUNCH_VOLUME,   /* a volume: its folder, ... `from`: its name */
	LAUNCH_VOLATILE, /* gone with the qube: nothing, or a folder for it */
	LAUNCH_SHARE,    /* a file or folder of the host's that is shared; it */
	LAUNCH_BIND,     /* what is at `from` once more; made if missing */
	LAUNCH_TOOLS,    /* at /: a folder of the host's with our programs for
	                  * qubes; it.  What the root has of it is below all
	                  * else, so a template's own of that name is seen */
};

#define LAUNCH_MOUNT_WRITABLE 1u
#define LAUNCH_MOUNT_FILE     2u /* of a share: it is a file */

struct launch_mount {
	uint8_t kind; /* enum launch_kind */
	uint8_t flags;
	uint8_t fds;      /* how many descriptors */
	struct span at;   /* absolute path inside */
	struct span from; /* see above; else empty */
};

struct launch {
	uint32_t flags;
	uint64_t memory;   /* bytes; not 0 */
	uint32_t tasks;    /* not 0 */
	struct span name;  /* the qube's, and so its host name */
	struct span trace; /* names of calls, or empty: all */
	uint32_t mount_count;
	struct launch_mount mount[LAUNCH_MOUNTS]; /* in order of mounting */
};

/*
 * Reads a record.  The strings in *out lie in `wire`.  Returns 0, or -EPROTO
 * when it is not as described, and leaves *out alone.
 */
must_check int launch_parse(struct span wire, struct launch *out);

/*
 * Writes a record into memory of its own, which the caller frees.  Returns 0,
 * -EINVAL when launch_parse() would refuse it, -ENOMEM.
 */
must_check int launch_format(const struct launch *l, uint8_t **out,
                             size_t *size);

/* How many descriptors follow from LAUNCH_FD_FIRST on. */
uint32_t launch_descriptors(const struct launch *l);

/*
 * Adds a mount at the end; its strings are borrowed.  0, or -E2BIG when there
 * are too many.
 */
must_check int launch_add(struct launch *l, const struct launch_mount *m);

/* Is it an absolute path without "", "." and ".." as components? */
bool launch_path_ok(struct span path);

/* A letter, then letters, digits, '-', '_' and '.': a qube's name? */
bool launch_name_ok(struct span name);

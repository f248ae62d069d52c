/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a template can be made from: host, debian[:SUITE], tar:FILE,
 * oci:DIR[:TAG], qube:NAME.
 *
 * Each becomes archives or an image, lowest first.  Some come from a process of ours or
 * another program's through a pipe; whether that went well is known at the
 * end, by tplsource_finish().
 */
#pragma once

#include <sys/types.h>

#include "template/tplimport.h"
#include "template/tplstore.h"

struct tplsource {
	uint32_t count;
	const char *kind[TPLIMPORT_INPUTS];
	int fd[TPLIMPORT_INPUTS];
	uint64_t size; /* of all inputs in bytes; 0: unknown */
	pid_t maker;   /* who writes into the pipe; 0: nobody */
	const char *maker_name;
	/* The export of a qube's root, if there is one (tplqube.c). */
	char qube[TPLSTORE_NAME_MAX + 1];
	char export[24];
};

/*
 * Opens what `from` names.  0; -EINVAL: it names nothing; or another negative
 * errno, and why.
 */
must_check int tplsource_open(struct tplsource *s, const char *from,
                              struct fault *f);

/* Everything was read: did whoever wrote it succeed?  0, or -EIO and why. */
must_check int tplsource_finish(struct tplsource *s, struct fault *f);

/* Closes it, and ends who still writes. */
void tplsource_close(struct tplsource *s);

/* Adds an archive, taking over the descriptor.  0 or -E2BIG. */
must_check int tplsource_add(struct tplsource *s, const char *kind, int fd,
                             struct fault *f);

/* Adds an image, whose descriptors it duplicates.  0, -E2BIG, ... */
must_check int tplsource_add_image(struct tplsource *s,
                                   const struct tplstore_used *u,
                                   struct fault *f);

/* The machine's own programs, by a process that writes them. */
must_check int tplsource_add_host(struct tplsource *s, struct fault *f);

/*
 * Starts `write` in a process of its own, with the end of a pipe; what is read
 * from the other end becomes an archive.  It returns an exit status.
 */
must_check int tplsource_start(struct tplsource *s, const char *name,
                               int (*write)(void *ctx, int fd), void *ctx,
                               struct fault *f);

/* The kind that is a folder: tploci.c. */
must_check int tploci_open(struct tplsource *s, const char *where,
                           struct fault *f);

/*
 * The kind that is a qube: what its root lies over, and over that its root,
 * which the manager exports (bento.volume.Export).  tplqube_finish() asks
 * whether that succeeded.
 */
must_check int tplqube_open(struct tplsource *s, const char *name,
                            struct fault *f);
must_check int tplqube_finish(const struct tplsource *s, struct fault *f);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives into an image: libarchive reads, image/imgwrite.h writes.
 */
#pragma once

#include "image/imgwrite.h"
#include "import/tell.h"

/* What hides entries of the layers below. */
enum feed_kind {
	FEED_TAR,     /* nothing does */
	FEED_OCI,     /* files named .wh.NAME and .wh..wh..opq */
	FEED_OVERLAY, /* character devices 0/0, trusted.overlay.opaque */
};

/*
 * Adds what the archive in `fd` has, over what is there already.  *read is
 * moved on by the bytes read.  0, or a negative errno and why.
 */
must_check int feed(struct imgwrite *w, struct tell *t, int fd,
                    enum feed_kind kind, uint64_t *read, struct fault *f);

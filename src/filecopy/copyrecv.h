/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The receiving end of a file copy (filecopy/copywire.h says the bytes).
 *
 * The sender is a stranger.  Nothing is made outside of the folder given, no
 * file that is there is changed, files and links have their names only when they
 * are complete, and names and links are those of filecopy/copyname.h.  Folders
 * that are there already are used as they are.  Of a file's mode the permission
 * bits count: nothing arrives set-user-ID.  Blocks of zeros become holes.
 */
#pragma once

#include "base/fault.h"

struct copyrecv_count {
	uint64_t files; /* of any kind; a folder counts once */
	uint64_t bytes; /* of contents */
};

struct copyrecv_job {
	int in;     /* where the files come from */
	int out;    /* where the result goes; may be the same */
	int folder; /* held, readable: all goes below it */
	int proc;   /* /proc/self/fd, or -1 (filecopy/copyplace.h) */
	bool all_names;
	bool sync;                     /* on disk before the result says so */
	uint64_t files_max, bytes_max; /* more is EDQUOT; 0: no limit */
	/* Called now and then; or NULL. */
	void (*progress)(void *ctx, const struct copyrecv_count *c);
	void *ctx;
};

/*
 * Receives until the end, and sends the result.  0; or a negative errno and
 * why, which the sender has been told: -EEXIST, -EDQUOT, -EILSEQ, -ENOLINK and
 * -EINVAL as Qubes OS has them, -ECONNRESET when it ended too early.  What was
 * complete stays in any case.  *count is filled in any case.  SIGPIPE must be
 * ignored if `out` is no socket.
 */
must_check int copyrecv(const struct copyrecv_job *job,
                        struct copyrecv_count *count, struct fault *f);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sending end of a file copy (filecopy/copywire.h says the bytes).
 *
 * Each file or folder given is sent under the last component of its path, a
 * folder with all that is in it, in the order of names.  Links are sent as
 * links, and no link is followed, whatever changes meanwhile.  Sockets, pipes
 * and devices are passed over.  A file is sent with the size it has when its turn
 * comes; what is appended later is not seen, and one that becomes shorter ends
 * the copy.
 */
#pragma once

#include "base/buffer.h"
#include "base/fault.h"

struct copysend_job {
	int in;             /* where the result comes from */
	int out;            /* where the files go; may be the same */
	char *const *files; /* with a NULL behind the last */
	bool no_links;      /* pass over symbolic links */
	/*
	 * NULL, or where the paths of all that was sent are put, each with a
	 * NUL behind it, folders behind what is in them.
	 */
	struct buffer *sent;
	/* Called now and then with the bytes of contents sent; or NULL. */
	void (*progress)(void *ctx, uint64_t bytes);
	/* Called for what is passed over; or NULL. */
	void (*skipped)(void *ctx, const char *path, const char *why);
	void *ctx;
};

/*
 * Sends all, and waits for the result.  0: the receiver says that all of it has
 * arrived, and the sums agree.  Else a negative errno and why: -EREMOTEIO when
 * the receiver said no, -EBADMSG when other bytes have arrived, -ECONNRESET
 * when it went away, -EPROTO when it said that all was there before it was.
 * SIGPIPE must be ignored if `out` is no socket.  The current folder is
 * changed meanwhile.
 */
must_check int copysend(const struct copysend_job *job, struct fault *f);

/* How many bytes of contents there are to send, as far as can be seen. */
uint64_t copysend_measure(char *const *files);

/*
 * Removes what was sent, by the list of copysend().  What has been added
 * meanwhile stays, and so do the folders around it.  0, or the negative errno
 * of the first that could not be removed, and why.
 */
must_check int copysend_remove(struct span sent, struct fault *f);

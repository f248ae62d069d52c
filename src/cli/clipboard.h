/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clipboard between qubes: one text, of one qube, until it is pasted once.
 *
 * It lies in the user's runtime folder, in a file `clipboard` for the user
 * alone: the source's name, a newline, the text.
 */
#pragma once

#include "admin/paths.h"
#include "base/buffer.h"

#define CLIPBOARD_MAX  64000u
#define CLIPBOARD_NAME 63u

struct clipboard {
	int folder;                      /* borrowed */
	char source[CLIPBOARD_NAME + 1]; /* the qube the text is of */
	struct buffer text;
	uint64_t inode; /* which of all texts it was */
};

/* Puts a text there, in the place of the last.  0 or a negative errno. */
must_check int clipboard_put(int folder, const char *source, struct span text,
                             struct fault *f);

/*
 * Looks at what is there.  0; -ENOENT: nothing; or another negative errno.
 * Call clipboard_fini() in every case.
 */
must_check int clipboard_get(int folder, struct clipboard *out,
                             struct fault *f);
void clipboard_fini(struct clipboard *c);

/*
 * Takes it away, so that nobody else gets it: 0, or -ESTALE when it is not there
 * any more, or another one is.
 */
must_check int clipboard_take(const struct clipboard *c, struct fault *f);

/* Puts it back, unless there is another by now. */
void clipboard_return(const struct clipboard *c);

/* There is none any more.  0 or a negative errno. */
must_check int clipboard_clear(int folder, struct fault *f);

/* Is it what the clipboard may have?  0; -EFBIG; -EILSEQ: no text. */
must_check int clipboard_check(struct span text);

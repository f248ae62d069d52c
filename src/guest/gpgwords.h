/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command line for gpg(1), checked against gpgoptions.def and written anew.
 *
 * What gpg gets is not what came: each option in its long form with its value
 * joined to it, then "--", then the other words.  So it cannot take a value for an
 * option, or the other way, where we did not; and it does not guess the rest of a
 * name that was cut short, since those are refused.
 */
#pragma once

#include "base/buffer.h"
#include "base/fault.h"

struct gpgwords {
	struct buffer text; /* the words, each with a NUL */
	size_t count;
	size_t others;     /* how many of them come behind "--" */
	unsigned commands; /* the kinds of what gpg is to do, as bits */
	bool verify;       /* the first of the others is a signature */
};

/*
 * Checks words, up to the NULL; the first is an option or other word, not a
 * program.  0; or -EPERM and which word is not allowed; or -ENOMEM.
 * gpgwords_fini() in every case.
 */
must_check int gpgwords_check(char *const words[], struct gpgwords *out,
                              struct fault *f);

void gpgwords_fini(struct gpgwords *w);

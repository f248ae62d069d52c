/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passphrases and key files of encrypted volumes, on their way from the user to
 * the manager: never on a command line, never in the environment, in memory
 * that is not swapped out and wiped behind.
 *
 * A passphrase is asked for by the program that $BENTO_ASKPASS names, which gets
 * the question as its argument and writes the passphrase to its standard output;
 * without that, on the terminal, without showing it.
 */
#pragma once

#include "cli/query.h"

#define SECRET_MAX 1024u

struct secret {
	uint8_t at[SECRET_MAX + 1];
	size_t size;
	bool keyfile;
};

/* Is there somebody to ask? */
bool secret_askable(void);

/* Asks; with `twice` again, and compares.  0, -EINVAL, -EIO... */
must_check int secret_ask(struct secret *s, const char *question, bool twice,
                          struct fault *f);

/* Reads a key file, "-": standard input. */
must_check int secret_read(struct secret *s, const char *file, struct fault *f);

void secret_wipe(struct secret *s);

/* Calls METHOD+volume of a qube with the secret as payload, behind `head`. */
must_check int secret_send(struct query *a, const char *method,
                           const char *qube, const char *volume,
                           const char *head, const struct secret *s,
                           struct fault *f);

/*
 * Unlocks "QUBE:VOLUME", which may have text behind a blank; asks at most three
 * times.  0, or why not.
 */
must_check int secret_unlock(struct query *a, const char *which,
                             struct fault *f);

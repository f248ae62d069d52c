/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes that become encrypted, or are no longer; and other locks for their
 * keys.  For workers: it may take long.
 */
#pragma once

#include "manager/keyring.h"
#include "manager/manager.h"

/*
 * Makes a volume anew, encrypted as `how` says or not at all, with all that is
 * in it but sockets; `key` is the old one's.  Its revisions go, as they are
 * readable as the old one was.  All at once, or nothing.
 */
must_check int recrypt_volume(const struct manager *m, const char *uuid,
                              const char *volume, enum header_lock how,
                              const struct keyring_box *box, struct fault *f);

/* Locks the key of a volume, and of its revisions and copies below the same
 * folder, with another secret. */
must_check int recrypt_lock(const struct manager *m, const char *uuid,
                            const char *volume, enum header_lock how,
                            const struct keyring_box *box, struct fault *f);

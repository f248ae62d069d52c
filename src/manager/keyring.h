/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of encrypted volumes that have been unlocked, by the uuid in their
 * headers, which copies, snapshots and revisions share.
 *
 * They lie in memory that is not swapped out, not in a core dump, and empty in
 * every process that is forked from the manager: keepers, and workers, which
 * get the one key they need with their work.  Nobody else is ever given one but
 * the kernel whose volume it is, through a memory file it wipes.
 */
#pragma once

#include "base/fault.h"
#include "volume/header.h"

struct keyring;

must_check int keyring_create(struct keyring **out, struct fault *f);
void keyring_destroy(struct keyring *k); /* accepts NULL */

/* 0, or -ENOSPC. */
must_check int keyring_put(struct keyring *k, const uint8_t uuid[16],
                           const uint8_t key[HEADER_KEY]);
void keyring_drop(struct keyring *k, const uint8_t uuid[16]);
bool keyring_has(const struct keyring *k, const uint8_t uuid[16]);

struct keyring_key {
	bool has; /* else the volume is not encrypted */
	uint8_t at[HEADER_KEY];
};

/* What functions of volumes want: the key, or NULL. */
const uint8_t *keyring_bytes(const struct keyring_key *key);

/*
 * The key of the volume in use in a folder (volume/revision.h).  0;
 * -EKEYREJECTED: it is encrypted and has not been unlocked; ...
 */
must_check int keyring_find(const struct keyring *k, int home,
                            struct keyring_key *out, struct fault *f);

/*
 * A secret on its way: shared with the worker that tries it, not swapped out,
 * not in a core dump.  NULL: no memory.
 */
#define KEYRING_SECRET_MAX 1024u
struct keyring_box {
	size_t size;
	uint8_t secret[KEYRING_SECRET_MAX];
	struct keyring_key key;
};
must_check struct keyring_box *keyring_box(int *fd);

/* The same one in the worker, by its descriptor (borrowed). */
must_check struct keyring_box *keyring_box_open(int fd);
/* What lies in it, whatever size it says. */
struct span keyring_secret(const struct keyring_box *b);
void keyring_unbox(struct keyring_box *b); /* wipes it; accepts NULL */

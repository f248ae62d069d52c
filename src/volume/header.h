/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file `header` of a volume: what must be known before its metadata can be
 * read.  Lines of text, in this order; nothing else:
 *
 *	bento-volume 1
 *	uuid 32 hexadecimal digits
 *	names 64 digits              only if not encrypted: key of name hashes
 *	passphrase OPS MEMORY 32     argon2id's cost and salt     | one of the
 *	keyfile 32                   salt                         | two, and
 *	wrapped 144                  nonce, volume key and tag    | this
 *	sum 16                       SipHash of all lines before
 *
 * An encrypted volume has a random key, sealed (XChaCha20-Poly1305, bound to
 * the uuid) by a key made from the passphrase or the key file.  So either can
 * be changed without touching what is stored.
 */
#pragma once

#include "base/fault.h"
#include "base/span.h"

#define HEADER_KEY     32u
#define HEADER_SALT    16u
#define HEADER_WRAPPED (24u + HEADER_KEY + 16u)
#define HEADER_MAX     1024u /* bytes of the file */

enum header_lock { HEADER_OPEN, HEADER_PASSPHRASE, HEADER_KEYFILE };

struct header {
	uint8_t uuid[16];
	enum header_lock lock;
	uint8_t names[32];    /* HEADER_OPEN */
	uint64_t ops, memory; /* HEADER_PASSPHRASE */
	uint8_t salt[HEADER_SALT];
	uint8_t wrapped[HEADER_WRAPPED];
};

/* A new header with a random uuid and, for HEADER_OPEN, random names key. */
void header_init(struct header *h);

/*
 * Locks the volume key with a secret: a passphrase, or a key file's content
 * (at least 32 bytes).  0, -EINVAL (too short), -ENOMEM.
 */
must_check int header_lock(struct header *h, enum header_lock how,
                           struct span secret, const uint8_t key[HEADER_KEY],
                           struct fault *f);

/*
 * The volume key of a locked header: 0 and key[], or -EKEYREJECTED when the
 * secret is not the right one, -ENOMEM.
 */
must_check int header_unlock(const struct header *h, struct span secret,
                             uint8_t key[HEADER_KEY], struct fault *f);

/* As text; returns its size, at most HEADER_MAX. */
size_t header_write(const struct header *h, char to[HEADER_MAX]);

/* 0, or -EIO (damaged), -ENOTSUP (another version) and why. */
must_check int header_parse(struct span text, struct header *h,
                            struct fault *f);

/* From and to the folder; writing is atomic and safe when it returns. */
must_check int header_load(int dir_fd, struct header *h, struct fault *f);
must_check int header_store(int dir_fd, const struct header *h,
                            struct fault *f);

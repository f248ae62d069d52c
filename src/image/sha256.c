/* SPDX-License-Identifier: Apache-2.0 */
#define OPENSSL_SUPPRESS_DEPRECATED /* the lowest level is what we want */

#include "image/sha256.h"

#include <openssl/sha.h>

static_assert(SHA256_SIZE == SHA256_DIGEST_LENGTH, "SHA-256");

void sha256_two(struct span first, struct span second,
                uint8_t to[static SHA256_SIZE])
{
	SHA256_CTX c;

	(void)SHA256_Init(&c);
	(void)SHA256_Update(&c, first.at, first.size);
	(void)SHA256_Update(&c, second.at, second.size);
	(void)SHA256_Final(to, &c);
}

void sha256(struct span what, uint8_t to[static SHA256_SIZE])
{
	sha256_two(what, (struct span){NULL, 0}, to);
}

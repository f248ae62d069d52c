/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256, by OpenSSL's lowest level: a few KiB linked in, with the CPU's own
 * instructions where it has them, and nothing of the library around it.
 */
#pragma once

#include "base/span.h"

#define SHA256_SIZE 32u

void sha256(struct span what, uint8_t to[static SHA256_SIZE]);

/* Of two spans as if they were one. */
void sha256_two(struct span first, struct span second,
                uint8_t to[static SHA256_SIZE]);

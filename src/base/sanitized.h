/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds with the address sanitizer: what it does beside our own code, and its
 * memory, are allowed for where we confine ourselves.
 */
#pragma once

#include <stdbool.h>

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#else
#define SANITIZED false
#endif

/* Found by the sanitizer in the confined programs of such builds. */
const char *__asan_default_options(void);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy files that are part of the program.  Their folder is called
 * POLICY_BUILTIN in messages.
 */
#pragma once

#include "base/span.h"

#define POLICY_BUILTIN "builtin:"

/* The name of file `i`, or NULL behind the last. */
const char *policy_builtin_name(size_t i);

/* The text of a file; empty if there is none of this name. */
struct span policy_builtin_text(const char *name);

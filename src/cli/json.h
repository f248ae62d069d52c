/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is printed for machines.
 */
#pragma once

#include <jansson.h>

#include "base/base.h"

/*
 * A string; bytes that are not UTF-8 become '_', since JSON cannot have them.
 */
must_check json_t *json_text(const char *text);

/*
 * Prints a value on one line or, an object or a list, on several; takes it
 * over.  An exit status: not EXIT_SUCCESS without memory.
 */
must_check int json_print(json_t *value);

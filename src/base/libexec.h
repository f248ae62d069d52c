/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own programs that nobody calls by name.
 *
 * In a build folder they lie beside the program that wants them; installed,
 * in the folder the build was told.
 */
#pragma once

#include "base/fault.h"

/*
 * Opens the one of that name, or a folder of such, first beside our own
 * executable.  A descriptor to execute it by, or a negative errno.
 */
must_check int libexec_open(const char *name, struct fault *f);

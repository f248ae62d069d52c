/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where copies arrive: QubesIncoming/SOURCE in somebody's home.
 */
#pragma once

#include "base/fault.h"

#define COPYHOME_FOLDER "QubesIncoming"

/*
 * Opens the folder for what comes from the qube `source`, making it and the one
 * around it if need be, for their owner alone; a link in their place is refused.
 * `home` is a path.  A descriptor that the caller owns, or a negative errno.
 */
must_check int copyhome_open(const char *home, const char *source,
                             struct fault *f);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user's own editor.
 */
#pragma once

#include "base/fault.h"

/*
 * Lets $VISUAL, else $EDITOR, else vi work on a file.  0, or a negative errno
 * and why; its exit status must be 0.
 */
must_check int editor_run(const char *path, struct fault *f);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our handlers of the host's signals: SIGSYS for calls that are not patched
 * yet, the kick, and faults.
 */
#pragma once

#include "base/base.h"

/* Installs them for the process and all its children.  Returns 0 or an errno. */
must_check int trap_install(void);

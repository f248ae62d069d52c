/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disposables with auto_cleanup that have ended.
 */
#pragma once

#include "manager/manager.h"

/*
 * Removes the qube with this number if it is one of those.  No transaction may
 * be open.  0 or a negative errno.
 */
must_check int leftover_remove(struct manager *m, uint32_t id, struct fault *f);

/* Removes all that do not run: they ended while there was no manager. */
must_check int leftover_sweep(struct manager *m, struct fault *f);

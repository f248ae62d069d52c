/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The features of a qube, of which its services are some.
 */
#pragma once

#include "cli/query.h"

/*
 * Calls `each` with every feature of a qube, in the order of their names.  0
 * or a negative errno.
 */
must_check int featureset_each(struct query *a, const char *qube,
                               int (*each)(void *with, const char *name,
                                           const char *value),
                               void *with, struct fault *f);

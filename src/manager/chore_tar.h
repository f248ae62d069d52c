/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes as tar archives, in and out, in a worker: the manager itself never
 * reads one.
 */
#pragma once

#include "manager/chore.h"

/*
 * `home` is the volume's folder.  To import empties it first; if c->number is not
 * 0, a line with the new size in bytes comes before the archive.
 */
must_check int chore_tar_import(int home, const struct chore *c,
                                struct fault *f);
must_check int chore_tar_export(int home, const struct chore *c,
                                struct fault *f);

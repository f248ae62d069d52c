/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What volume_open() does after a crash, once the store has its last whole
 * batch back: inodes without a name go, with their attributes; a regular file
 * whose object never reached the disk gets an empty one; objects of no inode
 * go; what is used is counted anew.  A record that cannot be read stays as it
 * is, for volume_check() to tell of.
 */
#pragma once

#include "volume/volume.h"

/* 0 or a negative errno and why.  What it changed is safe then. */
must_check int recover_volume(struct volume *v, struct fault *f);

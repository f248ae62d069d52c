/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All of a volume as a tar archive (pax format), and back: names, owners,
 * modes, times, links, devices and extended attributes.  No process with more
 * rights than it needs should read archives of strangers: libarchive does the
 * reading.
 */
#pragma once

#include "volume/volume.h"

/* Writes the archive to `fd`.  0 or a negative errno and why. */
must_check int tarball_export(struct volume *v, int fd, struct fault *f);

/*
 * Adds what an archive (also a compressed one) holds to the volume; what has
 * the same name is replaced, but a directory by another is kept.  Names with
 * ".." are refused.  What was read before an error stays.  0 or a negative
 * errno, -ENOSPC at the limit among them, and why.
 */
must_check int tarball_import(struct volume *v, int fd, struct fault *f);

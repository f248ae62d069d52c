/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a root volume lies over: one version of a template's image, or the
 * machine's own programs.
 *
 * What a volume has of a file replaces, hides or adds to what is below; over
 * another version it would show a mixture of two systems.  So a volume keeps
 * what it was first started over, in its own folder:
 *
 *	base.erofs base.data base.tree    hard links to that version's files
 *	base.none                         or: the machine's programs
 *
 * They go where the volume goes: into its revisions, its copies, the snapshots
 * others have of it; and the version stays as long as one of these does.  An
 * empty volume has none of these until it is started: then it gets what is
 * current.
 */
#pragma once

#include "template/tplmount.h"

/*
 * Makes sure that the volume in a folder has a base: the current version of the
 * template `image`; if there is none, or `image` is "", the machine's programs.
 * With `only_image` it is left without one in that case.  0 or a negative errno.
 */
must_check int rootbase_keep(int volume, const char *image, bool only_image,
                             struct fault *f);

/* Has it one, and is that an image? */
bool rootbase_is_image(int volume);

/* Opens that image. */
must_check int rootbase_open(int volume, struct tplmount *m, struct fault *f);

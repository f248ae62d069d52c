/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which names, and which symbolic links, may arrive.
 *
 * A name is a path below the folder that receives: relative, of components
 * that are neither empty nor "." nor "..", so no "//" and no '/' at the end.
 * A link must lie in a folder that is copied with it, and its target must stay
 * in there: it is relative, and goes up only at its beginning, and less often
 * than its own path has folders.  Within these rules nothing that is received
 * can point outside of what was received.
 *
 * Unless all names are allowed, names and targets are UTF-8 without control
 * characters and without what copyname.def lists.
 */
#pragma once

#include "base/base.h"

/* 0; -EINVAL: not a name; -EILSEQ: a character that it may not have. */
must_check int copyname_check(const char *name, bool all_names);

/*
 * The same for the target of the link `name`, which was checked before.
 * 0, -ENOLINK: it leads, or could lead, outside; or -EILSEQ.
 */
must_check int copyname_check_link(const char *name, const char *target,
                                   bool all_names);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a file travels to the qube that opens it: its name in a field of fixed
 * size, then its bytes to the end. Back come the bytes of the changed file, or
 * nothing. A name that begins with OPENFILE_VIEW asks that it be shown only.
 */
#pragma once

#include "base/fault.h"

#define OPENFILE_NAME_SIZE 256u
#define OPENFILE_VIEW      "view-only://"

/*
 * The name that a file gets here, of what came in the field: cleaned of what
 * programs take amiss. 0, or -EINVAL when it has a '/', no NUL, or is no name.
 */
must_check int openfile_name(const char field[OPENFILE_NAME_SIZE],
                             char name[OPENFILE_NAME_SIZE], bool *view_only);

/* Fills the field for a path: its last component, or the end of that. */
void openfile_field(const char *path, bool view_only,
                    char field[OPENFILE_NAME_SIZE]);

/* Copies to the end. The number of bytes, or a negative errno. */
must_check int64_t openfile_copy(int from, int to);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first line of a script: "#!", an interpreter, and perhaps one argument,
 * which is all the rest of the line without the blanks around it.
 */
#pragma once

#include "base/span.h"

#define SCRIPT_HEAD 256u /* as much of a file as decides what it is */

struct script {
	struct span interp;
	struct span arg; /* size 0: none */
};

/*
 * Parses the first bytes of a file, of which there are SCRIPT_HEAD unless it
 * is shorter.  The spans borrow from `head`.  Returns 0; -ENOENT when it is
 * not a script; -ENOEXEC when there is no interpreter, or its name does not
 * end within the head.
 */
must_check int script_parse(struct span head, struct script *out);

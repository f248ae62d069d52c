/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capabilities of programs: the attribute security.capability, as
 * capabilities(7) has it under "File capabilities".
 */
#pragma once

#include "base/span.h"
#include "kernel/fs/inode.h"

#define FILECAP_NAME "security.capability"

struct filecap {
	uint64_t permitted, inheritable;
	bool effective;
};

/*
 * Those of a program: 0, -ENODATA if it has none (or none that count here),
 * -EINVAL for what is no such attribute, or what reading it failed with,
 * -EWAIT among them.
 */
must_check long filecap_read(struct inode *i, struct task *t,
                             struct filecap *out);

/* Is it a value, and not an empty one, that setxattr(2) may set? */
bool filecap_valid(struct span value);

/* Takes them from a file that is written to, or gets another owner. */
must_check long filecap_strip(struct inode *i, struct task *t);

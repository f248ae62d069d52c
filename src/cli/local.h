/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command of ours at the other end of what runs in a qube: between begin and
 * end, our standard input and output lead to it.
 */
#pragma once

#include "base/fault.h"

struct local {
	pid_t pid;   /* 0: there is none */
	int kept[2]; /* what our streams were */
};

/* Starts it by the shell; NULL: none.  0 or a negative errno and why. */
must_check int local_begin(struct local *l, const char *command,
                           struct fault *f);

/* Puts our streams back and waits for its end. */
void local_end(struct local *l);

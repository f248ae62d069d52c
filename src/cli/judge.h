/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the policy says to a call that has not been made by a qube: the user's own,
 * or one that is made of several steps.  Where it says ask, the user is asked.
 */
#pragma once

#include "cli/query.h"

#define JUDGE_NAME_MAX 63u

struct judge {
	const char *source;
	const char *target;  /* a name, or "@default" */
	const char *service; /* with a '+' */
};

/*
 * 0 and the target that was allowed; -EACCES, it was refused; or another
 * negative errno.
 */
must_check int judge(struct query *q, const struct judge *j,
                     char target[static JUDGE_NAME_MAX + 1], struct fault *f);

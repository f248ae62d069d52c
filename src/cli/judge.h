/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the policy says to a call that has not been made by a qube: the user's own,
 * or one that is made of several steps.  Where it says ask, the user is asked,
 * unless what he wants is the answer already.
 */
#pragma once

#include "cli/query.h"

#define JUDGE_NAME_MAX 63u

struct judge {
	const char *source;
	const char *target;  /* a name, or "@default" */
	const char *service; /* with a '+' */
	bool chosen; /* the target, by the user: he is not asked for it */
};

/*
 * 0 and the target that was allowed; -EACCES, it was refused; or another
 * negative errno, when there is no such qube.
 */
must_check int judge(struct query *q, const struct judge *j,
                     char target[static JUDGE_NAME_MAX + 1], struct fault *f);

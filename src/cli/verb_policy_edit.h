/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento policy edit`: a file of the policy in the user's editor.
 */
#pragma once

#include "cli/frame.h"
#include "policy/policy_store.h"

/*
 * Edits a file by name, NAME or NAME.policy or include/NAME.  An exit status,
 * or a negative errno and why.
 */
must_check int verb_policy_edit(const struct policy_store *s,
                                struct frame_call *c, const char *name);

/* The same name as policy_change.h wants it, which points into the old one. */
struct span verb_policy_edit_name(const char *name, bool *include);

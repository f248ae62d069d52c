/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is no error in a policy, but hardly meant: rules that are never
 * reached, and words that stand for nothing.
 */
#pragma once

#include "base/buffer.h"
#include "policy/policy_rules.h"
#include "policy/policy_system.h"

/*
 * Writes a line for each: FILE:LINE: what.  Without a system names are not
 * looked up.  Returns how many there are.
 */
size_t policy_lint(const struct policy_rules *rules,
                   const struct policy_system *system, struct buffer *to);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One rule, as it is written on a line:
 *
 *	SERVICE|* +ARGUMENT|* SOURCE TARGET allow|deny|ask [KEY=VALUE ...]
 *
 * Words are divided by blanks; there are no comments behind a rule.  Files
 * that are about one service leave out the first two words.
 */
#pragma once

#include "policy/policy_rules.h"

enum policy_form {
	POLICY_FORM_FULL,    /* as above */
	POLICY_FORM_SERVICE, /* SOURCE TARGET ACTION [KEY=VALUE ...] */
};

/* What is wrong, and with which word of the line, counted from 1. */
struct policy_wrong {
	uint32_t word;
	struct span text; /* the word itself; empty: one is missing */
	const char *why;
};

/*
 * Reads a rule.  In the shorter form service and argument stay as they are in
 * *out.  The rule's strings point into the line.
 * Returns 0, or -EINVAL and fills *wrong; *out is untouched then.
 */
must_check int policy_line_read(struct span line, enum policy_form form,
                                struct policy_rule *out,
                                struct policy_wrong *wrong);

/*
 * Reads the two words SERVICE|* and +ARGUMENT|* into *out.  0, or -EINVAL with
 * *which set to the wrong one (0 or 1) and *why to the reason.
 */
must_check int policy_line_service(struct span service, struct span argument,
                                   struct policy_rule *out, uint32_t *which,
                                   const char **why);

/* Takes blanks off the front, then a word, which is empty at the end. */
struct span policy_line_word(struct reader *r);

/* Letters, digits, and + - . _ */
bool policy_line_name_ok(struct span s);

/*
 * Writes the rule as a line in full form, without a line end, and a NUL.
 * Returns its length without the NUL, or -ENOSPC.
 */
must_check int policy_line_write(const struct policy_rule *rule, char *to,
                                 size_t room);

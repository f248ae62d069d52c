/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tests of policies share: files in memory, and a few qubes.
 */
#pragma once

#include "policy/policy_parse.h"
#include "policy/policy_system.h"

/* Ends with a row whose path is NULL.  Paths are absolute. */
struct policybed_file {
	const char *path;
	const char *text;
};

/* A source over a list of files. */
struct policy_source policybed_source(const struct policybed_file *files);

/* The rules of one text, which is /p/policy.d/test.policy; or why not. */
int policybed_parse(const char *text, struct policy_rules **out,
                    struct fault *f);

/*
 *	dom0      AdminVM
 *	work      AppVM, tags a b, running, default_dispvm base
 *	mail      AppVM, tag b
 *	vault     AppVM, no default_dispvm, internal
 *	base      AppVM, template_for_dispvms, tag d
 *	other     AppVM, template_for_dispvms, running
 *	disp1     DispVM of base, running
 *	tpl       TemplateVM, tag updates
 *	net       AppVM, tag updates-proxy
 */
extern const struct policy_system policybed_system;

/*
 * The answer in words: "allow work", "deny", "ask a b*"; the asterisk is
 * behind the preset, "(notify)" behind all of which the user is told.
 */
struct policy_answer;
void policybed_tell(const struct policy_system *s,
                    const struct policy_answer *a, char *to, size_t room);

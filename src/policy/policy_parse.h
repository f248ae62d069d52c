/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading policy files of version 5.0, with what they include.
 *
 * A file has one rule or directive a line; empty lines and those that begin
 * with # are passed over.  Directives:
 *
 *	!include FILE                       its lines, here
 *	!include-dir FOLDER                 all its *.policy files, sorted
 *	!include-service SVC|* +ARG|* FILE  a file of rules without the first
 *	                                    two words
 *	!compat-4.0                         a folder of such files, each named
 *	                                    for its service, in the old form
 *
 * Paths are relative to the folder of the main file, wherever the directive
 * stands.  The old folder is `policy` beside that folder; if there is none,
 * nothing is read.
 *
 * There are limits for the depth of inclusion, the size of files, their number
 * and that of rules; beyond them the policy is in error.
 */
#pragma once

#include "policy/policy_rules.h"
#include "policy/policy_source.h"

#define POLICY_PARSE_DEPTH 16u
#define POLICY_PARSE_TOTAL (16u * 1024u * 1024u) /* bytes of all files */

/*
 * Adds the rules of the file `path`, whose folder is `folder`.
 * Returns 0, or a negative errno and which file, line and word is wrong; the
 * rules are not to be used then.
 */
must_check int policy_parse_file(struct policy_rules *to,
                                 const struct policy_source *from,
                                 const char *path, const char *folder,
                                 struct fault *f);

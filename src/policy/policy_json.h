/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON: a description of the qubes, as Qubes OS gives it to its policy:
 *
 *	{"domains": {"work": {"type": "AppVM", "tags": ["t"], "uuid": "...",
 *	   "icon": "blue", "default_dispvm": "dvm" or null, "internal": false,
 *	   "template_for_dispvms": false, "power_state": "Running"}, ...}}
 *
 * and, ours, "template".  Everything but the type may be left out; keys that
 * are not known are passed over.  And the question that a prompt gets.
 */
#pragma once

#include "base/buffer.h"
#include "policy/policy_eval.h"

struct policy_world; /* a system with what it borrows from */

/*
 * Reads a description.  0 and *out, which policy_json_free() frees; or -EINVAL
 * or -ENOMEM and why.
 */
must_check int policy_json_read(struct span text, struct policy_world **out,
                                struct fault *f);
const struct policy_system *policy_json_system(const struct policy_world *w);
void policy_json_free(struct policy_world *w);

/* Writes a description that reads back as the same.  0 or -ENOMEM. */
must_check int policy_json_write(const struct policy_system *s,
                                 struct buffer *to);

/*
 * The question for a prompt program, one object on one line:
 *
 *	{"source": "work", "service": "qubes.Filecopy", "argument": "+",
 *	 "requested_target": "", "targets": ["mail", "@dispvm:dvm"],
 *	 "default_target": "",
 *	 "icons": {"work": "blue", "mail": "red", "dvm": "red"}}
 *
 * 0 or -ENOMEM.
 */
must_check int policy_json_ask(const struct policy_system *s,
                               const struct policy_request *request,
                               const struct policy_answer *a,
                               struct buffer *to);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing policy files, so that two editors do not overwrite each other.
 *
 * Who reads a file gets a token, which stands for its content; who replaces or
 * removes it shows the token, and is refused if the content is another by now.
 * "new" stands for a file that is not there, "any" for whatever there is.  A
 * lock on the folder makes looking and changing one step; the file changes
 * whole or not at all.
 *
 * A file is read as it counts, from whatever layer.  It is written to the
 * user's folder, or to the runtime folder if that has one of its name; so a
 * file of the program or of /etc is overridden.  Only what lies in these two
 * can be removed.
 *
 * A change that would make the policy an error is refused; but a policy that
 * is in error already may be changed file by file.
 */
#pragma once

#include "base/buffer.h"
#include "policy/policy_store.h"

#define POLICY_TOKEN_MAX 80u

enum policy_folder {
	POLICY_MAINS, /* NAME.policy in the folder; NAME is without the end */
	POLICY_INCLUDES, /* include/NAME */
};

/* The token of a content: "sha256:" and 64 digits. */
void policy_change_token(struct span text, char to[POLICY_TOKEN_MAX]);

/* Is this a name that a file may have? */
bool policy_change_name_ok(enum policy_folder folder, struct span name);

/* The names there are, sorted.  0, or a negative errno and why. */
must_check int policy_change_list(const struct policy_store *s,
                                  enum policy_folder folder,
                                  struct policy_names *out, struct fault *f);

/* A file as it counts.  0; -ENOENT or another negative errno and why. */
must_check int policy_change_get(const struct policy_store *s,
                                 enum policy_folder folder, struct span name,
                                 struct buffer *text, struct fault *f);

/*
 * Replaces a file, or makes it.  0; -EINVAL: no such name, or the policy would
 * be in error; -ESTALE: the token is of another content; -EEXIST: it is there,
 * and the token is "new"; -ENOENT: it is not, and the token is of a content;
 * or another negative errno, and why.
 */
must_check int policy_change_replace(const struct policy_store *s,
                                     enum policy_folder folder,
                                     struct span name, struct span token,
                                     struct span text, struct fault *f);

/* Removes a file.  As above; -EPERM: it is not in one of the user's folders. */
must_check int policy_change_remove(const struct policy_store *s,
                                    enum policy_folder folder, struct span name,
                                    struct span token, struct fault *f);

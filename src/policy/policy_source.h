/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the text of policies comes from.  The parser knows only this, so that
 * tests, fuzzers and an editor's "what if" need no files.
 */
#pragma once

#include "base/fault.h"
#include "base/span.h"

/* Names in a folder; names and list are owned. */
struct policy_names {
	char **name;
	size_t count;
	size_t room;
};

struct policy_source {
	void *ctx;
	/*
	 * The whole of a file.  0 and *text, which the caller frees; or
	 * -ENOENT, or another negative errno, and why.
	 */
	int (*read)(void *ctx, const char *path, uint8_t **text, size_t *size,
	            struct fault *f);
	/* The names in a folder, in any order; as above. */
	int (*list)(void *ctx, const char *path, struct policy_names *names,
	            struct fault *f);
};

/* 0 or -ENOMEM. */
must_check int policy_source_add(struct policy_names *n, const char *name);

/* Sorts by bytes. */
void policy_source_sort(struct policy_names *n);

void policy_source_fini(struct policy_names *n);

/*
 * Is this the name of a policy file?  1; or 0 if it is to be passed over (it
 * begins with a dot, or does not end in .policy); or -EINVAL: it would be one
 * but for characters other than a-z 0-9 _ . -
 */
must_check int policy_source_name(const char *name);

/*
 * Keeps the policy files of a list, sorted.  0, or -EINVAL for a bad name in
 * `folder`, and why.
 */
must_check int policy_source_pick(struct policy_names *n, const char *folder,
                                  struct fault *f);

/*
 * Writes text for a person's eyes: what is not printable ASCII, and the
 * backslash, become \xHH.  What does not fit is cut; a NUL ends it.
 */
void policy_source_escape(struct span s, char *to, size_t room);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One word of a policy that stands for a qube, or for many.
 */
#pragma once

#include "base/span.h"

enum policy_kind {
	POLICY_NONE, /* nothing was written */
	POLICY_NAME,
	POLICY_UUID,
	POLICY_ANY,
	POLICY_ADMINVM,
	POLICY_ANYVM,
	POLICY_TAG,
	POLICY_TYPE,
	POLICY_DEFAULT,
	POLICY_DISPVM,
	POLICY_DISPVM_OF,
	POLICY_DISPVM_OF_UUID,
	POLICY_DISPVM_TAG,
};

enum policy_place {
	POLICY_SOURCE = 1,
	POLICY_TARGET = 2,
	POLICY_REDIRECT = 4,
	POLICY_WANTED = 8,
};

struct policy_token {
	enum policy_kind kind;
	struct span value; /* the name, UUID, tag or class; else empty */
};

/*
 * Reads a word as it may stand in `place`.  The value points into the word.
 * Returns 0, or -EINVAL and leaves *out as it is.
 */
must_check int policy_token_read(struct span word, enum policy_place place,
                                 struct policy_token *out);

/* The word's beginning as it is written; the value follows it. */
const char *policy_token_spelling(enum policy_kind kind);

bool policy_token_same(struct policy_token a, struct policy_token b);

/* 36 characters: lower-case hexadecimal digits in groups of 8-4-4-4-12. */
bool policy_token_is_uuid(struct span s);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy as it is in memory: rules in the order in which they are looked at,
 * and the strings they point to, which live as long as it does.
 */
#pragma once

#include "policy/policy_token.h"

/* What a policy may grow to.  More is an error of the policy. */
#define POLICY_RULES_MAX 65536u
#define POLICY_FILES_MAX 4096u
#define POLICY_FILE_MAX  (1024u * 1024u) /* bytes of one file */
#define POLICY_LINE_MAX  2048u

enum policy_action { POLICY_DENY, POLICY_ALLOW, POLICY_ASK };

struct policy_rule {
	bool any_service;
	bool any_argument;
	struct span service;
	struct span argument; /* with its leading + */
	struct policy_token source;
	struct policy_token target;
	enum policy_action action;
	struct policy_token redirect;       /* target= */
	struct policy_token default_target; /* ask only */
	struct span user;                   /* empty: the target's default */
	bool notify;
	bool autostart;
	uint32_t file; /* index into the policy's files */
	uint32_t line;
};

struct policy_rules {
	struct policy_rule *rule;
	size_t count;
	size_t room;
	const char **file; /* paths, each once for every time it was read */
	size_t file_count;
	size_t file_room;
	struct policy_chunk *chunks;
};

/* An empty policy, which denies everything; or NULL. */
must_check struct policy_rules *policy_rules_create(void);
void policy_rules_destroy(struct policy_rules *p);

/*
 * Copies a string into the policy; a NUL follows it.  0 or -ENOMEM.
 */
must_check int policy_rules_keep(struct policy_rules *p, struct span s,
                                 struct span *out);

/* Takes note of a file.  Its index, -E2BIG or -ENOMEM. */
must_check int64_t policy_rules_file(struct policy_rules *p, const char *path);

/*
 * Adds a rule at the end, with copies of its strings.  0, -E2BIG or -ENOMEM.
 */
must_check int policy_rules_add(struct policy_rules *p,
                                const struct policy_rule *rule);

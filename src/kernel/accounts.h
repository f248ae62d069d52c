/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who there is in a qube: whoever its /etc/passwd names now.  `user` and `root`
 * are there in any case, as that file has them at first, so that a qube whose
 * file is broken can be entered and mended.
 */
#pragma once

#include "base/span.h"
#include "kernel/core/kernel.h"

#define ACCOUNTS_TEXT_MAX 255u
#define ACCOUNTS_GROUPS   64u

struct account {
	uint32_t uid, gid;
	char name[ACCOUNTS_TEXT_MAX + 1];
	char home[ACCOUNTS_TEXT_MAX + 1];
	char shell[ACCOUNTS_TEXT_MAX + 1];
	uint32_t groups[ACCOUNTS_GROUPS]; /* its own among them */
	uint32_t group_count;
};

struct task;

/*
 * Looks `name` up (empty: `user`) with the hand `t` (kernel/fs/hand.h).  0;
 * -ENOENT, -ENOMEM, or what reading the files said.
 */
must_check int accounts_find(struct task *t, struct span name,
                             struct account *out);

/*
 * The account of that name in texts as of /etc/passwd and /etc/group.  Lines
 * that are none are passed over.  0 or -ENOENT.
 */
must_check int accounts_parse(struct span passwd, struct span group,
                              struct span name, struct account *out);

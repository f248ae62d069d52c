/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The credentials a program gets by execve(2): those of who executes it, and
 * what the set-id bits and capabilities of its file add.  capabilities(7) has
 * the rules, under "Transformation of capabilities during execve()".
 */
#pragma once

#include "kernel/task/task.h"

struct file;

/* Who executes what. */
struct execcred_of {
	struct task *t;
	const struct file *file;
	bool no_new_privs;
	bool shares_fs; /* another process could change what "/" is for it */
};

/*
 * The credentials, a reference, and whether the program must not believe its
 * environment (AT_SECURE).  0; -EPERM for a program that would have to have
 * capabilities which it cannot get; -ENOMEM; or what reading them failed with,
 * -EWAIT among them.
 */
must_check long execcred_make(const struct execcred_of *of, struct cred **out,
                              bool *secure);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this host offers to confine a process with.  Looks only; changes
 * nothing about the caller.
 */
#pragma once

#include "base/base.h"

/* Landlock's ABI version, or 0 without it. */
int probe_landlock(void);

/* May this user make a user namespace, and in it a PID namespace? */
bool probe_user_namespace(void);
bool probe_pid_namespace(void);

/* The namespace flags of clone(2) this user may use, of those in `wanted`. */
uint64_t probe_namespaces(uint64_t wanted);

/* Filters with KILL_PROCESS. */
bool probe_seccomp(void);

/* mseal(2), Linux 6.10. */
bool probe_mseal(void);

/* The CPU and the host let programs use FSGSBASE instructions. */
bool probe_fsgsbase(void);

/* Yama's ptrace_scope, or -1 without Yama. */
int probe_yama(void);

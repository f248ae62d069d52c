/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp filters made of tables of host calls.
 *
 * A table is a .def file of rows HOSTCALL(call, checks, reason) and
 * HOSTFAIL(call, errno, reason).  A call may have several rows; one that holds
 * is enough.  Checks are, side by side, at most four:
 *
 *	ANY                  nothing to check
 *	IS(arg, value)       argument `arg` (0 to 5), low 32 bits, has the value
 *	ONLY(arg, mask)      ... has no bit outside the mask
 *	NONE_OF(arg, mask)   ... has no bit of the mask
 *	IS64(arg, value)     all 64 bits have the value
 *
 * To make rows of it, include base/hostcalls_words.h and the table.
 */
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "base/base.h"

#define HOSTCALLS_CHECKS     4
#define HOSTCALLS_FILTER_MAX 480u

struct hostcalls_check {
	uint64_t mask; /* 0: no check, the last */
	uint64_t value;
	unsigned arg;
};

struct hostcalls_row {
	uint32_t nr;
	uint32_t action; /* SECCOMP_RET_* if all checks hold */
	struct hostcalls_check check[HOSTCALLS_CHECKS + 1];
};

#define HOSTCALLS_LOW 0xffffffffu
#define HOSTCALLS_ANY
#define HOSTCALLS_IS(n, v) \
	{.arg = (n), .mask = HOSTCALLS_LOW, .value = (uint32_t)(v)},
#define HOSTCALLS_ONLY(n, m)    {.arg = (n), .mask = (uint32_t) ~(m), .value = 0},
#define HOSTCALLS_NONE_OF(n, m) {.arg = (n), .mask = (uint32_t)(m), .value = 0},
#define HOSTCALLS_IS64(n, v)    {.arg = (n), .mask = ~0ull, .value = (v)},
#define HOSTCALLS_FAIL(call, err, reason) \
	{.nr = SYS_##call, .action = SECCOMP_RET_ERRNO | (err)},
#define HOSTCALLS_CALL(call, checks, reason) \
	{.nr = SYS_##call, .action = SECCOMP_RET_ALLOW, .check = {checks}},

/*
 * Writes the program; what no row allows gets `refusal` (SECCOMP_RET_*).
 * Returns the number of instructions, at most HOSTCALLS_FILTER_MAX.
 */
size_t hostcalls_build(const struct hostcalls_row *rows, size_t count,
                       struct sock_filter prog[static HOSTCALLS_FILTER_MAX],
                       uint32_t refusal);

/*
 * Installs it for the calling thread and all it starts; no_new_privs must be
 * set.  What is refused kills the process; with BENTO_SECCOMP=trap in the
 * environment it is told on stderr before.  0 or a negative errno.
 */
must_check int hostcalls_enter(const struct hostcalls_row *rows, size_t count);

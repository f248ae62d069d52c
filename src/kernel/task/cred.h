/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials: an immutable set of ids and capabilities.  To change one, copy,
 * change the copy, and replace: whoever holds the old one keeps it.
 */
#pragma once

#include "kernel/task/task.h"

struct cred {
	uint32_t refs;
	uint32_t uid, euid, suid, fsuid;
	uint32_t gid, egid, sgid, fsgid;
	uint64_t cap_permitted, cap_effective, cap_inheritable, cap_bounding,
		cap_ambient;
	uint32_t securebits;
	uint32_t group_count;
	uint32_t *groups; /* sorted */
};

/* CAP_* numbers as in linux/capability.h. */
#define CRED_CAP_CHOWN            0
#define CRED_CAP_DAC_OVERRIDE     1
#define CRED_CAP_DAC_READ_SEARCH  2
#define CRED_CAP_FOWNER           3
#define CRED_CAP_FSETID           4
#define CRED_CAP_KILL             5
#define CRED_CAP_SETGID           6
#define CRED_CAP_SETUID           7
#define CRED_CAP_SETPCAP          8
#define CRED_CAP_NET_BIND_SERVICE 10
#define CRED_CAP_NET_ADMIN        12
#define CRED_CAP_NET_RAW          13
#define CRED_CAP_IPC_OWNER        15
#define CRED_CAP_SYS_CHROOT       18
#define CRED_CAP_SYS_PTRACE       19
#define CRED_CAP_SYS_ADMIN        21
#define CRED_CAP_SYS_BOOT         22
#define CRED_CAP_SYS_NICE         23
#define CRED_CAP_SYS_RESOURCE     24
#define CRED_CAP_MKNOD            27
#define CRED_CAP_SETFCAP          31
#define CRED_CAP_LAST             40
#define CRED_CAPS_ALL             ((2ull << CRED_CAP_LAST) - 1)

/* A user's credentials; root gets every capability.  NULL: no memory. */
must_check struct cred *cred_create(uint32_t uid, uint32_t gid,
                                    const uint32_t *groups, uint32_t count);

/* A copy with one reference, to be changed before anyone else sees it. */
must_check struct cred *cred_copy(const struct cred *c);

struct cred *cred_get(struct cred *c);
void cred_put(struct cred *c);

/* Takes over `c`; publishes the ids in the task's slot. */
void cred_replace(struct task *t, struct cred *c);

/* Writes the ids into the task's slot, if it has one. */
void cred_publish(struct task *t);

/*
 * Replaces the supplementary groups of a copy nobody else has seen.  0 or
 * -ENOMEM, and nothing has changed.
 */
must_check int cred_set_groups(struct cred *c, const uint32_t *groups,
                               uint32_t count);

bool cred_capable(const struct cred *c, int cap);

/* Is `gid` the fsgid or among the groups? */
bool cred_in_group(const struct cred *c, uint32_t gid);

/* Is it among the supplementary groups? */
bool cred_has_group(const struct cred *c, uint32_t gid);

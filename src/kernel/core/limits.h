/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Charging: whatever a guest can make grow is counted against its qube before
 * it is allocated.  Running out is -ENOMEM for the guest, never our death.
 */
#pragma once

#include "kernel/core/kernel.h"

/* Per process or object, as Linux's defaults have them. */
#define LIMIT_PATH        4096u
#define LIMIT_NAME        255u
#define LIMIT_LINKS       40u      /* symbolic links followed in one walk */
#define LIMIT_FDS         1048576u /* highest RLIMIT_NOFILE */
#define LIMIT_ARG_STRINGS (2u << 20)
#define LIMIT_PIPE_SIZE   (1u << 20)
#define LIMIT_GROUPS      65536u
#define LIMIT_IOV         1024u

/* Returns 0, or -ENOMEM and charges nothing. */
must_check int limits_charge(struct kernel *k, uint64_t bytes);

void limits_uncharge(struct kernel *k, uint64_t bytes);

/* Zeroed memory, charged; NULL when the qube or the host has no more. */
must_check void *limits_alloc(struct kernel *k, size_t size);

/* `size` is what was asked for.  Accepts NULL. */
void limits_free(struct kernel *k, void *p, size_t size);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket names between guest memory and us.
 */
#pragma once

#include "kernel/net/sockabi.h"
#include "kernel/task/user.h"

/* Reads `size` bytes.  0, -EINVAL (longer than any name), -EFAULT. */
must_check long sockname_read(struct task *t, uaddr_t at, uint32_t size,
                              struct sockname *out);

/*
 * Writes as much as the caller has room for, which is the int at `size`, and
 * there the length it would have taken.  0, -EINVAL, -EFAULT.
 */
must_check long sockname_write(struct task *t, uaddr_t at, uaddr_t size,
                               const struct sockname *n);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and writing all of it, in however many steps the host takes.
 */
#pragma once

#include "base/base.h"
#include "base/span.h"

#include <sys/types.h>

/* Write all of `bytes`, where the file stands or at `at`.  0 or a negative errno. */
must_check int whole_write(int fd, struct span bytes);
must_check int whole_pwrite(int fd, struct span bytes, uint64_t at);

/*
 * Read `size` bytes, from where the file stands or from `at`.  How many came,
 * which are fewer at the end of the file only; or a negative errno.
 */
must_check ssize_t whole_read(int fd, void *to, size_t size);
must_check ssize_t whole_pread(int fd, void *to, size_t size, uint64_t at);

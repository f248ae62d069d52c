/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts of files in /etc that differ from qube to qube.  Each writes at
 * most `room` bytes, NUL included, and returns the length.
 */
#pragma once

#include "kernel/fs/world.h"

#define WORLD_TEXT_MAX ((size_t)65536)

size_t world_text_passwd(struct kernel *k, const struct world_options *o,
                         char *to, size_t room);
size_t world_text_group(struct kernel *k, const struct world_options *o,
                        char *to, size_t room);
size_t world_text_shadow(struct kernel *k, const struct world_options *o,
                         char *to, size_t room);
size_t world_text_hostname(struct kernel *k, const struct world_options *o,
                           char *to, size_t room);
size_t world_text_hosts(struct kernel *k, const struct world_options *o,
                        char *to, size_t room);
size_t world_text_machine_id(struct kernel *k, const struct world_options *o,
                             char *to, size_t room);

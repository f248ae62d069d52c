/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lengths of the instructions that compilers put behind a syscall, as far as
 * they mean the same at another address.
 */
#pragma once

#include "base/base.h"

/*
 * Looks at the instruction at code[0], of which `room` bytes may be read.
 * Returns its length, or 0 if it is unknown, runs over the room, or depends on
 * where it stands.  *ends is set when nothing after it is reached by falling
 * through.
 */
must_check size_t decode_length(const uint8_t *code, size_t room, bool *ends);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command's words as the argument of qubes.VMExec: joined by '+'; letters,
 * digits, '.' and '_' are themselves, '-' is "--", every other byte is "-HH" in
 * upper-case hexadecimal digits.
 */
#pragma once

#include "base/buffer.h"

/* Appends the words, up to the NULL, of which there is at least one. */
void vmexec_encode(char *const words[], struct buffer *to);

/*
 * Appends each word with a NUL. Returns their number, at least 1; -EPROTO when
 * it is not of that form, or a word has a NUL in it; or -ENOMEM. What was
 * appended is of no use then.
 */
must_check int vmexec_decode(struct span argument, struct buffer *to);

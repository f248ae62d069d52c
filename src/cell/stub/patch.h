/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Call sites rewritten to jump into the stub instead of trapping.
 *
 * A site that traps again and again gets a trampoline near it, in one of two
 * forms.  Where `mov $n, %eax` comes right before the syscall, the mov becomes
 * the jump and the syscall stays for the slow way.  Elsewhere the syscall and
 * the instructions behind it give way, and run in the trampoline; the jump's
 * second displacement byte is then an undefined opcode, so that whoever comes
 * back to just behind the syscall faults and is put right.
 *
 * Text is never writable and executable at once: while a site is rewritten its
 * range cannot be executed, and a thread that tries waits in its fault handler.
 * That, and the flush the change of protection brings, also means that nobody
 * executes half a jump.
 *
 * A trampoline touches rcx and r11 only, as a syscall does, and no flags.  It
 * looks whether GS is still ours; if not, the syscall traps as ever.
 */
#pragma once

#include "cell/stub/area.h"

/* Counts a trap at the syscall instruction at `site`; patches it in time. */
void patch_count(uint64_t site, uint64_t nr);

/* Where the guest believes to be when it is at `ip`. */
uint64_t patch_guest_ip(uint64_t ip);

/* Where to go on for a guest that is at `ip`. */
uint64_t patch_native_ip(uint64_t ip);

/* Returns true if the fault was ours, and `c` is put right. */
bool patch_fault(int sig, struct context *c);

/* Forgets everything, for a new program. */
void patch_reset(void);

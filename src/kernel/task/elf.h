/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much of an ELF file as the kernel must know: whether it is a program for
 * this machine, and which interpreter it wants.  The stub reads the rest and
 * loads it; what is wrong there is between the guest and itself.
 */
#pragma once

#include "base/span.h"

#define ELF_HEADER_SIZE 64u
#define ELF_ENTRY_SIZE  56u   /* of one program header */
#define ELF_ENTRIES_MAX 1170u /* 64 KiB of them, as on Linux */
#define ELF_INTERP_MAX  4096u /* with its NUL */

/* Where the program headers lie. */
struct elf {
	uint64_t offset;
	uint16_t count;
};

/* Where the name of the interpreter lies; size 0: there is none. */
struct elf_interp {
	uint64_t offset;
	uint64_t size;
};

/*
 * Reads the first bytes of a file.  0, or -ENOEXEC when it is not an x86-64
 * program; *out is untouched then.
 */
must_check int elf_header(struct span head, struct elf *out);

/* Reads all the program headers.  0 or -ENOEXEC. */
must_check int elf_find_interp(struct span entries, struct elf_interp *out);

/* Is it a path with its NUL at the very end?  0 or -ENOEXEC. */
must_check int elf_check_interp(struct span name);

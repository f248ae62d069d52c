/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a cell needs to load a program: written by the kernel, read by the
 * stub after an answer with SLOT_LOAD.
 *
 * The head lies at the start of the data window.  The strings follow it there
 * if they fit, else they lie at the start of a memory file that is sent down
 * first (`strings_sent`).  They are: the execfn, the arguments, the
 * environment, each NUL-terminated.  Then the descriptors of the program and
 * of its interpreter, if it has one, come down the cell's socket in one
 * message, in the order: [strings] program [interpreter].
 *
 * The stub parses the ELF files itself: a hostile one hurts only its cell.
 */
#pragma once

#include "base/base.h"
#include "channel/layout.h"

struct image {
	uint32_t argc;
	uint32_t envc;
	uint32_t strings_size; /* execfn, arguments, environment together */
	uint8_t strings_sent;  /* they come in a memory file of their own */
	uint8_t has_interp;    /* two ELF descriptors come, not one */
	uint8_t secure;        /* AT_SECURE */
	uint8_t in_place;      /* drop the old program of this cell first */
	uint32_t uid, euid, gid, egid;
	uint64_t stack_size; /* RLIMIT_STACK of the new program */
	uint8_t random[16];  /* AT_RANDOM */
	/* Program and interpreter: where in what is sent, and how large. */
	uint64_t from[2], size[2];
};

#define IMAGE_STRINGS ((uint32_t)sizeof(struct image))

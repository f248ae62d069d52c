/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers that assembly and C must agree on; area.h asserts them.
 */
#pragma once

#define AREA_STACK_TOP  0
#define AREA_GUEST_SP   8
#define AREA_SLOT       16
#define AREA_MINUS_SELF 24
#define AREA_RESULT     32
#define AREA_RESUME     40

#define SLOT_ATTENTION 64

/* Bytes that entry_fast pushes before it calls into C. */
#define ENTRY_SAVED 72

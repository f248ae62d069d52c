/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Positions of open files that the kernel has lent to a cell, so that it
 * reads, writes and seeks without asking.
 *
 * They lie in the page of the channel's first slot, behind it: the position of
 * guest descriptor `fd` in word `fd`.  The upper bits of a word are the number
 * of the loan, another one each time; 0: nothing is lent.  The cell moves a
 * position by compare-and-exchange, so that of two threads only one does.  The
 * kernel takes it back, whenever anybody else needs it, by an exchange with 0:
 * a cell that was just reading finds that out when it wants to move on, and
 * asks.  Nobody ever waits.
 *
 * What a cell writes there is a position as lseek(2) would set it, and
 * believed as little: the kernel takes it once, and cuts it to PLACE_MAX.
 */
#pragma once

#include <stdatomic.h>

#include "base/base.h"
#include "channel/slot.h"

#define PLACE_COUNT 384u /* descriptors from 0 on that can have one */
#define PLACE_AT    0x400u
#define PLACE_BITS  48
#define PLACE_MAX   ((1ull << PLACE_BITS) - 1)

static_assert(sizeof(struct slot) <= PLACE_AT, "behind the slot");
static_assert(PLACE_AT + PLACE_COUNT * sizeof(uint64_t) <= CHANNEL_DATA,
              "before the window");

/* The word of a descriptor below PLACE_COUNT; `channel` is slot 0's address. */
static inline _Atomic uint64_t *place_word(void *channel, uint32_t fd)
{
	return (_Atomic uint64_t *)channel + PLACE_AT / sizeof(uint64_t) + fd;
}

static inline uint64_t place_loan(uint64_t word)
{
	return word >> PLACE_BITS;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where things of ours lie in a cell's address space, and how big they are.
 *
 * One window high in the address space is ours; the stub keeps the guest out
 * of it by politeness, and nothing depends on that: a guest that maps over it
 * hurts only itself.
 */
#pragma once

#define LAYOUT_LO 0x7d0000000000ULL /* ours: [LAYOUT_LO, LAYOUT_HI) */
#define LAYOUT_HI 0x7d4000000000ULL

#define LAYOUT_STUB    0x7d0000000000ULL /* stub text, then its data */
#define LAYOUT_THREADS 0x7d1000000000ULL /* private per-thread areas */
#define LAYOUT_CHANNEL 0x7d2000000000ULL /* two windows, used in turn */
#define LAYOUT_PARITY  0x000100000000ULL /* distance of the two windows */
#define LAYOUT_NOTICE  0x7d3f00000000ULL /* read-only page of the kernel */

#define CHANNEL_THREADS 1024u    /* threads of one cell at most */
#define CHANNEL_STRIDE  0x10000u /* one thread's slot and data */
#define CHANNEL_DATA    0x1000u  /* where the data window begins */
#define CHANNEL_WINDOW  (CHANNEL_STRIDE - CHANNEL_DATA)
#define CHANNEL_SIZE    ((uint64_t)CHANNEL_THREADS * CHANNEL_STRIDE)

#define LAYOUT_THREAD_SIZE 0x20000ULL /* one thread's private area */

/* Host descriptors of a cell with fixed numbers. */
#define CELL_FD_SOCKET 0 /* SEQPACKET to the kernel: descriptors come down */
#define CELL_FD_BELL   1 /* eventfd: rings the kernel */
#define CELL_FD_FIRST  2 /* from here on: leases and objects in passing */

/* The one host signal that asks a running thread to look at its slot. */
#define CELL_KICK_SIGNAL 63

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the stub remembers: an area for each thread, and one structure for the
 * process.
 *
 * A thread's area is LAYOUT_THREAD_SIZE bytes at a multiple of that size: this
 * structure in its first page, the stub's stack behind.  The stack is also the
 * host's signal stack, so that whoever runs the stub's code finds its area by
 * cutting rsp; code that comes from a patched site finds it through GS.
 *
 * The image has no writable data: the process's structure is mapped at a fixed
 * address, from which the zygote's children inherit it.
 */
#pragma once

#include "base/base.h"
#include "cell/stub/lock.h"
#include "cell/stub/x86_64/context.h"
#include "cell/stub/x86_64/offsets.h"
#include "channel/layout.h"
#include "channel/slot.h"

struct area {
	/* Known to assembly. */
	uint64_t stack_top;
	uint64_t guest_sp;
	struct slot *slot;
	uint64_t minus_self; /* says that GS is ours */
	int64_t result;      /* of the call that raised */
	uint64_t resume;

	uint64_t nr; /* of the call that raised */
	uint32_t index;
	bool leader;        /* the host process's first thread */
	bool vfork_child;   /* another guest process, borrowing this memory */
	bool holds_socket;  /* has this lock of the process while it asks */
	bool holds_threads; /* and this one */
	uint64_t clear_tid;
	uint64_t robust; /* head of the robust list, or 0 */
	struct altstack alt;
};

static_assert(offsetof(struct area, stack_top) == AREA_STACK_TOP, "asm");
static_assert(offsetof(struct area, guest_sp) == AREA_GUEST_SP, "asm");
static_assert(offsetof(struct area, slot) == AREA_SLOT, "asm");
static_assert(offsetof(struct area, minus_self) == AREA_MINUS_SELF, "asm");
static_assert(offsetof(struct area, result) == AREA_RESULT, "asm");
static_assert(offsetof(struct area, resume) == AREA_RESUME, "asm");
static_assert(offsetof(struct slot, attention) == SLOT_ATTENTION, "asm");

#define AREA_STACK 4096u /* where the stack begins */

#define PROCESS_ADDR (LAYOUT_STUB + 0x10000000ULL)

#define PROCESS_RANGES  512u  /* executable ranges that may be patched */
#define PROCESS_POOLS   32u   /* pools of trampolines */
#define PROCESS_HOT     1024u /* sites being counted */
#define PROCESS_OBJECTS 1024u /* keys of OP_object and OP_lease */
#define PROCESS_STALE   16u   /* descriptors on their way out */
#define PROCESS_PARTS   512u  /* mappings of parts of objects */
#define PROCESS_LEASES  1024u /* guest descriptors that may have a lease */

struct range {
	uint64_t lo;
	uint64_t hi;
};

#define POOL_SIZE  0x10000u
#define POOL_SLOT  128u
#define POOL_SLOTS (POOL_SIZE / POOL_SLOT)

struct pool {
	uint64_t base;
	uint64_t used[POOL_SLOTS / 64];
};

struct hot {
	_Atomic uint64_t site;
	_Atomic uint32_t hits;
};

struct process {
	/* Facts of the host, from the zygote. */
	uint64_t vdso, vdso_lo, vdso_hi;
	uint64_t hwcap, hwcap2, min_stack;
	uint64_t xfeatures_supported, xfeatures_permitted;

	uint64_t channel;               /* the window in use */
	uint64_t stack_low, stack_high; /* the guest's, all of it */

	struct lock memory; /* brk, ranges, parts, pools, the text in them */
	uint64_t brk_start, brk, brk_mapped;
	uint32_t range_count;
	struct range range[PROCESS_RANGES];
	uint32_t part_next; /* the oldest of part[]; see parts.h */
	uint64_t part_lo, part_hi;
	struct range part[PROCESS_PARTS];
	uint32_t pool_count;
	struct pool pool[PROCESS_POOLS];
	struct hot hot[PROCESS_HOT];

	struct lock socket;           /* descriptors on their way down */
	uint32_t stale_next;          /* the oldest of stale[] */
	int32_t stale[PROCESS_STALE]; /* replaced, perhaps still in use */
	_Atomic int32_t object[PROCESS_OBJECTS]; /* by key: host's, or 0 */
	_Atomic uint32_t lease[PROCESS_LEASES];  /* see leases.h */
	_Atomic uint32_t lease_age;              /* the notice's, when asked */
	uint64_t lease_from[PROCESS_LEASES]; /* OP_KEY_PART: bytes of the... */
	uint64_t lease_size[PROCESS_LEASES]; /* ...object that are the file */

	struct lock threads;                   /* making them */
	uint64_t mapped[CHANNEL_THREADS / 64]; /* areas that exist */
};

#define PROCESS_SIZE ((sizeof(struct process) + 4095) & ~4095ULL)

static inline struct process *area_process(void)
{
	return (struct process *)PROCESS_ADDR;
}

static inline const struct notice *area_notice(void)
{
	return (const struct notice *)LAYOUT_NOTICE;
}

/* The area of the calling thread; valid on the stub's stack only. */
static inline struct area *area_self(void)
{
	uint64_t sp = (uint64_t)__builtin_frame_address(0);

	return (struct area *)(sp & ~(LAYOUT_THREAD_SIZE - 1));
}

/* The data window behind a thread's slot. */
static inline uint8_t *area_window(const struct area *a)
{
	return (uint8_t *)a->slot + CHANNEL_DATA;
}

static inline uint64_t area_address(uint32_t index)
{
	return LAYOUT_THREADS + index * LAYOUT_THREAD_SIZE;
}

/* Does [addr, addr + size) touch what is ours? */
static inline bool area_ours(uint64_t addr, uint64_t size)
{
	uint64_t end;

	if (__builtin_add_overflow(addr, size, &end))
		return true;
	return addr < LAYOUT_HI && end > LAYOUT_LO;
}

/*
 * Maps the area of thread `index` if need be and fills it in for a new thread
 * that uses slot `index` of the channel at `channel`.  Returns it or NULL.
 */
must_check struct area *area_make(uint32_t index, uint64_t channel);

/* Tells the host that handlers of this thread run on its area. */
void area_use_stack(const struct area *a);

/* Makes this thread the only one of the process; unmaps the others' areas. */
void area_forget_others(const struct area *a);

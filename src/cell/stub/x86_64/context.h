/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signal frames as Linux lays them out on x86-64: what the host hands to our
 * handlers is what we hand to the guest's.
 */
#pragma once

#include "base/base.h"

struct altstack {
	uint64_t sp;
	int32_t flags;
	uint32_t pad;
	uint64_t size;
};

struct context {
	uint64_t uc_flags;
	uint64_t link;
	struct altstack stack;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp;
	uint64_t rip, eflags;
	uint16_t cs, gs, fs, ss;
	uint64_t err, trapno, oldmask, cr2;
	uint64_t fp; /* address of the XSAVE image, or 0 */
	uint64_t reserved[8];
	uint64_t mask;
};

struct frame {
	uint64_t restorer;
	struct context context;
	uint8_t info[128];
};

static_assert(offsetof(struct context, rip) == 168, "sigcontext");
static_assert(offsetof(struct context, fp) == 224, "sigcontext");
static_assert(sizeof(struct context) == 304, "ucontext");
static_assert(sizeof(struct frame) == 440, "rt_sigframe");

/* Selectors of 64-bit user code, and the flags that go with them. */
#define CONTEXT_CS     0x33
#define CONTEXT_SS     0x2b
#define CONTEXT_FLAGS  6u /* UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS */
#define CONTEXT_XSTATE 1u /* UC_FP_XSTATE */

#define EFLAGS_TF 0x100u
#define EFLAGS_DF 0x400u
#define EFLAGS_RF 0x10000u

/* Bits of `err` for a page fault. */
#define FAULT_FETCH 0x10u

/* Flags of sigaltstack(2) and sigaction(2). */
#define ALT_ONSTACK    1
#define ALT_DISABLE    2
#define ALT_AUTODISARM INT32_MIN /* bit 31 */
#define SA_ONSTACK_    0x08000000u
#define SA_RESTART_    0x10000000u
#define SA_RESTORER_   0x04000000u
#define SA_NODEFER_    0x40000000u
#define SA_SIGINFO_    0x00000004u

enum {
	SIG_ILL = 4,
	SIG_TRAP = 5,
	SIG_BUS = 7,
	SIG_FPE = 8,
	SIG_KILL = 9,
	SIG_SEGV = 11,
	SIG_STOP = 19,
	SIG_SYS = 31,
};

#define SIG_BIT(n) (1ULL << ((n)-1))

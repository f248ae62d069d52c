/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of the host's Linux, and the two segment bases.  What is permitted is
 * in cell/stub/seccomp.def.
 */
#pragma once

#include "base/base.h"

#include <sys/syscall.h>

static inline long host_call(long nr, uint64_t a, uint64_t b, uint64_t c,
                             uint64_t d, uint64_t e, uint64_t f)
{
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	register uint64_t r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
	                 : "=a"(ret)
	                 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
	                   "r"(r9)
	                 : "rcx", "r11", "memory");
	return ret;
}

/* host(SYS_name, up to six numbers). */
#define host(nr, ...) HOST_PICK(nr, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define HOST_PICK(nr, a, b, c, d, e, f, ...)                       \
	host_call(nr, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), \
	          (uint64_t)(d), (uint64_t)(e), (uint64_t)(f))

static inline uint64_t host_fs(void)
{
	uint64_t base;

	__asm__ volatile("rdfsbase %0" : "=r"(base));
	return base;
}

static inline uint64_t host_gs(void)
{
	uint64_t base;

	__asm__ volatile("rdgsbase %0" : "=r"(base));
	return base;
}

static inline void host_set_fs(uint64_t base)
{
	__asm__ volatile("wrfsbase %0" : : "r"(base));
}

static inline void host_set_gs(uint64_t base)
{
	__asm__ volatile("wrgsbase %0" : : "r"(base) : "memory");
}

/*
 * The CPU we run on: Linux keeps it in the limit of a segment, which any
 * program may ask for.
 */
static inline uint32_t host_cpu(void)
{
	uint32_t limit = 0;

	__asm__ volatile("lsl %1, %0" : "+r"(limit) : "r"(0x7b) : "cc");
	return limit & 0xfff;
}

static inline void host_pause(void)
{
	__builtin_ia32_pause();
}

/* A few bits that a guest cannot guess; 0 if the processor has none now. */
static inline uint64_t host_random(void)
{
	uint64_t got;
	uint8_t ok;

	__asm__ volatile("rdrand %0; setc %1" : "=r"(got), "=qm"(ok) : : "cc");
	return ok ? got : 0;
}

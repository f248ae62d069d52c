/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signal frames: vector registers survive a handler that uses them, the
 * floating-point state is in the frame and can be changed there, the red zone
 * of the interrupted function stays, handlers nest.
 */
#include "check.h"

#include <cpuid.h>
#include <immintrin.h>
#include <pthread.h>
#include <sys/ucontext.h>

static volatile sig_atomic_t calls;
static volatile int spoil;

__attribute__((target("avx512f"))) static void fill512(uint8_t byte)
{
	__m512i v = _mm512_set1_epi8((char)byte);

	__asm__ volatile("vmovdqa64 %0, %%zmm0\n vmovdqa64 %0, %%zmm7\n"
	                 "vmovdqa64 %0, %%zmm16\n vmovdqa64 %0, %%zmm31\n"
	                 :
	                 : "v"(v)
	                 : "xmm0", "xmm7", "xmm16", "xmm31");
}

__attribute__((target("avx512f"))) static bool same512(void)
{
	uint8_t got[4][64];

	/* The signal comes between the loads and the stores. */
	__asm__ volatile("vpternlogd $0xff, %%zmm1, %%zmm1, %%zmm1\n"
	                 "vpxord %%zmm2, %%zmm2, %%zmm2\n"
	                 "vmovdqa64 %%zmm1, %%zmm16\n"
	                 "vmovdqa64 %%zmm1, %%zmm31\n"
	                 "mov %4, %%eax\n mov %5, %%edi\n mov %6, %%esi\n"
	                 "mov %7, %%edx\n syscall\n"
	                 "vmovdqu64 %%zmm1, %0\n vmovdqu64 %%zmm2, %1\n"
	                 "vmovdqu64 %%zmm16, %2\n vmovdqu64 %%zmm31, %3\n"
	                 : "=m"(got[0]), "=m"(got[1]), "=m"(got[2]),
	                   "=m"(got[3])
	                 : "i"(SYS_tgkill), "r"(getpid()),
	                   "r"((int)syscall(SYS_gettid)), "i"(SIGUSR1)
	                 : "rax", "rdi", "rsi", "rdx", "rcx", "r11", "xmm1",
	                   "xmm2", "xmm16", "xmm31", "memory");
	for (int i = 0; i < 64; i++)
		if (got[0][i] != 0xff || got[1][i] || got[2][i] != 0xff ||
		    got[3][i] != 0xff)
			return false;
	return true;
}

static void handler(int sig, siginfo_t *si, void *arg)
{
	ucontext_t *uc = arg;
	const uint32_t *fp = (const uint32_t *)uc->uc_mcontext.fpregs;

	(void)si;
	calls++;
	CHECK(fp);
	/* The mark of an extended image, and the one at its end. */
	if (fp[464 / 4] == 0x46505853) {
		uint32_t size = fp[468 / 4], end;

		memcpy(&end, (const char *)fp + size - 4, 4);
		EQ(end, 0x46505845);
	}
	if (spoil)
		fill512((uint8_t)sig);
}

static void on_usr1(int flags)
{
	struct sigaction sa = {.sa_sigaction = handler,
	                       .sa_flags = SA_SIGINFO | flags};

	sigfillset(&sa.sa_mask);
	OK(sigaction(SIGUSR1, &sa, NULL));
}

static void vectors(void)
{
	__builtin_cpu_init();
	if (!__builtin_cpu_supports("avx512f"))
		return;
	spoil = 1;
	for (int i = 0; i < 50; i++)
		CHECK(same512());
	spoil = 0;
	EQ(calls, 50);
}

/* A double in xmm0 across raise(), through the x87 and SSE state. */
static void scalars(void)
{
	volatile double d = 1.0 / 3;
	unsigned before = _mm_getcsr();

	_mm_setcsr(before | 0x6000); /* round towards zero */
	for (int i = 0; i < 20; i++)
		OK(raise(SIGUSR1));
	EQ(_mm_getcsr() & 0x6000, 0x6000);
	_mm_setcsr(before);
	CHECK(d == 1.0 / 3);
}

static volatile bool stop;
static pthread_t main_thread;

static void *pester(void *arg)
{
	(void)arg;
	for (int i = 0; i < 2000 && !stop; i++)
		pthread_kill(main_thread, SIGUSR1);
	stop = true;
	return NULL;
}

/* Counts in its red zone and nowhere else while signals rain. */
__attribute__((noinline)) static long leaf(long n)
{
	long sum = 0;

	__asm__ volatile("movq $0, -8(%%rsp)\n movq $0, -120(%%rsp)\n"
	                 "1: incq -8(%%rsp)\n incq -120(%%rsp)\n"
	                 "dec %1\n jnz 1b\n"
	                 "movq -8(%%rsp), %0\n addq -120(%%rsp), %0\n"
	                 : "=&r"(sum), "+r"(n)
	                 :
	                 : "memory", "cc");
	return sum;
}

static void red_zone(void)
{
	pthread_t t;

	main_thread = pthread_self();
	PTHREAD(pthread_create(&t, NULL, pester, NULL));
	while (!stop)
		EQ(leaf(1000), 2000);
	PTHREAD(pthread_join(t, NULL));
}

/* Sets a register for the interrupted code through the frame. */
static void change(int sig, siginfo_t *si, void *arg)
{
	ucontext_t *uc = arg;

	(void)sig, (void)si;
	uc->uc_mcontext.gregs[REG_RBX] = 4711;
	uc->uc_mcontext.gregs[REG_RIP] += 2; /* over ud2 */
}

static void changed_frame(void)
{
	struct sigaction sa = {.sa_sigaction = change, .sa_flags = SA_SIGINFO};
	long got;

	OK(sigaction(SIGILL, &sa, NULL));
	__asm__ volatile("xor %%ebx, %%ebx\n ud2\n mov %%rbx, %0\n"
	                 : "=r"(got)
	                 :
	                 : "rbx");
	EQ(got, 4711);
}

static volatile int depth;

static void nest(int sig)
{
	(void)sig;
	if (++depth < 20)
		raise(SIGUSR2);
}

static void nested(void)
{
	struct sigaction sa = {.sa_handler = nest, .sa_flags = SA_NODEFER};

	OK(sigaction(SIGUSR2, &sa, NULL));
	OK(raise(SIGUSR2));
	EQ(depth, 20);
}

int main(void)
{
	on_usr1(SA_RESTART);
	vectors();
	scalars();
	red_zone();
	changed_frame();
	nested();
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unusual ways to call the system: with a GS base of one's own, through the
 * 32-bit gate, with numbers of the x32 ABI, from memory made at run time.
 */
#include "check.h"

#include <asm/prctl.h>
#include <pthread.h>
#include <setjmp.h>
#include <sys/auxv.h>
#include <sys/mman.h>

static uint64_t mine[512];

static uint64_t read_gs(void)
{
	uint64_t v;

	__asm__ volatile("mov %%gs:16, %0" : "=r"(v));
	return v;
}

static void own_gs(void *arg)
{
	unsigned long base = 1;
	pid_t pid = getpid(), parent = getppid();

	(void)arg;
	mine[2] = 0x1234567890;
	OK(syscall(SYS_arch_prctl, ARCH_GET_GS, &base));
	EQ(base, 0);
	OK(syscall(SYS_arch_prctl, ARCH_SET_GS, mine));
	for (int i = 0; i < 100; i++) {
		EQ(getpid(), pid);
		EQ(getppid(), parent);
		EQ(read_gs(), 0x1234567890);
		raise(SIGCHLD);
	}
	OK(syscall(SYS_arch_prctl, ARCH_GET_GS, &base));
	EQ(base, (unsigned long)mine);
	/* One that leads nowhere must do as well. */
	OK(syscall(SYS_arch_prctl, ARCH_SET_GS, 8192));
	for (int i = 0; i < 100; i++)
		EQ(getpid(), pid);
	OK(syscall(SYS_arch_prctl, ARCH_SET_GS, 0));
	for (int i = 0; i < 100; i++)
		EQ(getpid(), pid);
	FAILS(syscall(SYS_arch_prctl, ARCH_SET_GS, 1UL << 63), EPERM);
	FAILS(syscall(SYS_arch_prctl, ARCH_SET_FS, 1UL << 63), EPERM);
}

/* The instruction itself, without the system's knowledge. */
static void own_gs_unseen(void *arg)
{
	pid_t pid = getpid();

	(void)arg;
	if (!(getauxval(AT_HWCAP2) & 2))
		return;
	__asm__ volatile("wrgsbase %0" : : "r"(mine));
	for (int i = 0; i < 100; i++)
		EQ(getpid(), pid);
}

static void *gs_thread(void *arg)
{
	own_gs(arg);
	return NULL;
}

static void gs_in_threads(void *arg)
{
	pthread_t t;

	(void)arg;
	OK(syscall(SYS_arch_prctl, ARCH_SET_GS, mine));
	OK(syscall(SYS_arch_prctl, ARCH_SET_GS, 0));
	PTHREAD(pthread_create(&t, NULL, gs_thread, NULL));
	PTHREAD(pthread_join(t, NULL));
	apart(own_gs, NULL);
}

static sigjmp_buf back;

static void jump(int sig)
{
	siglongjmp(back, sig);
}

static void gate32(void *arg)
{
	long r = 20; /* getpid there */

	(void)arg;
	signal(SIGSEGV, jump);
	if (sigsetjmp(back, 1))
		return; /* a kernel without that gate */
	__asm__ volatile("int $0x80"
	                 : "+a"(r)
	                 :
	                 : "memory", "r8", "r9", "r10", "r11");
	CHECK(r == getpid() || r == -ENOSYS);
}

static void x32(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20; i++) {
		errno = 0;
		CHECK(syscall(0x40000000 | SYS_getpid) == getpid() ||
		      errno == ENOSYS);
	}
}

/* Numbers nobody has, and those that look like somebody's own. */
static void no_such_call(void *arg)
{
	static const long nr[] = {600,     1000,    1023,       1024,
	                          0x10000, 0x10001, 0x1fffffff, -1};

	(void)arg;
	for (size_t i = 0; i < COUNT(nr); i++)
		for (int turn = 0; turn < 10; turn++)
			FAILS(syscall(nr[i], 0, 0, 0, 0, 0, 0), ENOSYS);
}

/* A just-in-time compiler's: writable, then executable, or both. */
static void made_code(void *arg)
{
	static const uint8_t code[] = {0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3};

	(void)arg;
	for (int both = 0; both < 2; both++) {
		int prot = PROT_READ | PROT_WRITE | (both ? PROT_EXEC : 0);
		uint8_t *p = mmap(NULL, 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS,
		                  -1, 0);

		CHECK(p != MAP_FAILED);
		memcpy(p, code, sizeof(code));
		if (!both)
			OK(mprotect(p, 4096, PROT_READ | PROT_EXEC));
		for (int i = 0; i < 50; i++)
			EQ(((int (*)(void))p)(), getpid());
		EQ(memcmp(p, code, sizeof(code)), 0);
		OK(munmap(p, 4096));
	}
}

int main(void)
{
	apart(own_gs, NULL);
	apart(own_gs_unseen, NULL);
	apart(gs_in_threads, NULL);
	apart(gate32, NULL);
	apart(x32, NULL);
	apart(no_such_call, NULL);
	apart(made_code, NULL);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Synchronous faults: what the handler is told, and what happens without. */
#include "check.h"

#include <setjmp.h>
#include <sys/mman.h>
#include <sys/ucontext.h>

static sigjmp_buf back;
static volatile siginfo_t seen;

static volatile char *volatile nowhere = NOWHERE;

static void jump(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	seen = *si;
	siglongjmp(back, sig);
}

static void catch_all(void)
{
	static const int sigs[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
	struct sigaction sa = {.sa_sigaction = jump, .sa_flags = SA_SIGINFO};

	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < COUNT(sigs); i++)
		OK(sigaction(sigs[i], &sa, NULL));
}

static void expect(int got, int sig, int code, const volatile void *addr)
{
	EQ(got, sig);
	EQ(seen.si_signo, sig);
	EQ(seen.si_code, code);
	if (addr)
		CHECK(seen.si_addr == addr);
}

static void memory(void)
{
	volatile char *p = mmap(NULL, 8192, PROT_READ,
	                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile char *q, c;
	int sig, fd;

	CHECK(p != MAP_FAILED);
	sig = sigsetjmp(back, 1);
	if (!sig)
		p[5000] = 1;
	expect(sig, SIGSEGV, SEGV_ACCERR, p + 5000);
	OK(munmap((void *)p, 8192));
	sig = sigsetjmp(back, 1);
	if (!sig)
		c = p[1];
	expect(sig, SIGSEGV, SEGV_MAPERR, p + 1);
	sig = sigsetjmp(back, 1);
	if (!sig)
		c = *nowhere;
	expect(sig, SIGSEGV, SEGV_MAPERR, nowhere);

	/* Behind the end of a file there is nothing. */
	fd = open("short", O_RDWR | O_CREAT, 0600);
	OK(ftruncate(fd, 100));
	q = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(q != MAP_FAILED);
	EQ(q[200], 0);
	sig = sigsetjmp(back, 1);
	if (!sig)
		c = q[4096];
	expect(sig, SIGBUS, BUS_ADRERR, q + 4096);
	OK(ftruncate(fd, 8192));
	EQ(q[4096], 0);
	OK(ftruncate(fd, 0));
	sig = sigsetjmp(back, 1);
	if (!sig)
		q[0] = 1;
	expect(sig, SIGBUS, BUS_ADRERR, q);
	OK(munmap((void *)q, 8192));
	OK(close(fd));
	(void)c;
}

static volatile int zero;

static void instructions(void)
{
	volatile int one = 1;
	int sig;

	sig = sigsetjmp(back, 1);
	if (!sig)
		one = one / zero;
	expect(sig, SIGFPE, FPE_INTDIV, NULL);
	sig = sigsetjmp(back, 1);
	if (!sig)
		__asm__ volatile("ud2");
	expect(sig, SIGILL, ILL_ILLOPN, NULL);
	sig = sigsetjmp(back, 1);
	if (!sig)
		__asm__ volatile("hlt"); /* privileged */
	EQ(sig, SIGSEGV);
	EQ(seen.si_code, SI_KERNEL);
	sig = sigsetjmp(back, 1);
	if (!sig)
		__asm__ volatile("int3");
	EQ(sig, SIGTRAP);
	sig = sigsetjmp(back, 1);
	if (!sig) {
		unsigned long bad = 0x8000000000000000;

		(void)*(volatile char *)bad; /* not canonical */
	}
	EQ(sig, SIGSEGV);
	EQ(seen.si_code, SI_KERNEL);
}

/* A page that is not executable, and one that is. */
static void execution(void)
{
	unsigned char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int (*fn)(void);
	int sig;

	memcpy(p, "\xb8\x2a\x00\x00\x00\xc3", 6); /* mov $42,%eax; ret */
	memcpy(&fn, &p, sizeof(fn));
	sig = sigsetjmp(back, 1);
	if (!sig)
		fn();
	expect(sig, SIGSEGV, SEGV_ACCERR, p);
	OK(mprotect(p, 4096, PROT_READ | PROT_EXEC));
	EQ(fn(), 42);
	OK(mprotect(p, 4096, PROT_READ | PROT_WRITE | PROT_EXEC));
	p[1] = 43;
	EQ(fn(), 43);
	OK(munmap(p, 4096));
}

static char *guarded;

/* A handler that mends the fault and lets the instruction run again. */
static void mend(int sig, siginfo_t *si, void *uc)
{
	ucontext_t *c = uc;

	(void)sig;
	CHECK((char *)si->si_addr == guarded + 100);
	EQ((char *)(uintptr_t)c->uc_mcontext.gregs[REG_CR2] - guarded, 100);
	EQ(c->uc_mcontext.gregs[REG_TRAPNO], 14);
	CHECK(c->uc_mcontext.gregs[REG_ERR] & 2); /* a write */
	OK(mprotect(guarded, 4096, PROT_READ | PROT_WRITE));
}

static void mending(void)
{
	struct sigaction sa = {.sa_sigaction = mend, .sa_flags = SA_SIGINFO};

	guarded = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	               0);
	OK(sigaction(SIGSEGV, &sa, NULL));
	((volatile char *)guarded)[100] = 7;
	EQ(guarded[100], 7);
	catch_all();
}

/* A handler that moves the instruction pointer over what failed. */
static void skip_two(int sig, siginfo_t *si, void *uc)
{
	(void)sig, (void)si;
	((ucontext_t *)uc)->uc_mcontext.gregs[REG_RIP] += 2;
	((ucontext_t *)uc)->uc_mcontext.gregs[REG_RAX] = 99;
}

static void skipping(void)
{
	struct sigaction sa = {.sa_sigaction = skip_two,
	                       .sa_flags = SA_SIGINFO};
	long rax = 1;

	OK(sigaction(SIGILL, &sa, NULL));
	__asm__ volatile("ud2" : "+a"(rax));
	EQ(rax, 99);
	catch_all();
}

static void dies_of(void *arg)
{
	int sig = *(int *)arg;
	sigset_t set;

	signal(SIGSEGV, SIG_DFL);
	signal(SIGFPE, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	signal(SIGILL, SIG_IGN); /* a fault does not ask */
	/* Nor does it care for the mask. */
	sigfillset(&set);
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	if (sig == SIGSEGV)
		*nowhere = 1;
	else if (sig == SIGFPE)
		zero = 10 / zero;
	else if (sig == SIGILL)
		__asm__ volatile("ud2");
}

static void deaths(void)
{
	int sigs[] = {SIGSEGV, SIGFPE, SIGILL};

	for (size_t i = 0; i < COUNT(sigs); i++) {
		int status = reap(child(dies_of, &sigs[i]));

		CHECK(WIFSIGNALED(status));
		EQ(WTERMSIG(status), sigs[i]);
	}
}

static volatile char deep;

__attribute__((noinline)) static void recurse(int n)
{
	char frame[4096];

	memset(frame, n, sizeof(frame));
	deep = frame[n & 4095];
	if (n >= 0)
		recurse(n + 1);
	deep = frame[(n + 1) & 4095];
}

static void on_alt(int sig)
{
	_exit(sig == SIGSEGV ? 44 : 1);
}

/* Running out of stack is caught on the alternate one. */
static void overflow(void *arg)
{
	static char alt[65536];
	stack_t ss = {.ss_sp = alt, .ss_size = sizeof(alt)};
	struct sigaction sa = {.sa_handler = on_alt, .sa_flags = SA_ONSTACK};

	(void)arg;
	OK(sigaltstack(&ss, NULL));
	OK(sigaction(SIGSEGV, &sa, NULL));
	recurse(0);
}

int main(void)
{
	scratch();
	catch_all();
	memory();
	instructions();
	execution();
	mending();
	skipping();
	deaths();
	EQ(WEXITSTATUS(reap(child(overflow, NULL))), 44);
	return 0;
}

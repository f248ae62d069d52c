/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks that run out: handlers on a stack of their own, and death without. */
#include "check.h"

#include <pthread.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>

static sigjmp_buf back;
static char alt[64 * 1024];
static stack_t inside;

static void handler(int sig, siginfo_t *si, void *uc)
{
	char here;

	(void)uc;
	CHECK(&here >= alt && &here < alt + sizeof(alt));
	CHECK(si->si_addr);
	OK(sigaltstack(NULL, &inside));
	siglongjmp(back, sig);
}

static void catch_segv(int flags)
{
	struct sigaction sa = {.sa_sigaction = handler,
	                       .sa_flags = SA_SIGINFO | flags};

	OK(sigaction(SIGSEGV, &sa, NULL));
}

static volatile int sink;

__attribute__((noinline)) static int dive(int n)
{
	volatile char room[1024];

	room[n & 1023] = (char)n;
	if (n < 0)
		return 0;
	return dive(n + 1) + room[n & 1023];
}

static void use_alt(unsigned flags)
{
	stack_t ss = {.ss_sp = alt, .ss_size = sizeof(alt), .ss_flags = flags};

	OK(sigaltstack(&ss, NULL));
}

static void recovers(void *arg)
{
	struct rlimit small = {.rlim_cur = 1 << 20, .rlim_max = RLIM_INFINITY};

	(void)arg;
	setrlimit(RLIMIT_STACK, &small);
	use_alt(0);
	catch_segv(SA_ONSTACK);
	for (int i = 0; i < 3; i++) {
		if (sigsetjmp(back, 1) == 0) {
			sink = dive(1);
			CHECK(!"got to the bottom");
		}
		EQ(inside.ss_flags, SS_ONSTACK);
	}
}

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

static void disarms(void *arg)
{
	stack_t ss;

	(void)arg;
	use_alt(SS_AUTODISARM);
	catch_segv(SA_ONSTACK);
	if (sigsetjmp(back, 1) == 0)
		*(volatile char *)8 = 1;
	EQ(inside.ss_flags, SS_DISABLE);
	/* Nobody returned to the frame that would have armed it again. */
	OK(sigaltstack(NULL, &ss));
	EQ(ss.ss_flags, SS_DISABLE);
}

static void dies_without(void *arg)
{
	(void)arg;
	catch_segv(0);
	sink = dive(1);
}

static void dies_of_bad_alt(void *arg)
{
	stack_t ss = {.ss_sp = (void *)4096, .ss_size = 65536};

	(void)arg;
	OK(sigaltstack(&ss, NULL));
	catch_segv(SA_ONSTACK);
	raise(SIGSEGV);
}

static void *in_thread(void *arg)
{
	use_alt(0);
	if (sigsetjmp(back, 1) == 0)
		sink = dive(1);
	EQ(inside.ss_flags, SS_ONSTACK);
	return arg;
}

static void thread_stack(void *arg)
{
	pthread_t t;

	(void)arg;
	catch_segv(SA_ONSTACK);
	PTHREAD(pthread_create(&t, NULL, in_thread, NULL));
	PTHREAD(pthread_join(t, NULL));
}

static void arguments(void *arg)
{
	stack_t ss = {.ss_sp = alt, .ss_size = 100};
	stack_t old;

	(void)arg;
	FAILS(sigaltstack(&ss, NULL), ENOMEM);
	ss.ss_size = sizeof(alt);
	ss.ss_flags = 4;
	FAILS(sigaltstack(&ss, NULL), EINVAL);
	FAILS(syscall(SYS_sigaltstack, NOWHERE, NULL), EFAULT);
	use_alt(0);
	OK(sigaltstack(NULL, &old));
	EQ(old.ss_size, sizeof(alt));
	CHECK(old.ss_sp == alt);
	EQ(old.ss_flags, 0);
	ss.ss_flags = SS_DISABLE;
	OK(sigaltstack(&ss, NULL));
	OK(sigaltstack(NULL, &old));
	EQ(old.ss_flags, SS_DISABLE);
}

int main(void)
{
	int status;

	apart(recovers, NULL);
	apart(disarms, NULL);
	apart(thread_stack, NULL);
	apart(arguments, NULL);
	status = reap(child(dies_without, NULL));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	status = reap(child(dies_of_bad_alt, NULL));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	return 0;
}

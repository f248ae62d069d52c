/* SPDX-License-Identifier: Apache-2.0 */
/* Signals: masks, order, siginfo, waiting, stacks, restarting. */
#include "check.h"

#include <poll.h>
#include <sys/select.h>
#include <ucontext.h>

static volatile sig_atomic_t hits;
static volatile int order[64];
static volatile siginfo_t last;

static void count(int sig)
{
	(void)sig;
	hits++;
}

static void record(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	if (hits < 64)
		order[hits] = sig * 1000 + si->si_value.sival_int;
	hits++;
	last = *si;
}

static void handle(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = {.sa_sigaction = fn,
	                       .sa_flags = SA_SIGINFO | flags};

	sigemptyset(&sa.sa_mask);
	OK(sigaction(sig, &sa, NULL));
	hits = 0;
}

static sigset_t only(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return set;
}

static void info(void)
{
	union sigval v = {.sival_int = 77};

	handle(SIGUSR1, record, 0);
	OK(kill(getpid(), SIGUSR1));
	EQ(hits, 1);
	EQ(last.si_signo, SIGUSR1);
	EQ(last.si_code, SI_USER);
	EQ(last.si_pid, getpid());
	EQ(last.si_uid, getuid());
	OK(sigqueue(getpid(), SIGUSR1, v));
	EQ(last.si_code, SI_QUEUE);
	EQ(last.si_value.sival_int, 77);
	OK(syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1));
	EQ(last.si_code, SI_TKILL);
	EQ(hits, 3);
}

static void masks(void)
{
	sigset_t set = only(SIGUSR1), old, pend;

	handle(SIGUSR1, record, 0);
	OK(sigprocmask(SIG_BLOCK, &set, &old));
	CHECK(!sigismember(&old, SIGUSR1));
	OK(raise(SIGUSR1));
	OK(raise(SIGUSR1)); /* standard ones do not queue */
	EQ(hits, 0);
	OK(sigpending(&pend));
	CHECK(sigismember(&pend, SIGUSR1));
	OK(sigprocmask(SIG_UNBLOCK, &set, NULL));
	EQ(hits, 1);
	OK(sigpending(&pend));
	CHECK(!sigismember(&pend, SIGUSR1));
	/* Ignoring throws a pending one away. */
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	OK(raise(SIGUSR1));
	signal(SIGUSR1, SIG_IGN);
	OK(sigpending(&pend));
	CHECK(!sigismember(&pend, SIGUSR1));
	OK(sigprocmask(SIG_SETMASK, &old, NULL));
	/* KILL and STOP cannot be blocked or caught. */
	sigfillset(&set);
	OK(sigprocmask(SIG_SETMASK, &set, NULL));
	OK(sigprocmask(SIG_SETMASK, &old, &set));
	CHECK(!sigismember(&set, SIGKILL) && !sigismember(&set, SIGSTOP));
	FAILS(sigaction(SIGKILL, &(struct sigaction){.sa_handler = count},
	                NULL),
	      EINVAL);
	FAILS(sigaction(65, &(struct sigaction){.sa_handler = count}, NULL),
	      EINVAL);
	FAILS(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4), EINVAL);
	FAILS(syscall(SYS_rt_sigprocmask, 7, &set, NULL, 8), EINVAL);
	FAILS(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NOWHERE, NULL, 8), EFAULT);
}

static void queue_order(void)
{
	int a = SIGRTMIN + 1, b = SIGRTMIN + 2;
	sigset_t set, old;

	handle(a, record, 0);
	handle(b, record, 0);
	sigemptyset(&set);
	sigaddset(&set, a);
	sigaddset(&set, b);
	OK(sigprocmask(SIG_BLOCK, &set, &old));
	for (int i = 1; i <= 3; i++) {
		OK(sigqueue(getpid(), b, (union sigval){.sival_int = i}));
		OK(sigqueue(getpid(), a, (union sigval){.sival_int = i}));
	}
	/* Taken by hand: lowest number first, in the order sent. */
	for (int i = 1; i <= 3; i++) {
		siginfo_t si;

		EQ(sigwaitinfo(&set, &si), a);
		EQ(si.si_value.sival_int, i);
		EQ(si.si_code, SI_QUEUE);
	}
	for (int i = 1; i <= 3; i++) {
		siginfo_t si;

		EQ(sigtimedwait(&set, &si, &(struct timespec){0, 0}), b);
		EQ(si.si_value.sival_int, i);
	}
	FAILS(sigtimedwait(&set, NULL, &(struct timespec){0, 0}), EAGAIN);
	FAILS(sigtimedwait(&set, NULL, &(struct timespec){0, 1000}), EAGAIN);
	FAILS(sigtimedwait(&set, NULL, &(struct timespec){0, -1}), EINVAL);
	for (int i = 1; i <= 3; i++)
		OK(sigqueue(getpid(), a, (union sigval){.sival_int = i}));
	hits = 0;
	OK(sigprocmask(SIG_SETMASK, &old, NULL));
	EQ(hits, 3);
}

static void nested(int sig, siginfo_t *si, void *ucp)
{
	ucontext_t *uc = ucp;
	sigset_t now;

	(void)si;
	order[hits++] = sig;
	OK(sigprocmask(SIG_BLOCK, NULL, &now));
	CHECK(sigismember(&now, SIGUSR1)); /* itself */
	CHECK(sigismember(&now, SIGUSR2)); /* sa_mask */
	CHECK(!sigismember(&uc->uc_sigmask, SIGUSR1));
	OK(raise(SIGUSR2));
	EQ(hits, 1);
}

static void handler_masks(void)
{
	struct sigaction sa = {.sa_sigaction = nested, .sa_flags = SA_SIGINFO};
	struct sigaction got;
	sigset_t now;

	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, SIGUSR2);
	handle(SIGUSR2, record, 0);
	OK(sigaction(SIGUSR1, &sa, NULL));
	OK(raise(SIGUSR1));
	EQ(hits, 2); /* USR2 ran after the handler returned */
	OK(sigprocmask(SIG_BLOCK, NULL, &now));
	CHECK(!sigismember(&now, SIGUSR1) && !sigismember(&now, SIGUSR2));
	OK(sigaction(SIGUSR1, NULL, &got));
	CHECK(got.sa_sigaction == nested);
	CHECK(sigismember(&got.sa_mask, SIGUSR2));
	/* One shot. */
	handle(SIGUSR1, record, (int)SA_RESETHAND);
	OK(raise(SIGUSR1));
	OK(sigaction(SIGUSR1, NULL, &got));
	CHECK(got.sa_handler == SIG_DFL);
}

/* Changing the mask in the frame changes it for the interrupted. */
static void edit_mask(int sig, siginfo_t *si, void *ucp)
{
	(void)sig, (void)si;
	sigaddset(&((ucontext_t *)ucp)->uc_sigmask, SIGHUP);
}

static void frame_mask(void)
{
	sigset_t now;

	handle(SIGUSR1, edit_mask, 0);
	OK(raise(SIGUSR1));
	OK(sigprocmask(SIG_BLOCK, NULL, &now));
	CHECK(sigismember(&now, SIGHUP));
	sigdelset(&now, SIGHUP);
	OK(sigprocmask(SIG_SETMASK, &now, NULL));
}

static void suspend(void)
{
	sigset_t set = only(SIGUSR1), old, none;

	handle(SIGUSR1, record, 0);
	OK(sigprocmask(SIG_BLOCK, &set, &old));
	OK(raise(SIGUSR1));
	sigemptyset(&none);
	FAILS(sigsuspend(&none), EINTR);
	EQ(hits, 1);
	OK(sigprocmask(SIG_SETMASK, &old, &none));
	CHECK(sigismember(&none, SIGUSR1)); /* the mask came back */
	/* ppoll and pselect open the mask for their time. */
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	OK(raise(SIGUSR1));
	sigemptyset(&none);
	FAILS(ppoll(NULL, 0, NULL, &none), EINTR);
	EQ(hits, 2);
	OK(raise(SIGUSR1));
	FAILS(pselect(0, NULL, NULL, NULL, NULL, &none), EINTR);
	EQ(hits, 3);
	OK(sigprocmask(SIG_SETMASK, &old, NULL));
}

/* A child that signals us once we wait, as /proc says. */
static void poke_when_asleep(void *arg)
{
	int sig = *(int *)arg;
	char path[64], stat[512], *state;

	snprintf(path, sizeof(path), "/proc/%d/stat", getppid());
	do {
		get_file(path, stat, sizeof(stat));
		state = strrchr(stat, ')');
		CHECK(state);
	} while (state[2] != 'S');
	OK(kill(getppid(), sig));
}

static int flow[2];

static void poke_then_write(void *arg)
{
	poke_when_asleep(arg);
	await(flow[0]); /* the handler has run */
	poke_when_asleep(&(int){0});
	tell(*((int *)arg + 1));
}

static void tell_flow(int sig)
{
	(void)sig;
	hits++;
	tell(flow[1]);
}

static void restarting(void)
{
	struct sigaction sa = {.sa_handler = count};
	int p[2], arg[2] = {SIGUSR1};
	struct pollfd pf;
	pid_t pid;
	char c;

	OK(pipe(p));
	OK(pipe(flow));
	sigemptyset(&sa.sa_mask);
	OK(sigaction(SIGUSR1, &sa, NULL));
	hits = 0;
	pid = child(poke_when_asleep, arg);
	FAILS(read(p[0], &c, 1), EINTR);
	EQ(hits, 1);
	passes(pid);
	/* poll never restarts, whatever the flag says. */
	sa.sa_flags = SA_RESTART;
	OK(sigaction(SIGUSR1, &sa, NULL));
	pid = child(poke_when_asleep, arg);
	pf = (struct pollfd){p[0], POLLIN, 0};
	FAILS(poll(&pf, 1, -1), EINTR);
	passes(pid);
	pid = child(poke_when_asleep, arg);
	FAILS(pause(), EINTR);
	passes(pid);
}

static void restarting_read(void)
{
	struct sigaction sa = {.sa_handler = tell_flow, .sa_flags = SA_RESTART};
	int p[2], arg[2] = {SIGUSR1};
	pid_t pid;

	OK(pipe(p));
	OK(pipe(flow));
	arg[1] = p[1];
	sigemptyset(&sa.sa_mask);
	OK(sigaction(SIGUSR1, &sa, NULL));
	hits = 0;
	pid = child(poke_then_write, arg);
	await(p[0]); /* interrupted on the way, and does not notice */
	EQ(hits, 1);
	passes(pid);
	/* The same while waiting for a child. */
	arg[1] = p[1];
	pid = child(poke_then_write, arg);
	passes(pid);
	EQ(hits, 2);
}

static char stack_low[65536], *volatile stack_seen;

static void where_am_i(int sig)
{
	char here;
	stack_t ss;

	(void)sig;
	stack_seen = &here;
	OK(sigaltstack(NULL, &ss));
	CHECK(ss.ss_flags & SS_ONSTACK);
	FAILS(sigaltstack(&(stack_t){.ss_sp = stack_low, .ss_size = 65536},
	                  NULL),
	      EPERM);
}

static void alternate_stack(void)
{
	struct sigaction sa = {.sa_handler = where_am_i,
	                       .sa_flags = SA_ONSTACK};
	stack_t ss = {.ss_sp = stack_low, .ss_size = sizeof(stack_low)}, old;

	sigemptyset(&sa.sa_mask);
	OK(sigaltstack(&ss, &old));
	EQ(old.ss_flags, SS_DISABLE);
	OK(sigaction(SIGUSR1, &sa, NULL));
	OK(raise(SIGUSR1));
	CHECK(stack_seen >= stack_low &&
	      stack_seen < stack_low + sizeof(stack_low));
	OK(sigaltstack(NULL, &old));
	EQ(old.ss_flags, 0);
	CHECK(old.ss_sp == stack_low);
	ss.ss_size = 100;
	FAILS(sigaltstack(&ss, NULL), ENOMEM);
	ss.ss_flags = SS_DISABLE;
	OK(sigaltstack(&ss, NULL));
}

static void drop_and_kill(void *arg)
{
	pid_t target = *(pid_t *)arg;

	OK(setresuid(4242, 4242, 4242));
	FAILS(kill(target, SIGUSR1), EPERM);
	FAILS(kill(target, 0), EPERM);
	FAILS(kill(1, 0), EPERM);
	OK(kill(getpid(), 0));
}

static void permissions(void)
{
	pid_t me = getpid();

	FAILS(kill(me, 99), EINVAL);
	FAILS(kill(me, -1), EINVAL);
	FAILS(kill(0x3ffffff, 0), ESRCH);
	FAILS(syscall(SYS_tgkill, me, 0x3ffffff, 0), ESRCH);
	FAILS(syscall(SYS_tgkill, -1, me, 0), EINVAL);
	FAILS(syscall(SYS_tkill, 0, 0), EINVAL);
	OK(kill(me, 0));
	if (geteuid() == 0)
		apart(drop_and_kill, &me);
	else
		FAILS(kill(1, 0), EPERM);
}

static void wait_forever(void *arg)
{
	(void)arg;
	for (;;)
		pause();
}

static void default_actions(void)
{
	static const int kills[] = {SIGHUP,  SIGINT,  SIGUSR1, SIGALRM,
	                            SIGTERM, SIGPOLL, SIGPROF, SIGKILL};
	static const int ignored[] = {SIGCHLD, SIGURG, SIGWINCH, SIGCONT};

	for (size_t i = 0; i < COUNT(kills); i++) {
		pid_t pid;
		int status;

		signal(kills[i], SIG_DFL);
		pid = child(wait_forever, NULL);
		OK(kill(pid, kills[i]));
		status = reap(pid);
		CHECK(WIFSIGNALED(status));
		EQ(WTERMSIG(status), kills[i]);
	}
	for (size_t i = 0; i < COUNT(ignored); i++) {
		signal(ignored[i], SIG_DFL);
		OK(raise(ignored[i]));
	}
}

static void abort_it(void *arg)
{
	(void)arg;
	abort();
}

static void aborting(void)
{
	EQ(WTERMSIG(reap(child(abort_it, NULL))), SIGABRT);
}

/* Registers, red zone and vector state survive a handler. */
static void clobber(int sig)
{
	(void)sig;
	hits++;
	__asm__ volatile("pxor %%xmm0, %%xmm0; pxor %%xmm7, %%xmm7" ::
	                         : "xmm0", "xmm7");
}

static void registers(void)
{
	unsigned long a = 0x1122334455667788, out;

	signal(SIGUSR1, clobber);
	hits = 0;
	for (int i = 0; i < 100; i++) {
		long ret;

		__asm__ volatile("movq %[in], %%xmm7\n\t"
		                 "movq %[in], -64(%%rsp)\n\t"
		                 "syscall\n\t"
		                 "movq %%xmm7, %[d]\n\t"
		                 "movq -64(%%rsp), %[out]"
		                 : "=a"(ret), [d] "=r"(a), [out] "=&r"(out)
		                 : "a"(SYS_tgkill), "D"(getpid()),
		                   "S"(gettid()),
		                   "d"(SIGUSR1), [in] "r"(0x1122334455667788)
		                 : "rcx", "r11", "memory", "xmm7");
		EQ(ret, 0);
		EQ(a, 0x1122334455667788);
		EQ(out, 0x1122334455667788);
	}
	EQ(hits, 100);
}

static void no_zombies(void)
{
	struct sigaction sa = {.sa_handler = count, .sa_flags = SA_NOCLDWAIT};
	sigset_t set = only(SIGCHLD), old;

	sigemptyset(&sa.sa_mask);
	OK(sigaction(SIGCHLD, &sa, NULL));
	OK(sigprocmask(SIG_BLOCK, &set, &old));
	child(poke_when_asleep, &(int){0});
	FAILS(wait(NULL), ECHILD);
	OK(sigprocmask(SIG_SETMASK, &old, NULL));
	signal(SIGCHLD, SIG_DFL);
}

static void exit_three(void *arg)
{
	(void)arg;
	_exit(3);
}

static void child_info(void)
{
	sigset_t set = only(SIGCHLD), old;
	siginfo_t si;
	pid_t pid;

	OK(sigprocmask(SIG_BLOCK, &set, &old));
	pid = child(exit_three, NULL);
	EQ(sigwaitinfo(&set, &si), SIGCHLD);
	EQ(si.si_pid, pid);
	EQ(si.si_code, CLD_EXITED);
	EQ(si.si_status, 3);
	EQ(si.si_uid, getuid());
	EQ(WEXITSTATUS(reap(pid)), 3);
	pid = child(wait_forever, NULL);
	OK(kill(pid, SIGKILL));
	EQ(sigwaitinfo(&set, &si), SIGCHLD);
	EQ(si.si_code, CLD_KILLED);
	EQ(si.si_status, SIGKILL);
	reap(pid);
	OK(sigprocmask(SIG_SETMASK, &old, NULL));
}

int main(void)
{
	info();
	masks();
	queue_order();
	handler_masks();
	frame_mask();
	suspend();
	restarting();
	restarting_read();
	alternate_stack();
	permissions();
	default_actions();
	aborting();
	registers();
	no_zombies();
	child_info();
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest that turns against what lives in its own address space hurts only
 * itself: each act is a child's, which may die of it or be refused; its
 * parent, and the system, go on as if nothing had happened.
 *
 * The addresses are those of channel/layout.h.  Where nothing of the kind is
 * there, as on a plain host, the children die of that.
 */
#include "check.h"

#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define STUB    0x7d0000000000UL
#define PROCESS 0x7d0010000000UL
#define THREADS 0x7d1000000000UL
#define CHANNEL 0x7d2000000000UL
#define OTHER   0x7d2100000000UL
#define NOTICE  0x7d3f00000000UL
#define STRIDE  0x10000UL

/* A `syscall; ret` in the stub's own text, from which host calls pass. */
static long raw_at;

static long raw(long nr, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = 0;
	long ret;

	__asm__ volatile("call *%[at]"
	                 : "=a"(ret)
	                 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
	                   "r"(r9), [at] "m"(raw_at)
	                 : "rcx", "r11", "memory");
	return ret;
}

static void find_raw(void)
{
	const uint8_t *text = (const uint8_t *)STUB;

	for (long i = 0;; i++)
		if (text[i] == 0x0f && text[i + 1] == 5 &&
		    text[i + 2] == 0xc3) {
			raw_at = (long)(STUB + i);
			return;
		}
}

/* What nobody may do by this way: each ends the process. */
static const struct {
	long nr, a, b, c, d;
} forbidden[] = {
	{SYS_openat, AT_FDCWD, (long)"/etc/passwd", O_RDONLY, 0},
	{SYS_open, (long)"/etc/passwd", O_RDONLY, 0, 0},
	{SYS_socket, AF_INET, SOCK_STREAM, 0, 0},
	{SYS_socket, AF_UNIX, SOCK_STREAM, 0, 0},
	{SYS_ptrace, 16, 1, 0, 0},
	{SYS_kill, 1, 9, 0, 0},
	{SYS_kill, -1, 9, 0, 0},
	{SYS_tgkill, 1, 1, 9, 0},
	{SYS_process_vm_readv, 1, 0, 0, 0},
	{SYS_execve, (long)"/bin/sh", 0, 0, 0},
	{SYS_fork, 0, 0, 0, 0},
	{SYS_clone, SIGCHLD, 0, 0, 0},
	{SYS_clone, 0x10000000 | SIGCHLD, 0, 0, 0},
	{SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0},
	{SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0},
	{SYS_rt_sigaction, SIGSYS, 0, 0, 8},
	{SYS_unshare, 0x10000000, 0, 0, 0},
	{SYS_memfd_create, (long)"x", 0, 0, 0},
	{SYS_ioctl, 0, 0x5401, 0, 0},
	{SYS_read, 0, 0, 0, 0},
	{SYS_write, 9, (long)"x", 1, 0},
	{SYS_recvmsg, 1, 0, 0, 0},
	{SYS_dup3, 0, 5, 0, 0},
	{SYS_fcntl, 0, F_DUPFD, 9, 0},
	{425 /* io_uring_setup */, 1, 0, 0, 0},
	{321 /* bpf */, 0, 0, 0, 0},
	{438 /* pidfd_getfd */, 3, 0, 0, 0},
	{SYS_getpid | 0x40000000, 0, 0, 0, 0},
};

static void do_forbidden(void *arg)
{
	size_t i = *(size_t *)arg;

	find_raw();
	raw(forbidden[i].nr, forbidden[i].a, forbidden[i].b, forbidden[i].c,
	    forbidden[i].d, 0);
}

static void all_forbidden(void)
{
	for (size_t i = 0; i < COUNT(forbidden); i++) {
		int status = reap(child(do_forbidden, &i));

		if (!WIFSIGNALED(status))
			check_fail(__FILE__, __LINE__, "it dies of it",
			           forbidden[i].nr, status);
	}
}

/* A generator of numbers, the same each time. */
static uint32_t seed = 1;

static uint32_t any(void)
{
	seed = seed * 1103515245 + 12345;
	return seed >> 8;
}

static void scribble(uint64_t at, size_t words)
{
	volatile uint32_t *p = (volatile uint32_t *)at;

	for (size_t i = 0; i < words; i++)
		p[i] = any();
}

static void unmap_all(void *arg)
{
	(void)arg;
	find_raw();
	raw(SYS_munmap, STUB, 0x4000000000, 0, 0, 0);
	raw(SYS_munmap, THREADS, 0x1000000000, 0, 0, 0);
	getppid();
}

static void overwrite_text(void *arg)
{
	(void)arg;
	find_raw();
	raw(SYS_mprotect, STUB, 4096, PROT_READ | PROT_WRITE, 0, 0);
	raw(SYS_mmap, STUB, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1);
	*(volatile char *)STUB = 1;
}

static void write_notice(void *arg)
{
	(void)arg;
	find_raw();
	raw(SYS_mprotect, NOTICE, 4096, PROT_READ | PROT_WRITE, 0, 0);
	*(volatile uint32_t *)NOTICE = 0xffffffff;
}

static void spoil_process(void *arg)
{
	(void)arg;
	scribble(PROCESS, 2048);
	for (int i = 0; i < 100; i++) {
		getppid();
		free(malloc(1 << 20));
	}
	if (fork() == 0)
		_exit(0);
}

static void spoil_area(void *arg)
{
	(void)arg;
	scribble(THREADS, 1024);
	for (int i = 0; i < 100; i++)
		getppid();
}

/* One slot, with requests that may look right. */
static void spoil_slot(uint64_t slot)
{
	volatile uint32_t *q = (volatile uint32_t *)slot;

	switch (any() % 7) {
	case 0:
		q[0] = any() % 5;
		break;
	case 1:
		q[1] = any() % 8 ? any() % 460 : 0x10000 + any() % 16;
		break;
	case 2:
		q[2 + any() % 12] = any() >> any() % 16;
		break;
	case 3:
		q[1024 + any() % 15000] = any();
		break;
	case 4: {
		unsigned i = any() % 6;

		q[2 + 2 * i] = any() & 0xff;
		q[3 + 2 * i] = 0;
		break;
	}
	case 5:
		q[16 + any() % 16] = any();
		break;
	default:
		q[32 + any() % 12] = any() % 70000;
	}
}

static void spoil_channel(void *arg)
{
	uint64_t base = *(uint64_t *)arg;

	for (int i = 0; i < 200000; i++) {
		spoil_slot(base + any() % 4 * STRIDE);
		if (i % 1000 == 0)
			getppid();
	}
}

static void *spoiler(void *arg)
{
	spoil_channel(arg);
	spoil_channel(arg);
	return NULL;
}

static void spoil_while_working(void *arg)
{
	struct stat st;
	pthread_t t;

	PTHREAD(pthread_create(&t, NULL, spoiler, arg));
	for (int i = 0; i < 10000; i++) {
		stat("/", &st);
		close(open("/etc/passwd", O_RDONLY));
	}
}

static void *leave(void *arg)
{
	(void)arg;
	raw(SYS_exit, 0, 0, 0, 0, 0);
	return NULL;
}

/* A thread that is gone without a word; the process can still end. */
static void kill_own_thread(void *arg)
{
	pthread_t t;

	(void)arg;
	find_raw();
	PTHREAD(pthread_create(&t, NULL, leave, NULL));
	for (int i = 0; i < 100; i++)
		getppid();
	_exit(0);
}

static void end_natively(void *arg)
{
	(void)arg;
	find_raw();
	raw(SYS_exit_group, 0, 0, 0, 0, 0);
}

static void close_all(void *arg)
{
	(void)arg;
	find_raw();
	for (int fd = 0; fd < 20; fd++)
		raw(SYS_close, fd, 0, 0, 0, 0);
	for (int i = 0; i < 100; i++)
		getppid();
	mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, open("/bin/sh", O_RDONLY), 0);
	if (fork() == 0)
		_exit(0);
}

/* Copies of itself that nobody has heard of; they end when the qube does. */
static void clone_natively(void *arg)
{
	const long flags = 0x00008000 | 0x01000000 | 0x00200000;
	static int tid;

	(void)arg;
	find_raw();
	for (int i = 0; i < 8; i++)
		if (raw(SYS_clone, flags, 0, 0, (long)&tid, 0) == 0)
			for (;;)
				raw(SYS_futex, (long)&tid, 0, tid, 0, 0);
	_exit(0);
}

/* Deaf to kicks: still to be killed. */
static void deaf(void *arg)
{
	uint64_t all = ~0UL;

	(void)arg;
	find_raw();
	raw(SYS_rt_sigprocmask, SIG_BLOCK, (long)&all, 0, 8, 0);
	for (;;)
		;
}

/* Ends a child that will not end by itself. */
static void bounded(void (*fn)(void *), void *arg)
{
	int ends[2];
	pid_t pid;

	OK(pipe2(ends, O_CLOEXEC));
	pid = child(fn, arg);
	close(ends[1]);
	/* The child's end closes with the child. */
	poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, 3000);
	kill(pid, SIGKILL);
	reap(pid);
	close(ends[0]);
}

/* The system as others see it. */
static void still_well(void)
{
	char buf[16];
	int fd = open("/etc/passwd", O_RDONLY);

	OK(fd);
	CHECK(read(fd, buf, sizeof(buf)) > 0);
	OK(close(fd));
	CHECK(getppid() >= 0);
	EQ(system("exit 3"), 3 << 8);
}

int main(void)
{
	uint64_t window[] = {CHANNEL, OTHER};
	void (*const acts[])(void *) = {
		unmap_all,     overwrite_text, write_notice,
		spoil_process, spoil_area,     kill_own_thread,
		end_natively,  close_all,      clone_natively,
		deaf,
	};

	all_forbidden();
	still_well();
	for (size_t i = 0; i < COUNT(acts); i++) {
		bounded(acts[i], NULL);
		still_well();
	}
	for (size_t i = 0; i < COUNT(window); i++) {
		bounded(spoil_channel, &window[i]);
		bounded(spoil_while_working, &window[i]);
		still_well();
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kills the process group it is loaded into, before the N-th change of the file
 * system that its processes make together: LD_PRELOAD with DIEAT=N.  Counting
 * begins when the file named by DIEAT_ARMED is there.
 *
 * The processes are in jails, in which they may not signal: one beside them, which
 * sleeps on a word of shared memory until then, does that.
 */
/* libc has some of these under two names; both are meant. */
#undef _FILE_OFFSET_BITS
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

struct count {
	_Atomic long left;
	_Atomic unsigned over;
};

static struct count *steps;
static const char *armed;

static _Noreturn void wait_and_kill(void)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (int fd = 0; fd < 64; fd++)
		(void)close(fd);
	while (atomic_load(&steps->over) == 0)
		(void)syscall(SYS_futex, &steps->over, FUTEX_WAIT, 0, NULL);
	(void)kill(0, SIGKILL);
	_exit(1);
}

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("DIEAT");

	armed = getenv("DIEAT_ARMED");
	if (!at || !armed)
		return;
	steps = mmap(NULL, sizeof(*steps), PROT_READ | PROT_WRITE,
	             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (steps == MAP_FAILED)
		abort();
	atomic_store(&steps->left, strtol(at, NULL, 10));
	if (fork() == 0)
		wait_and_kill();
}

static void step(void)
{
	struct stat st;

	if (!steps || stat(armed, &st) < 0 ||
	    atomic_fetch_sub(&steps->left, 1) != 1)
		return;
	atomic_store(&steps->over, 1);
	(void)syscall(SYS_futex, &steps->over, FUTEX_WAKE, 1);
	for (;;)
		(void)syscall(SYS_futex, &steps->over, FUTEX_WAIT, 1, NULL);
}

#define NEXT(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

#define CHANGE(type, name, parameters, arguments) \
	type name parameters;                     \
	type name parameters                      \
	{                                         \
		typeof(&name) next = NEXT(name);  \
                                                  \
		step();                           \
		return next arguments;            \
	}

CHANGE(int, mkdirat, (int dir, const char *path, mode_t mode),
       (dir, path, mode))
CHANGE(int, unlinkat, (int dir, const char *path, int flags),
       (dir, path, flags))
CHANGE(int, renameat, (int from, const char *a, int to, const char *b),
       (from, a, to, b))
CHANGE(int, linkat, (int from, const char *a, int to, const char *b, int flags),
       (from, a, to, b, flags))
CHANGE(int, fsync, (int fd), (fd))
CHANGE(int, fdatasync, (int fd), (fd))
CHANGE(int, ftruncate, (int fd, off_t size), (fd, size))
CHANGE(int, msync, (void *at, size_t size, int flags), (at, size, flags))
CHANGE(ssize_t, pwrite, (int fd, const void *at, size_t size, off_t to),
       (fd, at, size, to))
CHANGE(ssize_t, pwritev, (int fd, const struct iovec *v, int count, off_t to),
       (fd, v, count, to))
CHANGE(ssize_t, copy_file_range,
       (int from, off_t *a, int to, off_t *b, size_t size, unsigned flags),
       (from, a, to, b, size, flags))

CHANGE(int, ftruncate64, (int fd, off64_t size), (fd, size))
CHANGE(ssize_t, pwrite64, (int fd, const void *at, size_t size, off64_t to),
       (fd, at, size, to))
CHANGE(ssize_t, pwritev64,
       (int fd, const struct iovec *v, int count, off64_t to),
       (fd, v, count, to))

int openat(int dir, const char *path, int flags, ...);
int openat(int dir, const char *path, int flags, ...)
{
	typeof(&openat) next = NEXT(openat);
	mode_t mode = 0;
	va_list ap;

	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
		step();
	}
	return next(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...);
int openat64(int dir, const char *path, int flags, ...)
{
	typeof(&openat64) next = NEXT(openat64);
	mode_t mode = 0;
	va_list ap;

	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
		step();
	}
	return next(dir, path, flags, mode);
}

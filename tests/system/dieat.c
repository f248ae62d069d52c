/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kills the process group it is loaded into, before the N-th change of the file
 * system that its processes make together: LD_PRELOAD with DIEAT=N.  Counting
 * begins when the file named by DIEAT_ARMED is there.
 */
/* libc has some of these under two names; both are meant. */
#undef _FILE_OFFSET_BITS
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static _Atomic long *left;
static const char *armed;

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("DIEAT");

	armed = getenv("DIEAT_ARMED");
	if (!at || !armed)
		return;
	left = mmap(NULL, sizeof(*left), PROT_READ | PROT_WRITE,
	            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (left == MAP_FAILED)
		abort();
	atomic_store(left, strtol(at, NULL, 10));
}

static void step(void)
{
	if (!left || access(armed, F_OK) != 0)
		return;
	if (atomic_fetch_sub(left, 1) == 1)
		(void)kill(0, SIGKILL);
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

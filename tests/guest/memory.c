/* SPDX-License-Identifier: Apache-2.0 */
/* mmap and its relations: files, sharing, moving, advice, errors. */
#include "check.h"

#include <limits.h>
#include <sys/mman.h>
#include <sys/utsname.h>

enum { PAGE = 4096 };

static void anonymous(void)
{
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
	               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	     *q;

	CHECK(p != MAP_FAILED);
	EQ(p[0], 0);
	p[PAGE] = 1;
	/* A hole in the middle, filled again at the same place. */
	OK(munmap(p + PAGE, PAGE));
	q = mmap(p + PAGE, PAGE, PROT_READ | PROT_WRITE,
	         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	CHECK(q == p + PAGE);
	EQ(q[0], 0);
	FAILS(mmap(p, PAGE, PROT_READ,
	           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
	      EEXIST);
	q = mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
	         -1, 0);
	CHECK(q == p);
	p[2 * PAGE] = 5;
	OK(madvise(p + 2 * PAGE, PAGE, MADV_DONTNEED));
	EQ(p[2 * PAGE], 0);
	OK(munmap(p, 4 * PAGE));
	OK(munmap(p, 4 * PAGE)); /* nothing there is no error */
}

static void errors(void)
{
	int fd = open("ro", O_RDONLY | O_CREAT, 0600), wo;

	FAILS(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	      EINVAL);
	FAILS(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0), EINVAL);
	FAILS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0), EBADF);
	FAILS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 1), EINVAL);
	FAILS(mmap((void *)1, PAGE, PROT_READ,
	           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
	      EINVAL);
	FAILS(mmap(NULL, 1UL << 60, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	           0),
	      ENOMEM);
	FAILS(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
	      EACCES);
	wo = open("ro", O_WRONLY);
	FAILS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, wo, 0), EACCES);
	FAILS(munmap((void *)1, PAGE), EINVAL);
	FAILS(munmap(NULL, 0), EINVAL);
	FAILS(mprotect((void *)1, PAGE, PROT_READ), EINVAL);
	FAILS(mprotect(NULL, PAGE, PROT_READ), ENOMEM);
	FAILS(madvise((void *)1, PAGE, MADV_NORMAL), EINVAL);
	OK(close(fd));
	OK(close(wo));
	fd = open(".", O_RDONLY);
	FAILS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0), ENODEV);
	OK(close(fd));
}

static void of_files(void)
{
	char *priv, *shared, buf[8];
	int fd = open("f", O_RDWR | O_CREAT, 0600);

	EQ(write(fd, "original", 8), 8);
	priv = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(priv != MAP_FAILED && shared != MAP_FAILED);
	CHECK(!memcmp(priv, "original", 8));
	priv[0] = 'P';
	EQ(pread(fd, buf, 8, 0), 8);
	CHECK(!memcmp(buf, "original", 8));
	shared[0] = 'S';
	EQ(pread(fd, buf, 8, 0), 8);
	CHECK(!memcmp(buf, "Sriginal", 8));
	EQ(priv[0], 'P');
	/* write() is seen through a shared mapping at once. */
	EQ(pwrite(fd, "W", 1, 1), 1);
	EQ(shared[1], 'W');
	OK(msync(shared, PAGE, MS_SYNC));
	FAILS(msync(shared, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	OK(close(fd)); /* the mapping holds the file */
	OK(unlink("f"));
	EQ(shared[0], 'S');
	OK(munmap(priv, PAGE));
	OK(munmap(shared, PAGE));
}

/* A file read by a system call into its own mapping and the like. */
static void offsets(void)
{
	char *p;
	int fd = open("o", O_RDWR | O_CREAT, 0600);

	OK(ftruncate(fd, 10 * PAGE));
	for (int i = 0; i < 10; i++)
		EQ(pwrite(fd, &i, 1, i * PAGE), 1);
	p = mmap(NULL, 3 * PAGE, PROT_READ, MAP_SHARED, fd, 4 * PAGE);
	CHECK(p != MAP_FAILED);
	EQ(p[0], 4);
	EQ(p[2 * PAGE], 6);
	OK(munmap(p, 3 * PAGE));
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	EQ(pread(fd, p, PAGE, 7 * PAGE), PAGE);
	EQ(p[0], 7);
	EQ(pwrite(fd, p + PAGE, 1, 0), 1);
	EQ(p[0], 1);
	OK(munmap(p, 2 * PAGE));
	OK(close(fd));
}

static void write_shared(void *arg)
{
	((char *)arg)[0] = 'c';
	((char *)arg)[PAGE] = 'd';
}

static void write_first(void *arg)
{
	*(char *)arg = 'c';
}

static void across_fork(void)
{
	char *s = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
	               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
	               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	apart(write_shared, s);
	EQ(s[0], 'c');
	EQ(s[PAGE], 'd');
	apart(write_shared, p);
	EQ(p[0], 0);
	OK(madvise(p, PAGE, MADV_WIPEONFORK));
	OK(munmap(s, 2 * PAGE));
	OK(munmap(p, 2 * PAGE));
}

static void moving(void)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
	               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	     *q, *hole;

	p[0] = 'a';
	p[PAGE] = 'b';
	q = mremap(p, 2 * PAGE, 100 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED);
	EQ(q[0], 'a');
	EQ(q[PAGE], 'b');
	EQ(q[99 * PAGE], 0);
	p = mremap(q, 100 * PAGE, PAGE, 0);
	CHECK(p == q);
	hole = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	            0);
	q = mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, hole);
	CHECK(q == hole);
	EQ(q[0], 'a');
	FAILS(mremap(q, PAGE, 2 * PAGE, 0), ENOMEM); /* no room behind it */
	FAILS(mremap(q + 1, PAGE, PAGE, 0), EINVAL);
	FAILS(mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
	FAILS(mremap(q, PAGE, 0, 0), EINVAL);
	OK(munmap(hole, 4 * PAGE));
}

static void heap(void)
{
	char *old = sbrk(0), *now;

	CHECK(sbrk(64 * PAGE) == old);
	now = sbrk(0);
	EQ(now - old, 64 * PAGE);
	old[63 * PAGE] = 1;
	CHECK(sbrk(-64 * PAGE) == now);
	CHECK(sbrk(0) == old);
	for (int i = 0; i < 50; i++) {
		char *p = malloc(1 << 20);

		memset(p, i, 1 << 20);
		EQ(p[12345], i);
		free(p);
	}
}

static void memory_files(void)
{
	int fd = memfd_create("mem", MFD_ALLOW_SEALING | MFD_CLOEXEC), ro;
	char path[64], *p, link[64];
	struct stat st;
	ssize_t n;

	OK(fd);
	OK(ftruncate(fd, 2 * PAGE));
	OK(fstat(fd, &st));
	EQ(st.st_size, 2 * PAGE);
	CHECK(S_ISREG(st.st_mode));
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	p[0] = 'm';
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, link, sizeof(link) - 1);
	CHECK(n > 0);
	link[n] = 0;
	CHECK(!strcmp(link, "/memfd:mem (deleted)"));
	ro = open(path, O_RDONLY);
	OK(ro);
	EQ(read(ro, link, 1), 1);
	EQ(link[0], 'm');
	OK(close(ro));

	EQ(fcntl(fd, F_GET_SEALS), 0);
	FAILS(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	OK(munmap(p, PAGE));
	OK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
	FAILS(ftruncate(fd, PAGE), EPERM);
	FAILS(ftruncate(fd, 3 * PAGE), EPERM);
	EQ(write(fd, "x", 1), 1);
	OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	FAILS(write(fd, "x", 1), EPERM);
	FAILS(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
	      EPERM);
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	OK(munmap(p, PAGE));
	OK(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
	FAILS(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), EPERM);
	OK(close(fd));
	fd = memfd_create("plain", 0);
	EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
	OK(close(fd));
	FAILS(memfd_create("x", 0x800), EINVAL);
	FAILS(syscall(SYS_memfd_create, NOWHERE, 0), EFAULT);
}

static void posix_shared(void)
{
	char name[64];
	char *a, *b;
	int fd;

	snprintf(name, sizeof(name), "/guest-test-%d", getpid());
	fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	OK(fd);
	OK(ftruncate(fd, PAGE));
	a = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	OK(close(fd));
	fd = shm_open(name, O_RDWR, 0);
	b = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(a != b);
	a[7] = 7;
	EQ(b[7], 7);
	b[0] = 0;
	apart(write_first, b);
	EQ(a[0], 'c');
	OK(shm_unlink(name));
	FAILS(shm_open(name, O_RDWR, 0), ENOENT);
	OK(close(fd));
}

static void locking(void)
{
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
	               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char vec[1];

	p[0] = 1;
	OK(mlock(p, PAGE));
	OK(mincore(p, PAGE, vec));
	EQ(vec[0] & 1, 1);
	OK(munlock(p, PAGE));
	FAILS(mincore(p + 1, PAGE, vec), EINVAL);
	OK(munmap(p, PAGE));
	FAILS(mincore(p, PAGE, vec), ENOMEM);
}

/* system calls check the memory they are given */
static void calls_check(void)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
	               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("o", O_RDWR), pipes[2];

	OK(mprotect(p + PAGE, PAGE, PROT_NONE));
	EQ(pread(fd, p, PAGE, 0), PAGE);
	FAILS(pread(fd, p + PAGE, PAGE, 0), EFAULT);
	FAILS(pwrite(fd, p + PAGE, PAGE, 0), EFAULT);
	OK(mprotect(p, PAGE, PROT_READ));
	FAILS(pread(fd, p, PAGE, 0), EFAULT);
	OK(pipe(pipes));
	tell(pipes[1]);
	FAILS(read(pipes[0], p, 1), EFAULT);
	/* A read that failed took nothing; run --far finds out too late. */
	if (!getenv("BENTO_FAR"))
		await(pipes[0]);
	FAILS(uname((void *)(p + PAGE)), EFAULT);
	/* A path that ends where the memory does. */
	OK(mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	memcpy(p + PAGE - 2, "o", 2);
	OK(access(p + PAGE - 2, F_OK));
	memcpy(p + PAGE - 2, "oo", 2);
	FAILS(access(p + PAGE - 2, F_OK), EFAULT);
	OK(close(fd));
}

/* Code for nested functions, as some old libraries ask for. */
static void executable_stack(void)
{
	/* return 7; in one page, as the next may not be the stack's. */
	_Alignas(8) volatile unsigned char code[] = {0xb8, 7, 0, 0, 0, 0xc3};
	uintptr_t page = (uintptr_t)code & ~(uintptr_t)(PAGE - 1);
	int (*run)(void);
	void *at = (void *)code;

	memcpy(&run, &at, sizeof(run));
	OK(mprotect((void *)page, PAGE,
	            PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN));
	EQ(run(), 7);
	OK(mprotect((void *)page, PAGE,
	            PROT_READ | PROT_WRITE | PROT_GROWSDOWN));
}

int main(void)
{
	scratch();
	anonymous();
	errors();
	of_files();
	offsets();
	across_fork();
	moving();
	heap();
	memory_files();
	posix_shared();
	locking();
	calls_check();
	executable_stack();
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many threads at the same call sites at the same time, while these sites
 * become busy: whatever is done to busy sites, every call gives its result.
 */
#include "check.h"

#include <pthread.h>
#include <sys/mman.h>

#define THREADS 4
#define TURNS   3000
#define SITES   16

/*
 * SITES times three functions, each with a syscall of its own: followed by a
 * comparison, behind a mov of the number, followed by a return and padding.
 */
__asm__(".text\n"
        "	.balign 128\n"
        "copies:\n"
        "	.rept 16\n"
        "	.balign 128\n"
        "	mov %rdi, %rax\n"
        "	syscall\n"
        "	cmp $-4096, %rax\n"
        "	ja 1f\n"
        "	ret\n"
        "1:	neg %rax\n"
        "	ret\n"
        "	.balign 32\n"
        "	mov $186, %eax\n"
        "	syscall\n"
        "	ret\n"
        "	.balign 32\n"
        "	mov %rdi, %rax\n"
        "	syscall\n"
        "	ret\n"
        "	.nops 20\n"
        "	.endr\n");

extern const char copies[];

static long bare(int site, long nr)
{
	return ((long (*)(long))(copies + site * 128))(nr);
}

static long numbered(int site)
{
	return ((long (*)(void))(copies + site * 128 + 32))();
}

static long brief(int site, long nr)
{
	return ((long (*)(long))(copies + site * 128 + 64))(nr);
}

static pthread_barrier_t start;

static void *work(void *arg)
{
	long tid = syscall(SYS_gettid);
	long pid = getpid();

	(void)arg;
	for (int s = 0; s < SITES; s++) {
		pthread_barrier_wait(&start);
		for (int i = 0; i < TURNS; i++) {
			EQ(bare(s, SYS_getpid), pid);
			EQ(numbered(s), tid);
			EQ(bare(s, SYS_gettid), tid);
			EQ(brief(s, SYS_getpid), pid);
		}
		/* An errno comes back as one. */
		EQ(bare(s, 100000), ENOSYS);
	}
	return NULL;
}

/* Code made at run time is called, changed, and called again. */
static void changing_code(void)
{
	static const uint8_t code[] = {0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3};
	int fd = memfd_create("code", 0);
	uint8_t *p;

	OK(fd);
	EQ(write(fd, code, sizeof(code)), sizeof(code));
	for (int turn = 0; turn < 20; turn++) {
		p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
		CHECK(p != MAP_FAILED);
		for (int i = 0; i < 20; i++)
			EQ(((long (*)(void))p)(), getpid());
		OK(mprotect(p, 4096, PROT_READ | PROT_WRITE));
		p[1] = SYS_getuid;
		p[0] = 0xb8;
		OK(mprotect(p, 4096, PROT_READ | PROT_EXEC));
		OK(munmap(p, 4096));
	}
	close(fd);
}

int main(void)
{
	pthread_t t[THREADS];

	pthread_barrier_init(&start, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		PTHREAD(pthread_create(&t[i], NULL, work, NULL));
	for (int i = 0; i < THREADS; i++)
		PTHREAD(pthread_join(t[i], NULL));
	changing_code();
	return 0;
}

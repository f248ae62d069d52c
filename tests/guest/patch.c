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

/* SITES copies of one function, each with a syscall of its own. */
#define COPY(n)                                       \
	"	.balign 32\n"                               \
	"bare" #n ":	mov %rdi, %rax\n"                \
	"	syscall\n cmp $-4096, %rax\n ja 1f\n ret\n" \
	"1:	neg %rax\n ret\n"                         \
	"	.balign 32\n"                               \
	"numbered" #n ":	mov $186, %eax\n syscall\n ret\n"

__asm__(".text\n" COPY(0) COPY(1) COPY(2) COPY(3) COPY(4) COPY(5) COPY(6)
                COPY(7) COPY(8) COPY(9) COPY(10) COPY(11) COPY(12) COPY(13)
                        COPY(14) COPY(15));

#define DECLARE(n) long bare##n(long nr), numbered##n(void);
DECLARE(0)
DECLARE(1) DECLARE(2) DECLARE(3) DECLARE(4) DECLARE(5) DECLARE(6) DECLARE(7)
	DECLARE(8) DECLARE(9) DECLARE(10) DECLARE(11) DECLARE(12) DECLARE(13)
		DECLARE(14) DECLARE(15)

#define PAIR(n)                      \
	{                            \
		bare##n, numbered##n \
	}
			static const struct {
	long (*bare)(long nr);
	long (*numbered)(void);
} site[SITES] = {PAIR(0),  PAIR(1),  PAIR(2),  PAIR(3), PAIR(4),  PAIR(5),
                 PAIR(6),  PAIR(7),  PAIR(8),  PAIR(9), PAIR(10), PAIR(11),
                 PAIR(12), PAIR(13), PAIR(14), PAIR(15)};

static pthread_barrier_t start;

static void *work(void *arg)
{
	long tid = syscall(SYS_gettid);
	long pid = getpid();

	(void)arg;
	for (int s = 0; s < SITES; s++) {
		pthread_barrier_wait(&start);
		for (int i = 0; i < TURNS; i++) {
			EQ(site[s].bare(SYS_getpid), pid);
			EQ(site[s].numbered(), tid);
			EQ(site[s].bare(SYS_gettid), tid);
		}
		/* An errno comes back as one. */
		EQ(site[s].bare(100000), ENOSYS);
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

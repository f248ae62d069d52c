/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a system call leaves alone: every register but rax, rcx and r11, the
 * flags, the red zone below the stack pointer.  Each site runs often, so that
 * whatever is done about busy sites has been done.
 */
#include "check.h"

#define TURNS 100

struct regs {
	uint64_t rbx, rdx, rsi, rdi, rbp, r8, r9, r10, r12, r13, r14, r15;
	uint64_t flags, rax, zone[16];
};

/*
 * Loads the registers from *r, fills the red zone, calls, and stores all back.
 * The two differ in what stands around the syscall instruction.
 */
void mov_site(struct regs *r);
void bare_site(struct regs *r);

#define SITE(name, before)                                                \
	".globl " #name "\n" #name ":\n"                                  \
	"	push %rbx\n push %rbp\n push %r12\n push %r13\n"                \
	"	push %r14\n push %r15\n push %rdi\n"                            \
	"	mov %rdi, %rax\n"                                               \
	"	mov 0(%rax), %rbx\n mov 8(%rax), %rdx\n mov 16(%rax), %rsi\n"   \
	"	mov 24(%rax), %rdi\n mov 32(%rax), %rbp\n mov 40(%rax), %r8\n"  \
	"	mov 48(%rax), %r9\n mov 56(%rax), %r10\n mov 64(%rax), %r12\n"  \
	"	mov 72(%rax), %r13\n mov 80(%rax), %r14\n mov 88(%rax), %r15\n" \
	"	mov $16, %ecx\n"                                                \
	"1:	mov 104(%rax,%rcx,8), %r11\n"                                 \
	"	neg %rcx\n mov %r11, (%rsp,%rcx,8)\n neg %rcx\n"                \
	"	dec %ecx\n jnz 1b\n"                                            \
	"	push 96(%rax)\n"                                                \
	"	mov 112(%rax), %r11\n"                                          \
	"	mov 104(%rax), %rax\n"                                          \
	"	popf\n"                                                         \
	"	mov %r11, -8(%rsp)\n" before "	syscall\n"                 \
	"	mov %rbx, %rbx\n lea (%rdi), %rdi\n"                            \
	"	mov (%rsp), %rcx\n"                                             \
	"	mov %rbx, 0(%rcx)\n mov %rdx, 8(%rcx)\n mov %rsi, 16(%rcx)\n"   \
	"	mov %rdi, 24(%rcx)\n mov %rbp, 32(%rcx)\n mov %r8, 40(%rcx)\n"  \
	"	mov %r9, 48(%rcx)\n mov %r10, 56(%rcx)\n mov %r12, 64(%rcx)\n"  \
	"	mov %r13, 72(%rcx)\n mov %r14, 80(%rcx)\n mov %r15, 88(%rcx)\n" \
	"	mov %rax, 104(%rcx)\n"                                          \
	"	mov -8(%rsp), %rax\n mov %rax, 112(%rcx)\n"                     \
	"	pushf\n pop 96(%rcx)\n"                                         \
	"	mov $16, %eax\n"                                                \
	"1:	neg %rax\n mov (%rsp,%rax,8), %r11\n neg %rax\n"              \
	"	cmp $1, %eax\n je 2f\n"                                         \
	"	mov %r11, 104(%rcx,%rax,8)\n"                                   \
	"2:	dec %eax\n jnz 1b\n"                                          \
	"	pop %rdi\n pop %r15\n pop %r14\n pop %r13\n pop %r12\n"         \
	"	pop %rbp\n pop %rbx\n ret\n"

/* getppid() with and without a mov of its number right before it. */
__asm__(".text\n" SITE(mov_site, "	mov $110, %eax\n") SITE(bare_site, ""));

static void same(void (*site)(struct regs *), uint64_t flags)
{
	struct regs a, b;

	for (int turn = 0; turn < TURNS; turn++) {
		uint64_t *w = (uint64_t *)&a;

		for (size_t i = 0; i < sizeof(a) / 8; i++)
			w[i] = 0x0123456789abcdefULL * (i + 1) + turn;
		a.flags = flags;
		a.rax = SYS_getppid;
		b = a;
		site(&b);
		EQ(b.rax, getppid());
		a.rax = b.rax;
		/* Carry, parity, adjust, zero, sign, direction, overflow. */
		EQ(b.flags & 0xcd5, flags & 0xcd5);
		b.flags = a.flags;
		for (size_t i = 0; i < sizeof(a) / 8; i++)
			EQ(((uint64_t *)&b)[i], w[i]);
	}
}

int main(void)
{
	same(mov_site, 0x202);
	same(bare_site, 0x202);
	same(mov_site, 0x202 | 0x8d5);
	same(bare_site, 0x202 | 0x8d5);
	return 0;
}

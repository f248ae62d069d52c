/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ways in and out of the stub.
 *
 * A trampoline jumps to entry_fast with the guest's registers, the address to
 * go on at in rcx, and a syscall instruction in the two bytes before it.  The
 * red zone stays as it is: nothing is pushed before the stack is ours.
 */
#include <asm/unistd_64.h>

#include "cell/stub/x86_64/offsets.h"

#define FUTEX_WAIT_PRIVATE_OP 128
#define FUTEX_WAKE_OP_SHARED  1
#define SIG_BLOCK_HOW         0

#define GLOBAL(name) \
	.globl name; \
	.hidden name; \
name:

	.section .text.entry, "ax", @progbits

GLOBAL(entry_start)
	movq	%rsp, %rdi
	andq	$-64, %rsp
	call	zygote_start
	hlt

	.balign 64
GLOBAL(entry_fast)
	movq	%rsp, %gs:AREA_GUEST_SP
	movq	%gs:AREA_STACK_TOP, %rsp
	pushfq
	pushq	%rcx
	pushq	%r9
	pushq	%r8
	pushq	%r10
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%rax
	movq	%rsp, %rdi
	cld
	call	dispatch_fast
	testb	%al, %al
	jz	8f
GLOBAL(entry_exit)
	movq	%gs:AREA_SLOT, %r11
	cmpl	$0, SLOT_ATTENTION(%r11)
	jne	7f
	popq	%rax
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%r10
	popq	%r8
	popq	%r9
	popq	%rcx
	popfq
	movq	%gs:AREA_GUEST_SP, %rsp
GLOBAL(entry_last)
	jmp	*%rcx

/* Signals wait: put the guest's registers back and trap, for a full frame. */
7:	popq	%rax
	movq	%rax, %gs:AREA_RESULT
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%r10
	popq	%r8
	popq	%r9
	popq	%rcx
	movq	%rcx, %gs:AREA_RESUME
	popfq
	movq	%gs:AREA_GUEST_SP, %rsp
	jmp	entry_raise

/* This call needs a full frame from its start: do it by trapping. */
8:	popq	%rax
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%r10
	popq	%r8
	popq	%r9
	popq	%rcx
	popfq
	movq	%gs:AREA_GUEST_SP, %rsp
	leaq	-2(%rcx), %rcx
	jmp	*%rcx

/* entry_futex(addr, op, val, timeout, addr2, val3, attention on the stack) */
GLOBAL(entry_futex)
	movq	8(%rsp), %r11
	movq	%rcx, %r10
	movl	$__NR_futex, %eax
GLOBAL(entry_futex_check)
	cmpl	$0, (%r11)
	jne	entry_futex_abort
GLOBAL(entry_futex_call)
	syscall
	ret
GLOBAL(entry_futex_abort)
	movq	$-4, %rax
	ret

GLOBAL(entry_restorer)
	movl	$__NR_rt_sigreturn, %eax
	syscall
	hlt

GLOBAL(entry_continue)
	movq	%rdi, %rsp
	movl	$__NR_rt_sigreturn, %eax
	syscall
	hlt

/* entry_clone(flags, stack, tid, fs_base, gs_base, context) */
GLOBAL(entry_clone)
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	movq	%rcx, %rbx
	movq	%r8, %r12
	movq	%r9, %r13
	movq	%rdx, %r10
	xorl	%r8d, %r8d
	movl	$__NR_clone, %eax
	syscall
	testq	%rax, %rax
	jz	1f
	popq	%r13
	popq	%r12
	popq	%rbx
	ret
1:	wrfsbase %rbx
	wrgsbase %r12
	movq	%r13, %rdi
	jmp	entry_continue

GLOBAL(entry_park)
	movq	%rdi, %rbx
	movl	$SIG_BLOCK_HOW, %edi
	leaq	all_signals(%rip), %rsi
	xorl	%edx, %edx
	movl	$8, %r10d
	movl	$__NR_rt_sigprocmask, %eax
	syscall
	movl	$0, (%rbx)
	movq	%rbx, %rdi
	movl	$FUTEX_WAKE_OP_SHARED, %esi
	movl	$0x7fffffff, %edx
	movl	$__NR_futex, %eax
	syscall
1:	leaq	all_signals+8(%rip), %rdi
	movl	$FUTEX_WAIT_PRIVATE_OP, %esi
	xorl	%edx, %edx
	xorl	%r10d, %r10d
	movl	$__NR_futex, %eax
	syscall
	jmp	1b

GLOBAL(entry_switch)
	movq	%rsi, %rsp
	andq	$-64, %rsp
	xorl	%ebp, %ebp
	call	*%rdx
	hlt

/*
 * Guest memory.  These push nothing, so that a fault anywhere in them returns
 * to the caller by guard_fault.
 */
	.balign 64
GLOBAL(guard_begin)
GLOBAL(guard_copy)
	movq	%rdx, %rcx
	cmpq	$256, %rdx
	ja	3f
	cmpq	$8, %rcx
	jb	2f
1:	movq	(%rsi), %rax
	movq	%rax, (%rdi)
	addq	$8, %rsi
	addq	$8, %rdi
	subq	$8, %rcx
	cmpq	$8, %rcx
	jae	1b
2:	testq	%rcx, %rcx
	jz	5f
4:	movb	(%rsi), %al
	movb	%al, (%rdi)
	incq	%rsi
	incq	%rdi
	decq	%rcx
	jnz	4b
	jmp	5f
3:	rep movsb
5:	xorl	%eax, %eax
	ret
GLOBAL(guard_string)
	xorl	%eax, %eax
1:	cmpq	%rdx, %rax
	je	2f
	movb	(%rsi,%rax), %cl
	movb	%cl, (%rdi,%rax)
	testb	%cl, %cl
	je	2f
	incq	%rax
	jmp	1b
2:	ret
GLOBAL(guard_touch)
	leaq	-1(%rdi,%rsi), %rsi
1:	lock orb $0, (%rdi)
	orq	$4095, %rdi
	incq	%rdi
	cmpq	%rsi, %rdi
	jbe	1b
	xorl	%eax, %eax
	ret
GLOBAL(guard_swap)
	movl	%esi, %eax
	lock cmpxchgl %edx, (%rdi)
	movl	%eax, %eax
	ret
GLOBAL(guard_end)
GLOBAL(guard_fault)
	movq	$-14, %rax
	ret

/* What the compiler calls by itself. */
GLOBAL(memcpy)
	movq	%rdi, %rax
	movq	%rdx, %rcx
	rep movsb
	ret
GLOBAL(memset)
	movq	%rdi, %r8
	movl	%esi, %eax
	movq	%rdx, %rcx
	rep stosb
	movq	%r8, %rax
	ret

/* On a page of its own, from which no host call is permitted. */
	.section .trap, "ax", @progbits
GLOBAL(entry_raise)
	movl	$0x1fff, %eax
	syscall
GLOBAL(entry_raised)
	hlt

	.section .rodata.entry, "a", @progbits
	.balign 8
all_signals:
	.quad	-1
	.quad	0

	.section .note.GNU-stack, "", @progbits

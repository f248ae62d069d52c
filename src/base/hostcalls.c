/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each row becomes: is it this call?  then for each check, load the argument's
 * half, mask it, compare; if all hold, allow.  What fails goes to the next
 * row.  A row is at most 1 + 4 * 6 + 1 instructions, so jumps fit in a byte.
 */
#include "base/hostcalls.h"

#include <linux/audit.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/sanitized.h"

/*
 * The address sanitizer asks where the stack of signal handlers is before anything
 * that does not return, such as our end.
 */
static const struct hostcalls_row sanitizer[] = {
	HOSTCALLS_CALL(sigaltstack, HOSTCALLS_IS64(0, 0), "")};

struct builder {
	struct sock_filter *at;
	size_t count;
};

static void emit(struct builder *b, uint16_t code, uint32_t k, uint8_t yes,
                 uint8_t no)
{
	assert(b->count < HOSTCALLS_FILTER_MAX);
	b->at[b->count++] = (struct sock_filter){
		.code = code, .jt = yes, .jf = no, .k = k};
}

/* Half of an argument: `no` is patched to the next row afterwards. */
static void half(struct builder *b, uint32_t off, uint32_t mask, uint32_t value)
{
	if (mask == 0)
		return;
	emit(b, BPF_LD | BPF_W | BPF_ABS, off, 0, 0);
	if (mask != HOSTCALLS_LOW)
		emit(b, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
	emit(b, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 0);
}

static void one_row(struct builder *b, const struct hostcalls_row *r)
{
	size_t first = b->count;

	emit(b, BPF_JMP | BPF_JEQ | BPF_K, r->nr, 0, 0);
	for (const struct hostcalls_check *c = r->check; c->mask; c++) {
		uint32_t off = (uint32_t)(offsetof(struct seccomp_data, args) +
		                          c->arg * sizeof(uint64_t));

		half(b, off, (uint32_t)c->mask, (uint32_t)c->value);
		half(b, off + 4, (uint32_t)(c->mask >> 32),
		     (uint32_t)(c->value >> 32));
	}
	emit(b, BPF_RET | BPF_K, r->action, 0, 0);
	for (size_t i = first; i < b->count; i++)
		if (BPF_CLASS(b->at[i].code) == BPF_JMP)
			b->at[i].jf = (uint8_t)(b->count - i - 1);
	/* The next row looks at the number again. */
	if (r->check[0].mask)
		emit(b, BPF_LD | BPF_W | BPF_ABS,
		     offsetof(struct seccomp_data, nr), 0, 0);
}

size_t hostcalls_build(const struct hostcalls_row *rows, size_t count,
                       struct sock_filter prog[static HOSTCALLS_FILTER_MAX],
                       uint32_t refusal)
{
	struct builder b = {prog, 0};

	emit(&b, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch),
	     0, 0);
	emit(&b, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	emit(&b, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
	emit(&b, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0,
	     0);
	for (size_t i = 0; i < count; i++)
		one_row(&b, &rows[i]);
	if (SANITIZED)
		one_row(&b, sanitizer);
	emit(&b, BPF_RET | BPF_K, refusal, 0, 0);
	return b.count;
}

/* For those who extend a table: says what it lacks. */
static void told(int sig, siginfo_t *info, void *context)
{
	char text[80];
	int n;

	(void)sig, (void)context;
	n = snprintf(text, sizeof(text), "host call %d is not in the table\n",
	             info->si_syscall);
	if (n > 0)
		(void)!write(STDERR_FILENO, text, (size_t)n);
	_exit(125);
}

int hostcalls_enter(const struct hostcalls_row *rows, size_t count)
{
	static const struct sigaction sa = {
		.sa_sigaction = told,
		.sa_flags = SA_SIGINFO,
	};
	struct sock_filter prog[HOSTCALLS_FILTER_MAX];
	struct sock_fprog fprog = {.filter = prog};
	const char *how = getenv("BENTO_SECCOMP");
	uint32_t refusal = SECCOMP_RET_KILL_PROCESS;

	if (how && strcmp(how, "trap") == 0) {
		if (sigaction(SIGSYS, &sa, NULL) < 0)
			return -errno;
		refusal = SECCOMP_RET_TRAP;
	}
	fprog.len = (unsigned short)hostcalls_build(rows, count, prog, refusal);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fprog) < 0)
		return -errno;
	return 0;
}

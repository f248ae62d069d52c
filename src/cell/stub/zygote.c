/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The zygote: the stub's image as the kernel starts it, from which all cells
 * are cloned.  It does once what they all need and what is forbidden later:
 * looks at the host, seals its text, installs handlers and filter.  Then it
 * makes a cell for each message of the kernel.
 *
 * Descriptors at the start: 0 the kernel's socket, 1 anything, 2 for cries of
 * distress, 3 the kernel's notice page.  Each message brings three: channel,
 * cell's socket, bell.
 */
#include <asm/prctl.h>
#include <linux/auxvec.h>
#include <linux/fcntl.h>
#include <linux/membarrier.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

#include "cell/stub/area.h"
#include "cell/stub/ask.h"
#include "cell/stub/filter.h"
#include "cell/stub/spawn.h"
#include "cell/stub/trap.h"
#include "cell/stub/x86_64/entry.h"
#include "cell/stub/x86_64/host.h"

#define NOTICE_FD 3
#define ERROR_FD  2
#define NR_MSEAL  462

#define SIG_SETMASK_HOW 2

#define XFEATURE_GET  0x1021
#define XFEATURE_PERM 0x1022
#define XFEATURE_ASK  0x1023
#define XFEATURE_AMX  18

_Noreturn void zygote_start(const uint64_t *sp);

static _Noreturn void fail(const char *what)
{
	uint64_t len = 0;

	while (what[len])
		len++;
	host(SYS_write, ERROR_FD, what, len);
	for (;;)
		host(SYS_exit_group, 125);
}

static void read_auxv(struct process *p, const uint64_t *sp)
{
	const uint64_t *at = sp + 1 + sp[0] + 1;

	p->min_stack = 2048;
	while (*at)
		at++;
	for (at++; at[0] != AT_NULL; at += 2) {
		switch (at[0]) {
		case AT_SYSINFO_EHDR:
			p->vdso = at[1];
			break;
		case AT_HWCAP:
			p->hwcap = at[1];
			break;
		case AT_HWCAP2:
			p->hwcap2 = at[1];
			break;
		case AT_MINSIGSTKSZ:
			p->min_stack = at[1];
			break;
		default:
			break;
		}
	}
}

/* Reads one hexadecimal number; *at moves behind it. */
static uint64_t read_hex(const char **at)
{
	uint64_t value = 0;

	for (;; (*at)++) {
		char c = **at;

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint64_t)(c - 'a' + 10);
		else
			return value;
	}
}

/* Does one line of /proc/self/maps name the vdso, or data it reads? */
static bool vdso_line(const char *line, const char *end)
{
	for (; end - line >= 3; line++)
		if (line[0] == '[' && line[1] == 'v' &&
		    (line[2] == 'v' || line[2] == 'd'))
			return true;
	return false;
}

/* The extent of the vdso and its data, which programs need. */
static void find_vdso(struct process *p)
{
	static const char path[] = "/proc/self/maps";
	char text[2048];
	const char *line, *at, *end;
	uint64_t lo, hi;
	long fd, n, size = 0;

	p->vdso_lo = p->vdso - 0x10000;
	p->vdso_hi = p->vdso + 0x2000;
	fd = host(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	while ((n = host(SYS_read, fd, text + size,
	                 (long)sizeof(text) - 1 - size)) > 0)
		size += n;
	host(SYS_close, fd);
	p->vdso_lo = UINT64_MAX;
	p->vdso_hi = 0;
	for (line = text; line < text + size; line = end + 1) {
		for (end = line; end < text + size && *end != '\n'; end++)
			;
		at = line;
		lo = read_hex(&at);
		at++;
		hi = read_hex(&at);
		if (!vdso_line(line, end) || lo >= 1ULL << 47)
			continue;
		p->vdso_lo = MIN(p->vdso_lo, lo);
		p->vdso_hi = MAX(p->vdso_hi, hi);
	}
	if (p->vdso_lo > p->vdso_hi)
		p->vdso_lo = p->vdso_hi = 1ULL << 46;
}

/* AMX must be asked for before the first thread that uses it. */
static void ask_xfeatures(struct process *p)
{
	host(SYS_arch_prctl, XFEATURE_ASK, XFEATURE_AMX);
	host(SYS_arch_prctl, XFEATURE_GET, &p->xfeatures_supported);
	host(SYS_arch_prctl, XFEATURE_PERM, &p->xfeatures_permitted);
}

static void install_filter(void)
{
	struct sock_filter prog[FILTER_MAX];
	struct {
		uint16_t count;
		const struct sock_filter *prog;
	} arg = {.prog = prog};
	int count;

	count = filter_build(prog, FILTER_MAX, (uint64_t)stub_text_begin,
	                     (uint64_t)stub_text_end);
	if (count < 0)
		fail("zygote: filter too long\n");
	arg.count = (uint16_t)count;
	if (host(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1) < 0 ||
	    host(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &arg) < 0)
		fail("zygote: no seccomp\n");
}

/* All that needs more of the host than the filter permits. */
static void prepare(struct process *p, const uint64_t *sp)
{
	uint64_t none = 0;
	long got;

	read_auxv(p, sp);
	find_vdso(p);
	ask_xfeatures(p);
	got = host(SYS_mmap, LAYOUT_NOTICE, 4096, PROT_READ,
	           MAP_SHARED | MAP_FIXED, NOTICE_FD, 0);
	if (got != (long)LAYOUT_NOTICE)
		fail("zygote: no notice page\n");
	host(SYS_close, NOTICE_FD);
	if (trap_install() < 0)
		fail("zygote: no handlers\n");
	/* Whatever our parent had blocked. */
	host(SYS_rt_sigprocmask, SIG_SETMASK_HOW, &none, 0, sizeof(none));
	host(NR_MSEAL, stub_image_begin, stub_image_end - stub_image_begin);
	install_filter();
}

/* The first steps of a cell: a program is on its way. */
static _Noreturn void run_cell(struct area *a, const int32_t fd[3])
{
	spawn_become_cell(fd[1], fd[2]);
	a->leader = true;
	/* For changing code under threads; cheap while there are none. */
	host(SYS_membarrier,
	     MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
	ask_op(a, OP_hello, 0);
	for (;;)
		host(SYS_exit_group, 125);
}

static void serve(struct area *a)
{
	int32_t fd[3];
	long got;

	for (;;) {
		got = ask_receive(fd, 3, true);
		if (got != 3)
			return; /* the kernel is gone, or beside itself */
		got = host(SYS_mmap, LAYOUT_CHANNEL, CHANNEL_SIZE,
		           PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		           fd[0], 0);
		if (got != (long)LAYOUT_CHANNEL)
			return;
		host(SYS_close, fd[0]);
		got = host(SYS_clone, SPAWN_CELL_FLAGS, 0, 0,
		           &a->slot->host_tid, 0);
		if (got == 0)
			run_cell(a, fd);
		host(SYS_munmap, LAYOUT_CHANNEL, CHANNEL_SIZE);
		host(SYS_close, fd[1]);
		host(SYS_close, fd[2]);
	}
}

static void run(void *arg)
{
	struct area *a = arg;

	host_set_gs((uint64_t)a);
	area_use_stack(a);
	host(SYS_prctl, PR_SET_PDEATHSIG, SIG_KILL);
	host(SYS_close, ERROR_FD);
	serve(a);
	for (;;)
		host(SYS_exit_group, 0);
}

void zygote_start(const uint64_t *sp)
{
	struct process *p = area_process();
	struct area *a;

	if (host(SYS_mmap, PROCESS_ADDR, PROCESS_SIZE, PROT_READ | PROT_WRITE,
	         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
	         0) != (long)PROCESS_ADDR)
		fail("zygote: no memory\n");
	p->channel = LAYOUT_CHANNEL;
	prepare(p, sp);
	a = area_make(0, LAYOUT_CHANNEL);
	if (!a)
		fail("zygote: no memory\n");
	entry_switch(a, (void *)(a->stack_top - 64), run);
}

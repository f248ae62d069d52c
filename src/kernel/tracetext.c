/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/tracetext.h"

#include <asm/ioctls.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define SHOWN 64u /* bytes of a string */

/* Numbers with names. */
static const struct name {
	const char *set;
	const char *name;
	uint64_t value;
	bool flag;
} names[] = {
#define FLAG(set, name)  {#set, #name, (uint64_t)(name), true},
#define VALUE(set, name) {#set, #name, (uint64_t)(name), false},
#define USES(call, argument, set)
#include "kernel/trace_names.def"
};

static const struct use {
	const char *call;
	const char *argument;
	const char *set;
} uses[] = {
#define FLAG(set, name)
#define VALUE(set, name)
#define USES(call, argument, set) {#call, #argument, #set},
#include "kernel/trace_names.def"
};

void tracetext_add(struct tracetext *x, const char *fmt, ...)
{
	size_t room = sizeof(x->text) - x->size;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(x->text + x->size, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		x->size += MIN((size_t)n, room - 1);
}

void tracetext_string(struct tracetext *x, struct span s)
{
	static const char escapes[] = "\"\\\n\r\t";
	static const char letters[] = "\"\\nrt";

	tracetext_add(x, "\"");
	for (size_t i = 0; i < MIN(s.size, SHOWN); i++) {
		uint8_t c = s.at[i];
		const char *e = c ? strchr(escapes, c) : NULL;

		if (e)
			tracetext_add(x, "\\%c", letters[e - escapes]);
		else if (c >= ' ' && c < 127)
			tracetext_add(x, "%c", c);
		else
			tracetext_add(x, "\\x%02x", c);
	}
	tracetext_add(x, s.size > SHOWN ? "\"..." : "\"");
}

static void address(struct tracetext *x, uaddr_t at)
{
	if (at.raw)
		tracetext_add(x, "0x%llx", (unsigned long long)at.raw);
	else
		tracetext_add(x, "NULL");
}

void tracetext_bytes(struct tracetext *x, struct task *t, uaddr_t at,
                     uint64_t size)
{
	uint8_t bytes[SHOWN];
	size_t n = MIN(size, sizeof(bytes));

	if (!at.raw || user_read(t, at, bytes, n) < 0) {
		address(x, at);
		return;
	}
	tracetext_string(x, (struct span){bytes, n});
	if (size > n)
		tracetext_add(x, "...");
}

void tracetext_path(struct tracetext *x, struct task *t, uaddr_t at)
{
	char path[512];
	long n = at.raw ? user_string(t, at, path, sizeof(path)) : -EFAULT;

	if (n < 0)
		address(x, at);
	else
		tracetext_string(x, (struct span){(uint8_t *)path, (size_t)n});
}

/* ---- structures ---- */

static void show_mode(struct tracetext *x, uint32_t mode)
{
	static const char *const kinds[16] = {
		[S_IFIFO >> 12] = "S_IFIFO|",   [S_IFCHR >> 12] = "S_IFCHR|",
		[S_IFDIR >> 12] = "S_IFDIR|",   [S_IFBLK >> 12] = "S_IFBLK|",
		[S_IFREG >> 12] = "S_IFREG|",   [S_IFLNK >> 12] = "S_IFLNK|",
		[S_IFSOCK >> 12] = "S_IFSOCK|",
	};
	const char *kind = kinds[mode >> 12 & 15];

	tracetext_add(x, "%s0%o", kind ? kind : "", mode & 07777);
}

static void show_stat(struct tracetext *x, const void *from)
{
	const abi_stat *s = from;

	tracetext_add(x, "{st_mode=");
	show_mode(x, s->mode);
	tracetext_add(x, ", st_size=%lld, ...}", (long long)s->size);
}

static void show_statx(struct tracetext *x, const void *from)
{
	const abi_statx *s = from;

	tracetext_add(x, "{stx_mode=");
	show_mode(x, s->mode);
	tracetext_add(x, ", stx_size=%llu, ...}", (unsigned long long)s->size);
}

static void show_timespec(struct tracetext *x, const void *from)
{
	const abi_timespec *s = from;

	tracetext_add(x, "{%lld, %lld}", (long long)s->sec, (long long)s->nsec);
}

static void show_fdpair(struct tracetext *x, const void *from)
{
	const abi_fdpair *s = from;

	tracetext_add(x, "[%d, %d]", s->fd[0], s->fd[1]);
}

static void show_int(struct tracetext *x, const void *from)
{
	const abi_int *s = from;

	tracetext_add(x, "[%d]", *s);
}

static void show_pollfd(struct tracetext *x, const void *from)
{
	const abi_pollfd *s = from;

	tracetext_add(x, "{fd=%d, events=0x%hx, revents=0x%hx}", s->fd,
	              (unsigned short)s->events, (unsigned short)s->revents);
}

static void show_rlimit(struct tracetext *x, const void *from)
{
	const abi_rlimit *s = from;

	tracetext_add(x, "{%lld, %lld}", (long long)s->cur, (long long)s->max);
}

static void show_sigaction(struct tracetext *x, const void *from)
{
	const abi_sigaction *s = from;

	if (s->handler < 2)
		tracetext_add(x, "{%s", s->handler ? "SIG_IGN" : "SIG_DFL");
	else
		tracetext_add(x, "{0x%llx", (unsigned long long)s->handler);
	tracetext_add(x, ", flags=0x%llx}", (unsigned long long)s->flags);
}

static void show_sigset(struct tracetext *x, const void *from)
{
	const abi_sigset *s = from;

	tracetext_add(x, "[0x%llx]", (unsigned long long)*s);
}

static void show_iovec(struct tracetext *x, const void *from)
{
	const abi_iovec *s = from;

	tracetext_add(x, "{0x%llx, %llu}", (unsigned long long)s->base,
	              (unsigned long long)s->size);
}

static void show_epoll(struct tracetext *x, const void *from)
{
	const abi_epoll_event *s = from;

	tracetext_add(x, "{events=0x%x, data=0x%llx}", s->events,
	              (unsigned long long)s->data);
}

/* Types of channel/abi.h that are shown; the others by address. */
static const struct shape {
	const char *type;
	size_t size;
	void (*show)(struct tracetext *x, const void *from);
} shapes[] = {
	{"abi_stat", sizeof(abi_stat), show_stat},
	{"abi_statx", sizeof(abi_statx), show_statx},
	{"abi_timespec", sizeof(abi_timespec), show_timespec},
	{"abi_timeval", sizeof(abi_timeval), show_timespec},
	{"abi_fdpair", sizeof(abi_fdpair), show_fdpair},
	{"abi_int", sizeof(abi_int), show_int},
	{"abi_pollfd", sizeof(abi_pollfd), show_pollfd},
	{"abi_rlimit", sizeof(abi_rlimit), show_rlimit},
	{"abi_sigaction", sizeof(abi_sigaction), show_sigaction},
	{"abi_sigset", sizeof(abi_sigset), show_sigset},
	{"abi_iovec", sizeof(abi_iovec), show_iovec},
	{"abi_epoll_event", sizeof(abi_epoll_event), show_epoll},
};

void tracetext_record(struct tracetext *x, struct task *t, const char *type,
                      uaddr_t at)
{
	uint64_t record[64];

	for (size_t i = 0; at.raw && i < ARRAY_LEN(shapes); i++) {
		const struct shape *s = &shapes[i];

		assert(s->size <= sizeof(record));
		if (strcmp(s->type, type) == 0 &&
		    user_read(t, at, record, s->size) == 0) {
			s->show(x, record);
			return;
		}
	}
	address(x, at);
}

/* ---- names ---- */

static void show_signal(struct tracetext *x, uint64_t value)
{
	const char *abbrev = sigabbrev_np((int)value);

	if (abbrev)
		tracetext_add(x, "SIG%s", abbrev);
	else
		tracetext_add(x, "%d", (int)value);
}

static void show_set(struct tracetext *x, const char *set, uint64_t value)
{
	const char *join = "";
	uint64_t flags = 0, left = value & 0xffffffffu;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].flag && strcmp(names[i].set, set) == 0)
			flags |= names[i].value;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct name *n = &names[i];
		uint64_t mask = n->flag ? n->value : ~flags & 0xffffffffu;

		if (strcmp(n->set, set) != 0 || (left & mask) != n->value)
			continue;
		if (n->flag && n->value == 0)
			continue;
		tracetext_add(x, "%s%s", join, n->name);
		left &= ~n->value;
		join = "|";
		if (!n->flag)
			left &= flags;
	}
	if (left || !*join)
		tracetext_add(x, left > 9 ? "%s0x%llx" : "%s%llu", join,
		              (unsigned long long)left);
}

bool tracetext_named(struct tracetext *x, const char *call,
                     const char *argument, uint64_t value)
{
	for (size_t i = 0; i < ARRAY_LEN(uses); i++) {
		const struct use *u = &uses[i];

		if (strcmp(u->call, call) != 0 ||
		    strcmp(u->argument, argument) != 0)
			continue;
		if (strcmp(u->set, "signal") == 0)
			show_signal(x, value);
		else
			show_set(x, u->set, value);
		return true;
	}
	return false;
}

const char *tracetext_errno(long err)
{
	return err < 0 && err > -4096 ? strerrorname_np((int)-err) : NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cell/stub/pages.h"

#include <linux/mman.h>
#include <linux/shm.h>

#include "cell/stub/ask.h"
#include "cell/stub/leases.h"
#include "cell/stub/parts.h"
#include "cell/stub/ranges.h"
#include "cell/stub/x86_64/host.h"

#define PAGE      4096ULL
#define PAGE_MASK (~(PAGE - 1))
#define BEYOND    (1ULL << 43) /* no object is as large */

/*
 * Flags that mean something here.  Huge pages of the host's pool are not the
 * guest's to take, locking memory neither; both are requests one may ignore.
 */
#define FLAGS_KEPT                                                          \
	(MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_STACK | \
	 MAP_NORESERVE | MAP_POPULATE | MAP_FIXED_NOREPLACE)
#define PROT_KEPT (PROT_READ | PROT_WRITE | PROT_EXEC)

static bool fixed(uint64_t flags)
{
	return flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
}

static bool failed(long got)
{
	return got < 0 && got >= -4095;
}

/* Maps under the lock where old code may vanish or new code appear. */
static long map_locked(uint64_t addr, uint64_t size, uint64_t prot,
                       uint64_t flags, int fd, uint64_t offset)
{
	struct process *p = area_process();
	bool code = fd >= 0 && (prot & PROT_EXEC) && !(prot & PROT_WRITE) &&
	            (flags & MAP_TYPE) == MAP_PRIVATE;
	long got;

	if (!code && !(flags & MAP_FIXED))
		return host(SYS_mmap, addr, size, prot, flags, fd, offset);

	lock_take(&p->memory);
	got = host(SYS_mmap, addr, size, prot, flags, fd, offset);
	if (!failed(got)) {
		uint64_t lo = (uint64_t)got;
		uint64_t hi = round_up(lo + size, PAGE);

		ranges_drop(lo, hi);
		parts_drop(lo, hi);
		if (code && (prot & PROT_READ))
			ranges_add(lo, hi);
	}
	lock_give(&p->memory);
	return got;
}

static void note_part(long at, uint64_t size)
{
	struct process *p = area_process();

	lock_take(&p->memory);
	parts_add((uint64_t)at, (uint64_t)at + size);
	lock_give(&p->memory);
}

/*
 * Maps a file that is a part of an object.  Behind its last page there is
 * nothing, so a range that goes on gets there what every file has beyond its
 * end: pages that raise SIGBUS.
 */
static long map_part(const uint64_t arg[6], uint64_t prot, uint64_t flags,
                     const struct leases_object *o)
{
	uint64_t size = round_up(arg[1], PAGE), offset = arg[5];
	uint64_t end = round_up(o->size, PAGE);
	uint64_t first = offset < end ? MIN(size, end - offset) : 0;
	long got, err;

	if (offset & ~PAGE_MASK || offset > BEYOND)
		return offset & ~PAGE_MASK ? -EINVAL : -EOVERFLOW;
	if (first == size) {
		got = map_locked(arg[0], size, prot, flags, o->fd,
		                 o->from + offset);
		if (!failed(got))
			note_part(got, size);
		return got;
	}
	got = map_locked(arg[0], size, prot, flags, o->fd, BEYOND);
	if (failed(got) || first == 0)
		return got;
	flags = (flags & MAP_TYPE) | MAP_FIXED;
	err = map_locked((uint64_t)got, first, prot, flags, o->fd,
	                 o->from + offset);
	if (failed(err))
		return err;
	note_part(got, size);
	return got;
}

long pages_mmap(struct area *a, const uint64_t arg[6])
{
	uint64_t addr = arg[0], size = arg[1];
	uint64_t prot = arg[2] & PROT_KEPT;
	uint64_t flags = arg[3] & FLAGS_KEPT;
	struct leases_object o;
	long err, got;

	if (size == 0 || size > LAYOUT_LO + (LAYOUT_LO >> 3))
		return size == 0 ? -EINVAL : -ENOMEM;
	if (arg[3] & MAP_HUGETLB)
		return -ENOMEM;
	if ((arg[3] & MAP_TYPE) == MAP_SHARED_VALIDATE) {
		if (arg[3] &
		    ~(uint64_t)(FLAGS_KEPT | MAP_LOCKED | MAP_NONBLOCK |
		                MAP_DENYWRITE | MAP_EXECUTABLE))
			return -EOPNOTSUPP;
		flags = (flags & ~(uint64_t)MAP_TYPE) | MAP_SHARED;
	}
	if (area_ours(addr, size)) {
		if (fixed(flags))
			return -ENOMEM;
		addr = 0;
	}
	if (flags & MAP_ANONYMOUS)
		return map_locked(addr, size, prot, flags, -1, 0);

	err = leases_object(a, (int32_t)arg[4], prot, flags, &o);
	if (err == -ENODATA) /* zeros: as good as no file */
		return map_locked(addr, size, prot, flags | MAP_ANONYMOUS, -1,
		                  0);
	if (err < 0)
		return err;
	if (o.part)
		got = map_part((const uint64_t[6]){addr, size, 0, 0, 0, arg[5]},
		               prot, flags, &o);
	else
		got = map_locked(addr, size, prot, flags, o.fd, arg[5]);
	if (o.temporary)
		host(SYS_close, o.fd);
	return got;
}

long pages_munmap(const uint64_t arg[6])
{
	struct process *p = area_process();
	long got;

	if (area_ours(arg[0], arg[1]))
		return -EINVAL;
	lock_take(&p->memory);
	got = host(SYS_munmap, arg[0], arg[1]);
	if (got == 0) {
		ranges_drop(arg[0], round_up(arg[0] + arg[1], PAGE));
		parts_drop(arg[0], round_up(arg[0] + arg[1], PAGE));
	}
	lock_give(&p->memory);
	return got;
}

/*
 * A segment is mapped like a file; the kernel is told where, and says at the
 * end how much to unmap.
 */
long pages_shmat(struct area *a, const uint64_t arg[6])
{
	uint64_t addr = arg[1], flags = arg[2], size;
	uint64_t prot = PROT_READ, how = MAP_SHARED;
	bool temporary;
	long fd, got, err;

	if (flags & SHM_RND)
		addr &= PAGE_MASK;
	if ((addr & ~PAGE_MASK) || (addr == 0 && (flags & SHM_REMAP)))
		return -EINVAL;
	if (addr != 0)
		how |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	if (!(flags & SHM_RDONLY))
		prot |= PROT_WRITE;
	if (flags & SHM_EXEC)
		prot |= PROT_EXEC;
	fd = leases_segment(a, (int32_t)arg[0], flags, &temporary, &size);
	if (fd < 0)
		return fd;
	if (addr != 0 && area_ours(addr, size))
		got = -EINVAL;
	else
		got = map_locked(addr, size, prot, how, (int)fd, 0);
	if (temporary)
		host(SYS_close, fd);
	if (failed(got))
		return got == -EEXIST ? -EINVAL : got;
	err = ask_op(a, SYS_shmat, arg[0], (uint64_t)got, flags);
	if (failed(err))
		host(SYS_munmap, got, size);
	return failed(err) ? err : got;
}

long pages_shmdt(struct area *a, const uint64_t arg[6])
{
	long size = ask_op(a, SYS_shmdt, arg[0]);

	if (failed(size))
		return size;
	return pages_munmap((const uint64_t[6]){arg[0], (uint64_t)size});
}

long pages_mprotect(const uint64_t arg[6])
{
	struct process *p = area_process();
	uint64_t prot = arg[2] & ~(uint64_t)PROT_SEM;
	uint64_t low = arg[0], size = arg[1];
	long got;

	if (arg[1] && area_ours(arg[0], arg[1]))
		return -ENOMEM;
	if (arg[2] & ~(uint64_t)(PROT_KEPT | PROT_SEM | PROT_GROWSDOWN))
		return -EINVAL;
	/* From there down: our stack is as large as it gets already. */
	if ((prot & PROT_GROWSDOWN) && low >= p->stack_low &&
	    low < p->stack_high) {
		size += low - p->stack_low;
		low = p->stack_low;
		prot &= ~(uint64_t)PROT_GROWSDOWN;
	}
	lock_take(&p->memory);
	got = host(SYS_mprotect, low, size, prot);
	if (got == 0)
		ranges_drop(low, round_up(low + size, PAGE));
	lock_give(&p->memory);
	return got;
}

long pages_mremap(const uint64_t arg[6])
{
	struct process *p = area_process();
	uint64_t flags = arg[3];
	uint64_t end = round_up(arg[0] + arg[1], PAGE);
	bool part;
	long got;

	if (flags &
	    ~(uint64_t)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
		return -EINVAL;
	if (area_ours(arg[0], arg[1]) || area_ours(arg[0], arg[2]))
		return -EINVAL;
	if ((flags & MREMAP_FIXED) && area_ours(arg[4], arg[2]))
		return -EINVAL;
	lock_take(&p->memory);
	part = parts_touch(arg[0], end);
	/* Behind the file lie others: see parts.h. */
	if (part && round_up(arg[2], PAGE) > round_up(arg[1], PAGE))
		got = -ENOMEM;
	else
		got = host(SYS_mremap, arg[0], arg[1], arg[2], flags, arg[4]);
	if (!failed(got)) {
		uint64_t to = round_up((uint64_t)got + arg[2], PAGE);

		ranges_drop(arg[0], end);
		ranges_drop((uint64_t)got, to);
		parts_drop((uint64_t)got, to);
		if (part)
			parts_add((uint64_t)got, to);
	}
	lock_give(&p->memory);
	return got;
}

/* Advice the host may hear; see seccomp.def. */
static bool advice_ok(uint64_t advice)
{
	return advice < 64 && (PAGES_ADVICE >> advice & 1);
}

long pages_madvise(const uint64_t arg[6])
{
	if (!advice_ok((uint32_t)arg[2]))
		return -EINVAL;
	if (arg[1] && area_ours(arg[0], arg[1]))
		return -ENOMEM;
	return host(SYS_madvise, arg[0], arg[1], (uint32_t)arg[2]);
}

long pages_msync(const uint64_t arg[6])
{
	if (arg[2] & ~(uint64_t)(MS_ASYNC | MS_INVALIDATE | MS_SYNC))
		return -EINVAL;
	return host(SYS_msync, arg[0], arg[1], arg[2]);
}

long pages_mincore(const uint64_t arg[6])
{
	return host(SYS_mincore, arg[0], arg[1], arg[2]);
}

void pages_start_brk(uint64_t start)
{
	struct process *p = area_process();

	p->brk_start = p->brk = p->brk_mapped = round_up(start, PAGE);
}

/* Moves the end of what is mapped to `end`.  Returns whether it worked. */
static bool move_brk(struct process *p, uint64_t end)
{
	uint64_t at = p->brk_mapped;
	long got;

	if (end < at) {
		host(SYS_munmap, end, at - end);
	} else if (end > at) {
		if (area_ours(at, end - at))
			return false;
		got = host(SYS_mmap, at, end - at, PROT_READ | PROT_WRITE,
		           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		           -1, 0);
		if (got != (long)at)
			return false;
	}
	p->brk_mapped = end;
	return true;
}

long pages_brk(uint64_t addr)
{
	struct process *p = area_process();
	long brk;

	lock_take(&p->memory);
	if (addr >= p->brk_start && addr < LAYOUT_LO &&
	    move_brk(p, round_up(addr, PAGE)))
		p->brk = addr;
	brk = (long)p->brk;
	lock_give(&p->memory);
	return brk;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cell/stub/load.h"

#include <linux/auxvec.h>
#include <linux/elf.h>
#include <linux/mman.h>

#include "cell/stub/ask.h"
#include "cell/stub/end.h"
#include "cell/stub/pages.h"
#include "cell/stub/patch.h"
#include "cell/stub/ranges.h"
#include "cell/stub/x86_64/entry.h"
#include "cell/stub/x86_64/host.h"
#include "channel/image.h"

#define PAGE       4096ULL
#define PAGE_MASK  (~(PAGE - 1))
#define USER_BEGIN 0x10000ULL
#define USER_END   0x7ffffffff000ULL
#define PIE_BASE   0x555555554000ULL
#define PIE_RANDOM 0xfffffffULL /* pages: where a PIE may begin */

#define HEADERS_MAX 64u
#define ALIGN_MAX   0x40000000ULL

#define STACK_MIN   0x20000ULL
#define STACK_MAX   0x400000000ULL
#define STACK_USUAL 0x800000ULL
#define STACK_GUARD 0x100000ULL

/* Programs are told to set GS by a call, which we then know of. */
#define HWCAP2_HIDDEN 2u

/* What has become of one ELF file. */
struct loaded {
	uint64_t entry;
	uint64_t base; /* where its first byte would lie */
	uint64_t end;
	uint64_t headers; /* AT_PHDR */
	uint16_t header_count;
	bool exec_stack;
};

struct elf {
	int32_t fd;
	uint64_t from, size; /* the bytes of `fd` that are the file */
	Elf64_Ehdr head;
	Elf64_Phdr seg[HEADERS_MAX];
};

static _Noreturn void give_up(struct area *a)
{
	end_by_signal(a, SIG_SEGV);
}

/* Are these bytes in the file? */
static bool inside(const struct elf *e, uint64_t at, uint64_t size)
{
	return at <= e->size && size <= e->size - at;
}

static bool read_all(const struct elf *e, void *to, uint64_t size, uint64_t at)
{
	return inside(e, at, size) &&
	       host(SYS_pread64, e->fd, to, size, e->from + at) == (long)size;
}

static bool read_headers(struct elf *e)
{
	const Elf64_Ehdr *h = &e->head;

	if (!read_all(e, &e->head, sizeof(e->head), 0))
		return false;
	if (h->e_ident[0] != 0x7f || h->e_ident[1] != 'E' ||
	    h->e_ident[2] != 'L' || h->e_ident[3] != 'F' ||
	    h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_machine != EM_X86_64)
		return false;
	if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
		return false;
	if (h->e_phentsize != sizeof(e->seg[0]) || h->e_phnum == 0 ||
	    h->e_phnum > HEADERS_MAX)
		return false;
	return read_all(e, e->seg, h->e_phnum * sizeof(e->seg[0]), h->e_phoff);
}

/* The extent of all segments.  Returns false if that makes no sense. */
static bool extent(const struct elf *e, uint64_t *lo, uint64_t *hi,
                   uint64_t *align)
{
	*lo = UINT64_MAX;
	*hi = 0;
	*align = PAGE;
	for (unsigned i = 0; i < e->head.e_phnum; i++) {
		const Elf64_Phdr *s = &e->seg[i];
		uint64_t end;

		if (s->p_type != PT_LOAD || s->p_memsz == 0)
			continue;
		if (s->p_filesz > s->p_memsz ||
		    (s->p_filesz &&
		     ((s->p_vaddr ^ s->p_offset) & (PAGE - 1))) ||
		    __builtin_add_overflow(s->p_vaddr, s->p_memsz, &end) ||
		    end > USER_END)
			return false;
		*lo = MIN(*lo, s->p_vaddr & PAGE_MASK);
		*hi = MAX(*hi, round_up(end, PAGE));
		if (s->p_align > *align && s->p_align <= ALIGN_MAX &&
		    !(s->p_align & (s->p_align - 1)))
			*align = s->p_align;
	}
	return *lo < *hi;
}

static bool map_fixed(uint64_t at, uint64_t size, uint64_t prot, uint64_t flags,
                      int32_t fd, uint64_t offset)
{
	if (area_ours(at, size) || at < PAGE)
		return false;
	return host(SYS_mmap, at, size, prot, MAP_FIXED | MAP_PRIVATE | flags,
	            fd, offset) == (long)at;
}

/*
 * Reserves room for a file that may lie anywhere.  Returns where it goes, or 0
 * on failure.  Around `hint` if that is not 0.
 */
static uint64_t reserve(uint64_t size, uint64_t align, uint64_t hint)
{
	const uint64_t flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	uint64_t room, at;
	long got;

	if (hint) {
		hint = round_up(hint, align);
		got = host(SYS_mmap, hint, size, PROT_NONE,
		           flags | MAP_FIXED_NOREPLACE, -1, 0);
		if (got == (long)hint)
			return hint;
	}
	if (__builtin_add_overflow(size, align - PAGE, &room))
		return 0;
	got = host(SYS_mmap, 0, room, PROT_NONE, flags, -1, 0);
	if (got < 0)
		return 0;
	at = round_up((uint64_t)got, align);
	if (at > (uint64_t)got)
		host(SYS_munmap, got, at - (uint64_t)got);
	if ((uint64_t)got + room > at + size)
		host(SYS_munmap, at + size, (uint64_t)got + room - (at + size));
	return at;
}

static uint64_t protection(uint32_t flags)
{
	return (flags & PF_R ? PROT_READ : 0) |
	       (flags & PF_W ? PROT_WRITE : 0) | (flags & PF_X ? PROT_EXEC : 0);
}

/* Clears what follows the file's bytes on their last page. */
static bool clear_tail(uint64_t from, uint64_t to)
{
	static const uint8_t zeros[256];
	uint64_t n;

	for (; from < to; from += n) {
		n = MIN(to - from, sizeof(zeros));
		if (guard_copy((void *)from, zeros, n))
			return false;
	}
	return true;
}

static bool map_segment(const struct elf *e, const Elf64_Phdr *s, uint64_t bias)
{
	uint64_t prot = protection(s->p_flags);
	uint64_t at = s->p_vaddr + bias;
	uint64_t page = at & PAGE_MASK;
	uint64_t file_end = at + s->p_filesz;
	uint64_t end = at + s->p_memsz;
	uint64_t bss = page;

	if (s->p_filesz) {
		bss = round_up(file_end, PAGE);
		if (!inside(e, s->p_offset, s->p_filesz) ||
		    !map_fixed(page, file_end - page, prot, 0, e->fd,
		               e->from + (s->p_offset & PAGE_MASK)))
			return false;
		if (prot == (PROT_READ | PROT_EXEC))
			ranges_add(page, bss);
		/* A read-only tail is nobody's to rely on. */
		if (end > file_end && (prot & PROT_WRITE) &&
		    !clear_tail(file_end, bss))
			return false;
	}
	if (end > bss)
		return map_fixed(bss, round_up(end, PAGE) - bss, prot,
		                 MAP_ANONYMOUS, -1, 0);
	return true;
}

/* The program (0) or its interpreter (1). */
static bool map_elf(const struct image *im, const int32_t *file, size_t which,
                    uint64_t hint, struct loaded *out)
{
	struct elf e;
	uint64_t lo, hi, align;
	uint64_t bias = 0;

	e.fd = file[which];
	e.from = im->from[which];
	e.size = im->size[which];
	if (!read_headers(&e) || !extent(&e, &lo, &hi, &align))
		return false;
	if (e.head.e_type == ET_DYN) {
		uint64_t at = reserve(hi - lo, align, hint);

		if (!at)
			return false;
		bias = at - lo;
	}
	*out = (struct loaded){
		.entry = e.head.e_entry + bias,
		.base = lo + bias,
		.end = hi + bias,
		.header_count = e.head.e_phnum,
	};
	for (unsigned i = 0; i < e.head.e_phnum; i++) {
		const Elf64_Phdr *s = &e.seg[i];

		if (s->p_type == PT_GNU_STACK)
			out->exec_stack = s->p_flags & PF_X;
		if (s->p_type != PT_LOAD || s->p_memsz == 0)
			continue;
		if (!map_segment(&e, s, bias))
			return false;
		if (e.head.e_phoff >= s->p_offset &&
		    e.head.e_phoff - s->p_offset < s->p_filesz)
			out->headers = s->p_vaddr + bias + e.head.e_phoff -
			               s->p_offset;
	}
	return true;
}

/* Unmaps all that is not ours or the host's. */
static void drop_old(const struct process *p)
{
	host(SYS_munmap, 0, LAYOUT_LO);
	host(SYS_munmap, LAYOUT_HI, p->vdso_lo - LAYOUT_HI);
	host(SYS_munmap, p->vdso_hi, USER_END - p->vdso_hi);
}

/* A new program begins with none of the old one's arrangements. */
static void forget_old(struct area *a)
{
	struct process *p = area_process();

	end_robust_list(a);
	p->memory = p->socket = p->threads = (struct lock){0};
	a->holds_socket = a->holds_threads = false;
	a->vfork_child = false;
	a->clear_tid = 0;
	a->alt = (struct altstack){.size = 0};
	for (size_t i = 0; i < ARRAY_LEN(p->lease); i++)
		if (p->lease[i])
			p->lease[i] = 0;
	patch_reset();
	area_forget_others(a);
	drop_old(p);
}

/* Maps a stack of `size` bytes.  Returns the end of it, or 0. */
static uint64_t map_stack_of(uint64_t size, uint64_t prot)
{
	struct process *p = area_process();
	long got;

	got = host(SYS_mmap, 0, size + STACK_GUARD, PROT_NONE,
	           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1,
	           0);
	if (got < 0)
		return 0;
	if (host(SYS_mprotect, (uint64_t)got + STACK_GUARD, size, prot) < 0) {
		host(SYS_munmap, got, size + STACK_GUARD);
		return 0;
	}
	p->stack_low = (uint64_t)got + STACK_GUARD;
	p->stack_high = p->stack_low + size;
	return p->stack_high;
}

/*
 * Maps the stack, as large as its limit says if that is possible.  Returns the
 * address behind its last byte, or 0.
 */
static uint64_t map_stack(const struct image *im, bool exec)
{
	uint64_t prot = PROT_READ | PROT_WRITE | (exec ? PROT_EXEC : 0);
	uint64_t size = im->stack_size > STACK_MAX ? STACK_USUAL
	                                           : im->stack_size;
	uint64_t top;

	size = round_up(MAX(size, STACK_MIN) + im->strings_size, PAGE);
	top = map_stack_of(size, prot);
	if (!top && size > STACK_USUAL)
		top = map_stack_of(
			round_up(STACK_USUAL + im->strings_size, PAGE), prot);
	return top;
}

struct words {
	uint64_t *at;
};

static void put(struct words *w, uint64_t value)
{
	*w->at++ = value;
}

static void put_aux(struct words *w, uint64_t type, uint64_t value)
{
	put(w, type);
	put(w, value);
}

static const char *after(const char *s)
{
	while (*s++)
		;
	return s;
}

/* Puts the addresses of `count` strings; returns what follows them. */
static const char *put_strings(struct words *w, const char *s, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		put(w, (uint64_t)s);
		s = after(s);
	}
	put(w, 0);
	return s;
}

/* Where things of the new stack lie. */
struct stack {
	const char *strings;
	uint64_t random;
	uint64_t platform;
	uint64_t sp;
};

static void put_auxv(struct words *w, const struct image *im,
                     const struct loaded *prog, const struct loaded *interp,
                     const struct stack *st)
{
	const struct process *p = area_process();

	put_aux(w, AT_SYSINFO_EHDR, p->vdso);
	put_aux(w, AT_MINSIGSTKSZ, p->min_stack);
	put_aux(w, AT_HWCAP, p->hwcap);
	put_aux(w, AT_PAGESZ, PAGE);
	put_aux(w, AT_CLKTCK, 100);
	put_aux(w, AT_PHDR, prog->headers);
	put_aux(w, AT_PHENT, sizeof(Elf64_Phdr));
	put_aux(w, AT_PHNUM, prog->header_count);
	put_aux(w, AT_BASE, interp ? interp->base : 0);
	put_aux(w, AT_FLAGS, 0);
	put_aux(w, AT_ENTRY, prog->entry);
	put_aux(w, AT_UID, im->uid);
	put_aux(w, AT_EUID, im->euid);
	put_aux(w, AT_GID, im->gid);
	put_aux(w, AT_EGID, im->egid);
	put_aux(w, AT_SECURE, im->secure);
	put_aux(w, AT_RANDOM, st->random);
	put_aux(w, AT_HWCAP2, p->hwcap2 & ~(uint64_t)HWCAP2_HIDDEN);
	put_aux(w, AT_EXECFN, (uint64_t)st->strings);
	put_aux(w, AT_PLATFORM, st->platform);
	put_aux(w, AT_NULL, 0);
}

#define AUX_WORDS 42u

/* Copies the strings and AT_RANDOM to the stack and finds room for the rest. */
static void lay_out(const struct image *im, const void *strings, uint64_t top,
                    struct stack *st)
{
	static const char platform[16] = "x86_64";
	uint64_t at = top - 16 - im->strings_size;
	uint64_t words = 1 + im->argc + 1 + im->envc + 1 + AUX_WORDS;

	__builtin_memcpy((void *)at, strings, im->strings_size);
	st->strings = (const char *)at;
	at = ((at - (host_random() & 0x1ff0)) & ~15ULL) - 16;
	__builtin_memcpy((void *)at, im->random, sizeof(im->random));
	st->random = at;
	at -= sizeof(platform);
	__builtin_memcpy((void *)at, platform, sizeof(platform));
	st->platform = at;
	st->sp = (at - words * sizeof(uint64_t)) & ~15ULL;
}

/* Goes to the program's first instruction, with every register fresh. */
static _Noreturn void enter(const struct area *a, uint64_t ip, uint64_t sp)
{
	struct context c = {
		.uc_flags = CONTEXT_FLAGS,
		.rip = ip,
		.rsp = sp,
		.eflags = 0x202,
		.cs = CONTEXT_CS,
		.ss = CONTEXT_SS,
		.stack = {.sp = (uint64_t)a + AREA_STACK,
	                  .size = LAYOUT_THREAD_SIZE - AREA_STACK},
	};

	host_set_fs(0);
	host_set_gs((uint64_t)a);
	entry_continue(&c);
}

static const struct image *image_of(const struct area *a)
{
	return (const void *)area_window(a);
}

/* Where the packed strings are: in the window, or in a memory file. */
static const void *find_strings(const struct area *a, const struct image *im,
                                int32_t fd)
{
	long got;

	if (!im->strings_sent)
		return area_window(a) + IMAGE_STRINGS;
	got = host(SYS_mmap, 0, im->strings_size, PROT_READ, MAP_SHARED, fd, 0);
	return got < 0 ? NULL : (const void *)got;
}

static void load_from(struct area *a, const int32_t fd[3])
{
	const struct image im = *image_of(a);
	const int32_t *file = fd + im.strings_sent;
	struct loaded prog, interp;
	const void *strings;
	struct stack st;
	struct words w;
	uint64_t top;

	forget_old(a);
	if (!map_elf(&im, file, 0,
	             PIE_BASE + (host_random() & PIE_RANDOM) * PAGE, &prog))
		give_up(a);
	pages_start_brk(prog.end);
	if (im.has_interp && !map_elf(&im, file, 1, 0, &interp))
		give_up(a);
	strings = find_strings(a, &im, fd[0]);
	top = map_stack(&im, prog.exec_stack);
	if (!strings || !top)
		give_up(a);

	lay_out(&im, strings, top, &st);
	w.at = (uint64_t *)st.sp;
	put(&w, im.argc);
	put_strings(&w, put_strings(&w, after(st.strings), im.argc), im.envc);
	atomic_store_explicit(&a->slot->auxv_start, (uint64_t)w.at,
	                      memory_order_relaxed);
	put_auxv(&w, &im, &prog, im.has_interp ? &interp : NULL, &st);
	atomic_store_explicit(&a->slot->stack_start, st.sp,
	                      memory_order_relaxed);
	atomic_store_explicit(&a->slot->brk_start, area_process()->brk_start,
	                      memory_order_relaxed);
	if (im.strings_sent)
		host(SYS_munmap, strings, im.strings_size);
	for (int i = 0; i < 3; i++)
		if (fd[i] >= 0)
			host(SYS_close, fd[i]);
	enter(a, im.has_interp ? interp.entry : prog.entry, st.sp);
}

/* On a stack of its own: the old one may be deep in a handler. */
static void load_afresh(void *arg)
{
	struct area *a = arg;
	const struct image *im = image_of(a);
	int32_t fd[3] = {-1, -1, -1};
	int want = 1 + im->has_interp + im->strings_sent;

	if (ask_receive(fd, 3, false) != want)
		give_up(a);
	load_from(a, fd);
	__builtin_unreachable();
}

void load_image(struct area *a)
{
	entry_switch(a, (void *)(a->stack_top - 64), load_afresh);
}

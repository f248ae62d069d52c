/* SPDX-License-Identifier: Apache-2.0 */
#include "cell/stub/patch.h"

#include <linux/membarrier.h>
#include <linux/mman.h>

#include "cell/stub/parts.h"
#include "cell/stub/ranges.h"
#include "cell/stub/x86_64/decode.h"
#include "cell/stub/x86_64/entry.h"
#include "cell/stub/x86_64/host.h"

#define NEVER       0x80000000u /* hits of a site that cannot be patched */
#define JUMP_SIZE   5u
#define PADDING_MAX 12u /* bytes looked at behind the jump */
#define TAIL_MAX    24u /* bytes moved from behind a syscall */
#define POOL_REACH  0x70000000ULL
#define POOL_STEP   0x100000ULL   /* below, where nothing grows to */
#define POOL_ABOVE  0x20000000ULL /* above, where the heap may grow */
#define POOL_TRIES  64u

enum form { MOV_FORM = 1, TAIL_FORM = 2 };

/* At the end of each trampoline. */
struct record {
	uint64_t site;   /* the guest's syscall instruction */
	uint8_t form;    /* enum form */
	uint8_t gs_load; /* offset of the load that may fault */
	uint8_t resume;  /* TAIL_FORM: offset of the moved instructions */
	uint8_t tail;    /* TAIL_FORM: and their size */
	uint8_t pad[4];
};

#define RECORD_AT (POOL_SLOT - sizeof(struct record))

struct code {
	uint8_t byte[POOL_SLOT];
	size_t size;
};

static struct pool *pool_of(uint64_t ip)
{
	struct process *p = area_process();
	uint64_t base = ip & ~(uint64_t)(POOL_SIZE - 1);

	for (uint32_t i = 0; i < p->pool_count; i++)
		if (p->pool[i].base == base)
			return &p->pool[i];
	return NULL;
}

/* The record of the trampoline that `ip` is in, or NULL. */
static const struct record *record_of(uint64_t ip)
{
	uint64_t slot = ip & ~(uint64_t)(POOL_SLOT - 1);

	if (!pool_of(ip) || slot == (ip & ~(uint64_t)(POOL_SIZE - 1)))
		return NULL;
	return (const struct record *)(slot + RECORD_AT);
}

uint64_t patch_guest_ip(uint64_t ip)
{
	const struct record *r = record_of(ip);
	uint64_t off = ip & (POOL_SLOT - 1);

	if (!r)
		return ip;
	if (r->form == MOV_FORM)
		return r->site - JUMP_SIZE;
	if (off < r->resume)
		return r->site;
	off -= r->resume;
	return r->site + 2 + MIN(off, (uint64_t)r->tail);
}

uint64_t patch_native_ip(uint64_t ip)
{
	const struct record *r;
	uint64_t site = ip - 2;
	uint8_t jump[JUMP_SIZE];
	int32_t distance;

	if (area_process()->pool_count == 0 ||
	    guard_copy(jump, (const void *)site, sizeof(jump)) ||
	    jump[0] != 0xe9)
		return ip;
	__builtin_memcpy(&distance, jump + 1, sizeof(distance));
	r = record_of(site + JUMP_SIZE + (uint64_t)(int64_t)distance);
	if (!r || r->form != TAIL_FORM || r->site != site)
		return ip;
	return ((uint64_t)r & ~(uint64_t)(POOL_SLOT - 1)) + r->resume;
}

/* A fetch from text that is being rewritten: over when we get the lock. */
static bool being_patched(uint64_t ip)
{
	struct process *p = area_process();
	bool ours;

	lock_take(&p->memory);
	ours = ranges_find(ip) || pool_of(ip);
	lock_give(&p->memory);
	return ours;
}

bool patch_fault(int sig, struct context *c)
{
	const struct record *r;
	uint64_t ip;

	if (sig == SIG_ILL) {
		ip = patch_native_ip(c->rip);
		if (ip == c->rip)
			return false;
		c->rip = ip;
		return true;
	}
	if (sig != SIG_SEGV)
		return false;
	if ((c->err & FAULT_FETCH) && being_patched(c->rip))
		return true;
	r = record_of(c->rip);
	if (!r || (c->rip & (POOL_SLOT - 1)) != r->gs_load)
		return false;
	/* GS is foreign and leads nowhere: trap. */
	c->rip = r->form == MOV_FORM ? r->site
	                             : (c->rip & ~(uint64_t)(POOL_SLOT - 1)) +
	                                       r->resume - 2;
	return true;
}

void patch_reset(void)
{
	struct process *p = area_process();

	p->range_count = 0;
	parts_clear();
	p->pool_count = 0;
	for (size_t i = 0; i < ARRAY_LEN(p->hot); i++)
		if (p->hot[i].site)
			p->hot[i] = (struct hot){0};
}

/* Opcodes that 64-bit processors do not have. */
static bool undefined_opcode(uint8_t byte)
{
	static const uint8_t list[] = {0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e,
	                               0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60,
	                               0x61, 0x82, 0xce, 0xd4};

	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		if (list[i] == byte)
			return true;
	return false;
}

/* Claims a slot of `q` that a jump at `from` may lead to.  0: none. */
static uint64_t claim_slot(struct pool *q, uint64_t from, enum form form)
{
	for (uint32_t i = 1; i < POOL_SLOTS; i++) {
		uint64_t at = q->base + i * POOL_SLOT;
		uint64_t distance = at - (from + JUMP_SIZE);

		if (q->used[i / 64] >> (i % 64) & 1)
			continue;
		if (form == TAIL_FORM &&
		    !undefined_opcode((uint8_t)(distance >> 8)))
			continue;
		q->used[i / 64] |= 1ULL << (i % 64);
		return at;
	}
	return 0;
}

/* Maps a pool at `at`.  Returns it, or NULL if something is there. */
static struct pool *map_pool(uint64_t at)
{
	struct process *p = area_process();
	struct pool *q = &p->pool[p->pool_count];
	long got;

	at &= ~(uint64_t)(POOL_SIZE - 1);
	if (at < POOL_SIZE || at >= 1ULL << 47 || area_ours(at, POOL_SIZE))
		return NULL;
	got = host(SYS_mmap, at, POOL_SIZE, PROT_READ | PROT_WRITE,
	           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (got != (long)at)
		return NULL;
	*q = (struct pool){.base = at};
	*(uint64_t *)at = (uint64_t)entry_fast;
	p->pool_count++;
	return q;
}

/*
 * Maps a pool within reach of `near`: below, so that it is not in the way of
 * the heap, in small steps where there is little room.
 */
static struct pool *make_pool(uint64_t near)
{
	uint64_t step = near < POOL_TRIES * POOL_STEP ? POOL_SIZE : POOL_STEP;
	struct pool *q = NULL;

	if (area_process()->pool_count == PROCESS_POOLS)
		return NULL;
	for (uint64_t i = 1; !q && i <= POOL_TRIES; i++)
		q = near > i * step ? map_pool(near - i * step) : NULL;
	for (uint64_t i = 1; !q && i * POOL_ABOVE < POOL_REACH; i++)
		q = map_pool(near + i * POOL_ABOVE);
	return q;
}

static uint64_t find_slot(uint64_t from, enum form form)
{
	struct process *p = area_process();
	struct pool *q;
	uint64_t at;

	for (uint32_t i = 0; i < p->pool_count; i++) {
		uint64_t base = p->pool[i].base;
		uint64_t away = base > from ? base - from : from - base;

		if (away > POOL_REACH)
			continue;
		at = claim_slot(&p->pool[i], from, form);
		if (at)
			return at;
	}
	q = make_pool(from);
	return q ? claim_slot(q, from, form) : 0;
}

static void put(struct code *k, const void *bytes, size_t size)
{
	__builtin_memcpy(k->byte + k->size, bytes, size);
	k->size += size;
}

#define PUT(k, ...)                            \
	put(k, (const uint8_t[]){__VA_ARGS__}, \
	    sizeof((const uint8_t[]){__VA_ARGS__}))

/* The distance from the end of a four-byte field to `target`. */
static void put_distance(struct code *k, uint64_t at, uint64_t target)
{
	int32_t distance = (int32_t)(target - (at + k->size + 4));

	put(k, &distance, sizeof(distance));
}

/* Leaves rcx zero if GS is ours. */
static void put_gs_check(struct code *k, struct record *r)
{
	PUT(k, 0xf3, 0x48, 0x0f, 0xae, 0xc9); /* rdgsbase %rcx */
	r->gs_load = (uint8_t)k->size;
	/* mov %gs:AREA_MINUS_SELF, %r11 */
	PUT(k, 0x65, 0x4c, 0x8b, 0x1c, 0x25, AREA_MINUS_SELF, 0, 0, 0);
	PUT(k, 0x4a, 0x8d, 0x0c, 0x19); /* lea (%rcx,%r11), %rcx */
}

/* lea resume(%rip), %rcx; jmp *entry_fast, by way of the pool's first word */
static void put_entry(struct code *k, uint64_t at, uint64_t resume)
{
	PUT(k, 0x48, 0x8d, 0x0d);
	put_distance(k, at, resume);
	PUT(k, 0xff, 0x25);
	put_distance(k, at, at & ~(uint64_t)(POOL_SIZE - 1));
}

static void build_mov_form(struct code *k, struct record *r, uint64_t at,
                           uint32_t nr)
{
	r->form = MOV_FORM;
	PUT(k, 0xb8); /* mov $nr, %eax */
	put(k, &nr, sizeof(nr));
	put_gs_check(k, r);
	PUT(k, 0xe3, 5); /* jrcxz over the jump */
	PUT(k, 0xe9);
	put_distance(k, at, r->site);
	put_entry(k, at, r->site + 2);
}

static void build_tail_form(struct code *k, struct record *r, uint64_t at,
                            size_t tail, bool ends)
{
	r->form = TAIL_FORM;
	r->tail = (uint8_t)tail;
	put_gs_check(k, r);
	PUT(k, 0xe3, 2);  /* jrcxz over the jump */
	PUT(k, 0xeb, 13); /* jmp over what put_entry() writes */
	put_entry(k, at, at + k->size + 15);
	PUT(k, 0x0f, 0x05); /* syscall */
	r->resume = (uint8_t)k->size;
	put(k, (const void *)(r->site + 2), tail);
	if (!ends) {
		PUT(k, 0xe9);
		put_distance(k, at, r->site + 2 + tail);
	}
}

/* Writes into text of [lo, hi) that is executable again afterwards. */
static bool rewrite(uint64_t lo, uint64_t hi, uint64_t at, const void *bytes,
                    size_t size)
{
	if (host(SYS_mprotect, lo, hi - lo, PROT_READ | PROT_WRITE) < 0)
		return false;
	__builtin_memcpy((void *)at, bytes, size);
	/* Where the flush needs no interrupt, serialise the others here. */
	host(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
	host(SYS_mprotect, lo, hi - lo, PROT_READ | PROT_EXEC);
	return true;
}

/* The least length of the padding at `code`; 0 if it is none. */
static size_t padding(const uint8_t *code)
{
	size_t n = 0;

	if (code[0] == 0xcc)
		return 1;
	while (n < 10 && (code[n] == 0x66 || code[n] == 0x2e))
		n++;
	if (code[n] == 0x90)
		return n + 1;
	return code[n] == 0x0f && code[n + 1] == 0x1f ? n + 3 : 0;
}

/*
 * How many bytes behind the syscall must move, or 0 if that is not possible.
 * No instruction may begin in the last two bytes of the jump, since a branch
 * could lead there.
 */
static size_t tail_size(uint64_t site, uint64_t end, bool *ends)
{
	const uint8_t *code = (const uint8_t *)site;
	size_t size = 2;

	*ends = false;
	while (size < JUMP_SIZE && !*ends) {
		size_t n = decode_length(code + size, end - site - size, ends);

		if (n == 0)
			return 0;
		size += n;
		if (size < JUMP_SIZE && !*ends)
			return 0;
	}
	/* After a return there must be padding to take. */
	for (size_t at = size; at < JUMP_SIZE;) {
		size_t n = padding(code + at);

		if (n == 0)
			return 0;
		at += n;
	}
	return size - 2 <= TAIL_MAX ? size - 2 : 0;
}

/* Does `mov $nr, %eax` end at the site? */
static bool follows_mov(uint64_t site, uint64_t begin, uint32_t nr)
{
	const uint8_t *code = (const uint8_t *)site;
	uint32_t imm;

	if (site - begin < JUMP_SIZE + 1)
		return false;
	__builtin_memcpy(&imm, code - 4, sizeof(imm));
	return code[-5] == 0xb8 && imm == nr && (code[-6] & 0xf0) != 0x40;
}

/* Rewrites one site if that is possible.  Returns whether it did. */
static bool patch_site(uint64_t site, uint32_t nr)
{
	const struct range *range = ranges_find(site);
	const uint8_t *code = (const uint8_t *)site;
	struct record r = {.site = site};
	struct code k = {.size = 0};
	uint8_t jump[JUMP_SIZE] = {0xe9};
	uint64_t from, at, pool;
	int32_t distance;
	size_t tail = 0;
	bool ends = false;

	if (!range || range->hi - site < JUMP_SIZE + PADDING_MAX ||
	    site - range->lo < JUMP_SIZE)
		return false;
	/* Another thread may have been faster. */
	if (code[0] != 0x0f || code[1] != 0x05 || code[-5] == 0xe9)
		return false;
	from = site;
	if (follows_mov(site, range->lo, nr)) {
		from = site - JUMP_SIZE;
	} else {
		tail = tail_size(site, range->hi, &ends);
		if (tail == 0)
			return false;
	}
	at = find_slot(from, from == site ? TAIL_FORM : MOV_FORM);
	if (!at)
		return false;
	if (from == site)
		build_tail_form(&k, &r, at, tail, ends);
	else
		build_mov_form(&k, &r, at, nr);
	__builtin_memcpy(k.byte + RECORD_AT, &r, sizeof(r));
	pool = at & ~(uint64_t)(POOL_SIZE - 1);
	if (!rewrite(pool, pool + POOL_SIZE, at, k.byte, sizeof(k.byte)))
		return false;
	distance = (int32_t)(at - (from + JUMP_SIZE));
	__builtin_memcpy(jump + 1, &distance, sizeof(distance));
	return rewrite(range->lo, range->hi, from, jump, sizeof(jump));
}

void patch_count(uint64_t site, uint64_t nr)
{
	struct process *p = area_process();
	uint32_t limit = atomic_load_explicit(&area_notice()->patch_hits,
	                                      memory_order_relaxed);
	struct hot *h = &p->hot[(site * 0x9e3779b97f4a7c15ULL) >> 54];
	uint32_t hits;

	if (limit == 0)
		return;
	if (atomic_load_explicit(&h->site, memory_order_relaxed) != site) {
		atomic_store_explicit(&h->site, site, memory_order_relaxed);
		atomic_store_explicit(&h->hits, 0, memory_order_relaxed);
	}
	hits = atomic_load_explicit(&h->hits, memory_order_relaxed) + 1;
	if (hits & NEVER)
		return;
	atomic_store_explicit(&h->hits, hits, memory_order_relaxed);
	if (hits < limit)
		return;

	lock_take(&p->memory);
	atomic_store_explicit(&h->hits, NEVER, memory_order_relaxed);
	patch_site(site, (uint32_t)nr);
	lock_give(&p->memory);
}

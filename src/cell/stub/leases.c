/* SPDX-License-Identifier: Apache-2.0 */
#include "cell/stub/leases.h"

#include "cell/stub/ask.h"
#include "cell/stub/x86_64/host.h"
#include "channel/place.h"

/*
 * lease[fd]: nothing yet; read once; never; else a key with these bits, which
 * none of the three has.
 */
enum { UNSEEN = 0, SEEN_ONCE = 1, NEVER = 2 };

#define LEASED   0x80000000u
#define WRITABLE OP_KEY_WRITABLE

#define MOVE_MAX 0x7ffff000ULL /* one call moves no more */

/* pread64(2) or pwrite64(2). */
struct move {
	bool write;
	uint64_t buf, size, at;
};

/* Key `key` is about to mean another object: no lease may go on using it. */
static void drop_key(struct process *p, uint32_t key)
{
	for (uint32_t fd = 0; fd < PROCESS_LEASES; fd++) {
		uint32_t lease = atomic_load(&p->lease[fd]);

		if ((lease & LEASED) && (lease & OP_KEY_MASK) == key)
			atomic_store(&p->lease[fd], UNSEEN);
	}
	/* Somebody may be reading through it just now: close it later. */
	if (p->stale[p->stale_next])
		host(SYS_close, p->stale[p->stale_next]);
	p->stale[p->stale_next] = p->object[key];
	p->stale_next = (p->stale_next + 1) % PROCESS_STALE;
}

/*
 * Asks for the object behind a guest descriptor.  Returns the kernel's answer,
 * with the host descriptor in *fd; it is remembered under its key if the key
 * is small enough.
 */
static long fetch(struct area *a, uint64_t op, const uint64_t arg[6],
                  int32_t *fd)
{
	struct process *p = area_process();
	uint32_t key;
	long answer;

	ask_lock_socket(a);
	answer = ask(a, op, arg);
	if (answer <= 0)
		goto unlock;
	key = (uint32_t)answer & OP_KEY_MASK;
	if (answer & (long)OP_KEY_SENT) {
		if (ask_receive(fd, 1, false) != 1) {
			answer = -ENFILE;
			goto unlock;
		}
		if (key < PROCESS_OBJECTS) {
			if (p->object[key])
				drop_key(p, key);
			atomic_store(&p->object[key], *fd);
		}
	} else if (key < PROCESS_OBJECTS && p->object[key]) {
		*fd = p->object[key];
	} else {
		answer = -EBADF;
	}
unlock:
	ask_unlock_socket(a);
	return answer;
}

long leases_object(struct area *a, int32_t fd, uint64_t prot, uint64_t flags,
                   struct leases_object *out)
{
	int32_t got = -1;
	long answer;

	answer = fetch(a, OP_object,
	               (const uint64_t[6]){(uint32_t)fd, prot, flags}, &got);
	if (answer == 0)
		return -ENODATA;
	if (answer < 0)
		return answer;
	out->fd = got;
	out->temporary = ((uint32_t)answer & OP_KEY_MASK) >= PROCESS_OBJECTS;
	out->part = answer & OP_KEY_PART;
	out->from = atomic_load(&a->slot->arg[0]);
	out->size = atomic_load(&a->slot->arg[1]);
	return 0;
}

long leases_segment(struct area *a, int32_t id, uint64_t flags, bool *temporary,
                    uint64_t *size)
{
	int32_t got = -1;
	long answer;

	answer = fetch(a, OP_shm, (const uint64_t[6]){(uint32_t)id, flags},
	               &got);
	if (answer <= 0)
		return answer < 0 ? answer : -ENOMEM;
	*size = atomic_load(&a->slot->arg[0]);
	*temporary = ((uint32_t)answer & OP_KEY_MASK) >= PROCESS_OBJECTS;
	return got;
}

/* Asks for a lease of `fd`.  Returns the new lease[fd]. */
static uint32_t ask_lease(struct area *a, uint32_t fd)
{
	int32_t got = -1;
	uint32_t key;
	long answer;

	answer = fetch(a, OP_lease, (const uint64_t[6]){fd}, &got);
	if (answer <= 0)
		return NEVER;
	key = (uint32_t)answer & OP_KEY_MASK;
	if (key >= PROCESS_OBJECTS) {
		host(SYS_close, got);
		return NEVER;
	}
	if (answer & OP_KEY_PART) {
		area_process()->lease_from[fd] = atomic_load(&a->slot->arg[0]);
		area_process()->lease_size[fd] = atomic_load(&a->slot->arg[1]);
	}
	return LEASED | ((uint32_t)answer & (WRITABLE | OP_KEY_PART)) | key;
}

/* pread64(2) of a file that is a part of an object: as if it ended there. */
static long read_part(const struct process *p, uint32_t fd, int32_t held,
                      const struct move *m)
{
	uint64_t from = p->lease_from[fd], size = p->lease_size[fd];

	if ((int64_t)m->at < 0)
		return -EINVAL;
	if (m->at >= size)
		return 0;
	return host(SYS_pread64, held, m->buf, MIN(m->size, size - m->at),
	            from + m->at);
}

static uint32_t age_now(void)
{
	return atomic_load_explicit(&area_notice()->lease_age,
	                            memory_order_acquire);
}

/* A file was replaced somewhere in the qube: perhaps one of ours. */
static void forget_old(struct process *p, uint32_t age)
{
	if (atomic_load_explicit(&p->lease_age, memory_order_acquire) == age)
		return;
	for (uint32_t fd = 0; fd < PROCESS_LEASES; fd++)
		if (atomic_load_explicit(&p->lease[fd], memory_order_relaxed))
			atomic_store(&p->lease[fd], UNSEEN);
	atomic_store(&p->lease_age, age);
}

/* Asks for a lease of what was read for the second time.  Is there one now? */
static bool take_lease(struct area *a, uint32_t fd, uint32_t age,
                       uint32_t *lease)
{
	struct process *p = area_process();
	uint32_t seen = SEEN_ONCE;

	*lease = ask_lease(a, fd);
	/* If it was closed meanwhile, this was another file's. */
	if (!atomic_compare_exchange_strong(&p->lease[fd], &seen, *lease))
		return false;
	if (age_now() == age)
		return true;
	atomic_store(&p->lease[fd], UNSEEN);
	return false;
}

/* The lease of `fd`, which is asked for now if it pays at once. */
static bool find_lease(struct area *a, uint32_t fd, bool pays, uint32_t *lease)
{
	struct process *p = area_process();
	uint32_t age = age_now();

	forget_old(p, age);
	*lease = atomic_load_explicit(&p->lease[fd], memory_order_acquire);
	if (*lease == UNSEEN) {
		if (!atomic_compare_exchange_strong(&p->lease[fd], lease,
		                                    SEEN_ONCE) ||
		    !pays)
			return false;
		*lease = SEEN_ONCE;
	}
	if (*lease == SEEN_ONCE && !take_lease(a, fd, age, lease))
		return false;
	return *lease & LEASED;
}

/* Does what the host does for the lease; false if it must be asked again. */
static bool transfer(uint32_t fd, uint32_t lease, const struct move *m,
                     long *result)
{
	struct process *p = area_process();
	int32_t held = atomic_load(&p->object[lease & OP_KEY_MASK]);

	/* Whose descriptor this is we know only if the lease is still there. */
	if (atomic_load(&p->lease[fd]) != lease)
		return false;
	if (lease & OP_KEY_PART)
		*result = read_part(p, fd, held, m);
	else
		*result = host(m->write ? SYS_pwrite64 : SYS_pread64, held,
		               m->buf, m->size, m->at);
	return *result != -EBADF;
}

bool leases_transfer(struct area *a, bool write, const uint64_t arg[6],
                     long *result)
{
	const struct move m = {write, arg[1], arg[2], arg[3]};
	uint32_t fd = (uint32_t)arg[0];
	uint32_t lease;

	if (fd >= PROCESS_LEASES || a->vfork_child ||
	    !find_lease(a, fd, false, &lease))
		return false;
	if (write && !(lease & WRITABLE))
		return false;
	return transfer(fd, lease, &m, result);
}

/* The position of `fd`, if it was lent to us. */
static _Atomic uint64_t *find_place(const struct area *a, uint32_t fd,
                                    uint64_t *now)
{
	_Atomic uint64_t *word;

	if (fd >= PLACE_COUNT || a->vfork_child)
		return NULL;
	word = place_word((void *)area_process()->channel, fd);
	*now = atomic_load(word);
	return place_loan(*now) ? word : NULL;
}

/* Moves the position before it writes: nobody else writes there then. */
static bool write_on(_Atomic uint64_t *word, uint64_t now, uint32_t fd,
                     uint32_t lease, const struct move *m, long *result)
{
	uint64_t to = now + m->size;
	uint64_t done;

	if (!(lease & WRITABLE) || m->size == 0 ||
	    !atomic_compare_exchange_strong(word, &now, to))
		return false;
	if (!transfer(fd, lease, m, result)) {
		atomic_compare_exchange_strong(word, &to, now);
		return false;
	}
	done = *result < 0 ? 0 : (uint64_t)*result;
	if (done < m->size)
		atomic_compare_exchange_strong(word, &to, now + done);
	return true;
}

bool leases_move(struct area *a, bool write, const uint64_t arg[6],
                 long *result)
{
	uint32_t fd = (uint32_t)arg[0];
	struct move m = {write, arg[1], MIN(arg[2], MOVE_MAX), 0};
	_Atomic uint64_t *word;
	uint64_t now;
	uint32_t lease;

	word = find_place(a, fd, &now);
	if (!word)
		return false;
	m.at = now & PLACE_MAX;
	if (m.at > PLACE_MAX - MOVE_MAX || !find_lease(a, fd, true, &lease))
		return false;
	if (write)
		return write_on(word, now, fd, lease, &m, result);
	if (!transfer(fd, lease, &m, result))
		return false;
	/* Who cannot move it has read for nothing: another was there first. */
	return atomic_compare_exchange_strong(
		word, &now, now + (*result < 0 ? 0 : (uint64_t)*result));
}

bool leases_seek(const struct area *a, const uint64_t arg[6], long *result)
{
	_Atomic uint64_t *word;
	uint64_t now, at, to;

	word = find_place(a, (uint32_t)arg[0], &now);
	if (!word || arg[2] > SEEK_CUR)
		return false;
	at = now & PLACE_MAX;
	to = arg[2] == SEEK_CUR ? at + arg[1] : arg[1];
	if (to > PLACE_MAX)
		return false;
	*result = (long)to;
	return atomic_compare_exchange_strong(word, &now, now - at + to);
}

void leases_drop(const struct area *a, uint32_t first, uint32_t last)
{
	struct process *p = area_process();

	if (a->vfork_child)
		return;
	if (last >= PROCESS_LEASES)
		last = PROCESS_LEASES - 1;
	for (uint32_t fd = first; fd <= last; fd++)
		if (atomic_load_explicit(&p->lease[fd], memory_order_relaxed))
			atomic_store(&p->lease[fd], UNSEEN);
}

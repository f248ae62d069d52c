/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poll(2), select(2) and their kin.
 *
 * Each run asks all files for their state and is put on their queues as it
 * goes; once one has news no further queue is wanted.
 */
#include <asm-generic/resource.h>
#include <linux/poll.h>
#include <string.h>

#include "kernel/core/limits.h"
#include "kernel/fs/fd.h"
#include "kernel/syscall.h"
#include "kernel/task/process.h"
#include "kernel/task/signal.h"
#include "kernel/task/timeout.h"

#define SECOND_NS 1000000000

#define SELECT_IN  (POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR)
#define SELECT_OUT (POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR)
#define SELECT_EX  POLLPRI

#define FEW_FDS   32 /* of poll, on the stack */
#define FEW_WORDS 16 /* of select: 1024 descriptors */

/*
 * Done with a file, or not: another thread that closes it meanwhile must not
 * end what its other end sees, nor the waiting.
 */
static void put(struct task *t, struct file *f)
{
	if (t->first_run && t->looked_up_count > TASK_KEPT &&
	    fd_table_shared(t->fds))
		fd_hold(t, f);
	else
		file_put(f);
}

/* The events of one entry that hold; negative descriptors are passed over. */
static uint16_t look(struct task *t, const abi_pollfd *p, struct poller *on)
{
	uint32_t wanted = (uint16_t)p->events | POLLERR | POLLHUP;
	struct file *f;
	uint32_t got;

	if (p->fd < 0)
		return 0;
	f = fd_get_now(t, p->fd);
	if (!f)
		return POLLNVAL;
	got = file_poll(f, on) & wanted;
	put(t, f);
	return (uint16_t)got;
}

/* One run over all entries: how many have news, or what timeout_sleep says. */
static long look_at_all(struct task *t, abi_pollfd *fds, uint32_t count,
                        bool may_wait)
{
	struct poller on = poller_task(t);
	struct poller off = poller_look(t);
	bool waiting = may_wait && !t->timed_out;
	long found = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint16_t got = look(t, &fds[i], waiting ? &on : &off);

		fds[i].revents = (int16_t)got;
		if (got) {
			found++;
			waiting = false;
		}
	}
	return found > 0 ? found : timeout_sleep(t, may_wait);
}

static long poll_fds(struct task *t, uaddr_t at, uint32_t count, bool may_wait)
{
	size_t size = (size_t)count * sizeof(abi_pollfd);
	abi_pollfd few[FEW_FDS];
	abi_pollfd *fds = few;
	long n;

	if (count > t->process->rlimit[RLIMIT_NOFILE].cur || count > LIMIT_FDS)
		return -EINVAL;
	if (count > FEW_FDS) {
		fds = limits_alloc(t->kernel, size);
		if (!fds)
			return -ENOMEM;
	}
	n = user_read(t, at, fds, size);
	if (n == 0)
		n = look_at_all(t, fds, count, may_wait);
	if (n >= 0 && user_write(t, at, fds, size) < 0)
		n = -EFAULT;
	if (fds != few)
		limits_free(t->kernel, fds, size);
	return n;
}

long sys_poll(struct task *t, const struct args_poll *a)
{
	bool may_wait = timeout_start_ms(t, a->timeout_ms);
	long n = poll_fds(t, a->fds, a->count, may_wait);

	if (n != -ERESTARTSYS)
		return n;
	t->restart.nr = 7; /* poll */
	t->restart.arg[0] = a->fds.raw;
	t->restart.arg[1] = a->count;
	t->restart.arg[2] = (uint32_t)a->timeout_ms;
	t->restart.deadline_ns = t->deadline_ns;
	return -ERESTART_RESTARTBLOCK;
}

/* The blocked set for the length of the call, if one is given. */
static long swap_mask(struct task *t, uaddr_t at, uint64_t size)
{
	abi_sigset mask;

	if (at.raw == 0)
		return 0;
	if (size != sizeof(mask))
		return -EINVAL;
	if (user_read(t, at, &mask, sizeof(mask)) < 0)
		return -EFAULT;
	if (t->first_run)
		signal_mask_swap(t, mask);
	return 0;
}

static long get_timespec(struct task *t, uaddr_t at, abi_timespec *ts)
{
	if (user_read(t, at, ts, sizeof(*ts)) < 0)
		return -EFAULT;
	return timeout_check(ts);
}

/*
 * The end of ppoll and pselect6: tells what is left of the time.  When that
 * cannot be written the call stays what it is, but is not begun again.
 */
static long finish(struct task *t, long n, uaddr_t timeout, bool had_time)
{
	abi_timespec left = {0};

	if (n == -EWAIT)
		return n;
	if (timeout.raw != 0) {
		if (had_time)
			left = timeout_left(t);
		if (user_write(t, timeout, &left, sizeof(left)) < 0 &&
		    n == -ERESTARTSYS)
			return -EINTR;
	}
	return n == -ERESTARTSYS ? -ERESTARTNOHAND : n;
}

long sys_ppoll(struct task *t, const struct args_ppoll *a)
{
	abi_timespec ts;
	bool may_wait = true;
	long err;

	if (a->timeout.raw != 0) {
		err = get_timespec(t, a->timeout, &ts);
		if (err < 0)
			return err;
		may_wait = timeout_start(t, &ts);
	}
	err = swap_mask(t, a->mask, a->sigset_size);
	if (err < 0)
		return err;
	err = poll_fds(t, a->fds, a->count, may_wait);
	return finish(t, err, a->timeout, may_wait);
}

/* The six bit maps of a select: asked for, and found. */
struct sets {
	uint32_t count; /* descriptors */
	size_t words;
	uint64_t *in, *out, *ex;
	uint64_t *got_in, *got_out, *got_ex;
};

static uint32_t wanted_events(const struct sets *s, size_t w, uint64_t bit)
{
	return ((s->in[w] & bit) ? SELECT_IN : 0u) |
	       ((s->out[w] & bit) ? SELECT_OUT : 0u) |
	       ((s->ex[w] & bit) ? SELECT_EX : 0u);
}

/* Notes what holds of one descriptor; returns how many bits that sets. */
static long note(struct sets *s, size_t w, uint64_t bit, uint32_t events)
{
	long found = 0;

	if ((s->in[w] & bit) && (events & SELECT_IN)) {
		s->got_in[w] |= bit;
		found++;
	}
	if ((s->out[w] & bit) && (events & SELECT_OUT)) {
		s->got_out[w] |= bit;
		found++;
	}
	if ((s->ex[w] & bit) && (events & SELECT_EX)) {
		s->got_ex[w] |= bit;
		found++;
	}
	return found;
}

static long select_all(struct task *t, struct sets *s, bool may_wait)
{
	struct poller on = poller_task(t);
	struct poller off = poller_look(t);
	bool waiting = may_wait && !t->timed_out;
	long found = 0;

	for (uint32_t fd = 0; fd < s->count; fd++) {
		size_t w = fd / 64;
		uint64_t bit = 1ull << fd % 64;
		struct file *f;
		long got;

		if (fd % 64 == 0 && !(s->in[w] | s->out[w] | s->ex[w])) {
			fd += 63;
			continue;
		}
		if (!wanted_events(s, w, bit))
			continue;
		f = fd_get_now(t, (int32_t)fd);
		if (!f && t->first_run)
			return -EBADF;
		if (!f)
			continue;
		got = note(s, w, bit, file_poll(f, waiting ? &on : &off));
		put(t, f);
		found += got;
		if (got > 0)
			waiting = false;
	}
	return found > 0 ? found : timeout_sleep(t, may_wait);
}

struct select_args {
	int32_t count;
	uaddr_t in, out, ex;
};

static long take_set(struct task *t, uaddr_t at, uint64_t *to, size_t words)
{
	return at.raw ? user_read(t, at, to, words * sizeof(*to)) : 0;
}

static long give_set(struct task *t, uaddr_t at, const uint64_t *from,
                     size_t words)
{
	return at.raw ? user_write(t, at, from, words * sizeof(*from)) : 0;
}

static long run_select(struct task *t, const struct select_args *a,
                       struct sets *s, bool may_wait)
{
	long n;

	if (take_set(t, a->in, s->in, s->words) < 0 ||
	    take_set(t, a->out, s->out, s->words) < 0 ||
	    take_set(t, a->ex, s->ex, s->words) < 0)
		return -EFAULT;
	n = select_all(t, s, may_wait);
	if (n >= 0 && (give_set(t, a->in, s->got_in, s->words) < 0 ||
	               give_set(t, a->out, s->got_out, s->words) < 0 ||
	               give_set(t, a->ex, s->got_ex, s->words) < 0))
		return -EFAULT;
	return n;
}

static long do_select(struct task *t, const struct select_args *a,
                      bool may_wait)
{
	uint64_t few[6 * FEW_WORDS];
	uint64_t *map = few;
	struct sets s = {0};
	size_t size;
	long n;

	if (a->count < 0)
		return -EINVAL;
	s.count = MIN((uint32_t)a->count, LIMIT_FDS);
	s.words = (s.count + 63) / 64;
	size = 6 * s.words * sizeof(*map);
	if (s.words > FEW_WORDS) {
		map = limits_alloc(t->kernel, size);
		if (!map)
			return -ENOMEM;
	} else {
		memset(few, 0, sizeof(few));
	}
	s.in = map;
	s.out = map + s.words;
	s.ex = map + 2 * s.words;
	s.got_in = map + 3 * s.words;
	s.got_out = map + 4 * s.words;
	s.got_ex = map + 5 * s.words;
	n = run_select(t, a, &s, may_wait);
	if (map != few)
		limits_free(t->kernel, map, size);
	return n;
}

long sys_select(struct task *t, const struct args_select *a)
{
	struct select_args sa = {a->count, a->in, a->out, a->ex};
	bool may_wait = true;
	abi_timeval tv = {0};
	abi_timespec ts;
	long n;

	if (a->timeout.raw != 0) {
		if (user_read(t, a->timeout, &tv, sizeof(tv)) < 0)
			return -EFAULT;
		if (tv.sec < 0 || tv.usec < 0)
			return -EINVAL;
		if (__builtin_add_overflow(tv.sec, tv.usec / 1000000, &ts.sec))
			ts.sec = INT64_MAX;
		ts.nsec = tv.usec % 1000000 * 1000;
		may_wait = timeout_start(t, &ts);
	}
	n = do_select(t, &sa, may_wait);
	if (n == -EWAIT)
		return n;
	if (a->timeout.raw != 0) {
		ts = may_wait ? timeout_left(t) : (abi_timespec){0};
		tv = (abi_timeval){ts.sec, ts.nsec / 1000};
		if (user_write(t, a->timeout, &tv, sizeof(tv)) < 0 &&
		    n == -ERESTARTSYS)
			return -EINTR;
	}
	return n == -ERESTARTSYS ? -ERESTARTNOHAND : n;
}

long sys_pselect6(struct task *t, const struct args_pselect6 *a)
{
	struct select_args sa = {a->count, a->in, a->out, a->ex};
	uint64_t mask[2] = {0, 0}; /* address and size */
	bool may_wait = true;
	abi_timespec ts;
	long err;

	if (a->mask.raw != 0 && user_read(t, a->mask, mask, sizeof(mask)) < 0)
		return -EFAULT;
	if (a->timeout.raw != 0) {
		err = get_timespec(t, a->timeout, &ts);
		if (err < 0)
			return err;
		may_wait = timeout_start(t, &ts);
	}
	err = swap_mask(t, (uaddr_t){mask[0]}, mask[1]);
	if (err < 0)
		return err;
	err = do_select(t, &sa, may_wait);
	return finish(t, err, a->timeout, may_wait);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/timerfd.h"

#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/timerfd.h>
#include <time.h>

#include "kernel/core/limits.h"
#include "kernel/fs/anon.h"

#define SECOND_NS 1000000000

struct timerfd {
	struct kernel *kernel;
	struct timer timer;
	struct waitq wait;
	clockid_t clock;
	uint64_t at;       /* next expiry on `clock`, ns; 0: disarmed */
	uint64_t interval; /* ns; 0: once */
	uint64_t ticks;    /* expiries not read yet, not counting the clock */
	bool expired;      /* the timer fired and was not set since */
};

static uint64_t now(const struct timerfd *tf)
{
	struct timespec ts;

	clock_gettime(tf->clock, &ts);
	return (uint64_t)ts.tv_sec * SECOND_NS + (uint64_t)ts.tv_nsec;
}

static uint64_t to_ns(const abi_timespec *ts)
{
	uint64_t ns;

	if (__builtin_mul_overflow((uint64_t)ts->sec, SECOND_NS, &ns) ||
	    __builtin_add_overflow(ns, (uint64_t)ts->nsec, &ns))
		return INT64_MAX;
	return MIN(ns, (uint64_t)INT64_MAX);
}

static abi_timespec from_ns(uint64_t ns)
{
	return (abi_timespec){(int64_t)(ns / SECOND_NS),
	                      (int64_t)(ns % SECOND_NS)};
}

/* Sets the loop's timer for tf->at.  The two clocks tick alike. */
static int arm(struct timerfd *tf)
{
	uint64_t clock = now(tf);
	uint64_t wait = tf->at > clock ? tf->at - clock : 0;

	return timer_set(&tf->kernel->loop.timers, &tf->timer,
	                 timer_now() + wait);
}

static void expire(struct timerfd *tf)
{
	tf->expired = true;
	tf->ticks++;
	waitq_wake(&tf->wait, POLLIN);
}

static void fire(struct timer *timer)
{
	struct timerfd *tf = container_of(timer, struct timerfd, timer);

	/* The clock may have been put back meanwhile. */
	if (now(tf) >= tf->at || arm(tf) < 0)
		expire(tf);
}

/* Who knows the time need not wait for the loop to notice it. */
static void check(struct timerfd *tf)
{
	if (!timer_is_set(&tf->timer) || now(tf) < tf->at)
		return;
	timer_stop(&tf->kernel->loop.timers, &tf->timer);
	expire(tf);
}

/* Moves a periodic timer that fired past the present, counting. */
static void catch_up(struct timerfd *tf)
{
	uint64_t clock = now(tf), missed = 0;

	if (!tf->expired || tf->interval == 0)
		return;
	if (clock >= tf->at)
		missed = (clock - tf->at) / tf->interval;
	tf->ticks += missed;
	tf->at += (missed + 1) * tf->interval;
	/* There is room: this timer left the heap just now or never did. */
	tf->expired = arm(tf) < 0;
}

static long read_ticks(struct file *f, struct uio *u, int64_t *pos)
{
	struct timerfd *tf = f->private;

	(void)pos;
	if (u->left < sizeof(tf->ticks))
		return -EINVAL;
	check(tf);
	if (tf->ticks == 0)
		return -EAGAIN;
	catch_up(tf);
	if (uio_put(u, &tf->ticks, sizeof(tf->ticks)) < 0)
		return -EFAULT;
	tf->ticks = 0;
	return sizeof(tf->ticks);
}

static uint32_t poll(struct file *f, struct poller *p)
{
	struct timerfd *tf = f->private;

	poller_watch(p, &tf->wait);
	check(tf);
	return tf->ticks > 0 ? POLLIN : 0;
}

static long ioctl(struct file *f, struct task *t, uint32_t cmd, uint64_t arg)
{
	struct timerfd *tf = f->private;
	uint64_t ticks;

	if (cmd != TFD_IOC_SET_TICKS)
		return -ENOTTY;
	if (user_read(t, (uaddr_t){arg}, &ticks, sizeof(ticks)) < 0)
		return -EFAULT;
	if (ticks == 0)
		return -EINVAL;
	tf->ticks = ticks;
	waitq_wake(&tf->wait, POLLIN);
	return 0;
}

static void release(struct file *f)
{
	struct timerfd *tf = f->private;

	timer_stop(&tf->kernel->loop.timers, &tf->timer);
	waitq_fini(&tf->wait);
	limits_free(tf->kernel, tf, sizeof(*tf));
}

static const struct file_ops ops = {
	.read = read_ticks,
	.poll = poll,
	.ioctl = ioctl,
	.release = release,
};

int timerfd_open(struct task *t, int32_t clock, uint32_t flags,
                 struct file **out)
{
	struct timerfd *tf = limits_alloc(t->kernel, sizeof(*tf));
	struct anon_how how = {
		.ops = &ops,
		.private = tf,
		.flags = O_RDWR | (flags & O_NONBLOCK),
		.label = "anon_inode:[timerfd]",
	};
	int err;

	if (!tf)
		return -ENOMEM;
	tf->kernel = t->kernel;
	tf->timer.fire = fire;
	tf->clock = clock;
	if (clock == CLOCK_REALTIME_ALARM)
		tf->clock = CLOCK_REALTIME;
	else if (clock == CLOCK_BOOTTIME_ALARM)
		tf->clock = CLOCK_BOOTTIME;
	waitq_init(&tf->wait);
	err = anon_open(t->kernel, t, &how, out);
	if (err < 0)
		limits_free(t->kernel, tf, sizeof(*tf));
	return err;
}

bool timerfd_is(const struct file *f)
{
	return f->ops == &ops;
}

void timerfd_get(struct file *f, abi_itimerspec *out)
{
	struct timerfd *tf = f->private;
	uint64_t clock;

	catch_up(tf);
	clock = now(tf);
	out->interval = from_ns(tf->interval);
	if (tf->at == 0 || tf->expired)
		out->value = (abi_timespec){0};
	else
		out->value = from_ns(tf->at > clock ? tf->at - clock : 1);
}

long timerfd_set(struct file *f, uint32_t flags, const abi_itimerspec *value,
                 abi_itimerspec *old)
{
	struct timerfd *tf = f->private;
	struct timerfd was = *tf;
	uint64_t at = to_ns(&value->value);
	long err;

	if (old)
		timerfd_get(f, old);
	if (at == 0) {
		timer_stop(&tf->kernel->loop.timers, &tf->timer);
		tf->at = 0;
	} else {
		tf->at = flags & TFD_TIMER_ABSTIME ? at : now(tf) + at;
		err = arm(tf);
		if (err < 0) {
			tf->at = was.at;
			return err;
		}
	}

	/* Nothing below can fail. */
	tf->interval = to_ns(&value->interval);
	tf->ticks = 0;
	tf->expired = false;
	return 0;
}

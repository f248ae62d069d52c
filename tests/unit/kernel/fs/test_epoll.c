/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/epoll.h"

#include <linux/eventpoll.h>
#include <signal.h>
#include <sys/syscall.h>

#include "kernel/fs/fd.h"
#include "kernel/testbed.h"

static int new_set(struct testbed *bed)
{
	long fd = testbed_call(bed, SYS_epoll_create1, 0);

	assert_true(fd >= 0);
	return (int)fd;
}

static int counter(struct testbed *bed, unsigned n)
{
	long fd = testbed_call(bed, SYS_eventfd2, n, 0);

	assert_true(fd >= 0);
	return (int)fd;
}

static void bump(struct testbed *bed, int fd)
{
	uint64_t one = 1;

	assert_int_equal(testbed_call(bed, SYS_write, fd, &one, 8), 8);
}

static void drain(struct testbed *bed, int fd)
{
	uint64_t n;

	assert_int_equal(testbed_call(bed, SYS_read, fd, &n, 8), 8);
}

static long ctl(struct testbed *bed, int ep, int op, int fd, uint32_t events)
{
	abi_epoll_event e = {.events = events, .data = (uint64_t)fd};

	return testbed_call(bed, SYS_epoll_ctl, ep, op, fd, &e);
}

static long add(struct testbed *bed, int ep, int fd, uint32_t events)
{
	return ctl(bed, ep, EPOLL_CTL_ADD, fd, events);
}

static long look(struct testbed *bed, int ep, abi_epoll_event *e, int max)
{
	return testbed_call(bed, SYS_epoll_wait, ep, e, max, 0);
}

static void level_says_it_until_it_is_not_so(void **s)
{
	struct testbed *bed = *s;
	int ep = new_set(bed), fd = counter(bed, 0);
	abi_epoll_event e;

	assert_int_equal(add(bed, ep, fd, EPOLLIN), 0);
	assert_int_equal(look(bed, ep, &e, 1), 0);
	bump(bed, fd);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(look(bed, ep, &e, 1), 1);
		assert_int_equal(e.events, EPOLLIN);
		assert_int_equal(e.data, fd);
	}
	drain(bed, fd);
	assert_int_equal(look(bed, ep, &e, 1), 0);
}

static void edge_says_it_once_for_each_change(void **s)
{
	struct testbed *bed = *s;
	int ep = new_set(bed), fd = counter(bed, 1);
	abi_epoll_event e;

	assert_int_equal(add(bed, ep, fd, EPOLLIN | EPOLLET), 0);
	assert_int_equal(look(bed, ep, &e, 1), 1);
	assert_int_equal(look(bed, ep, &e, 1), 0);
	bump(bed, fd); /* still readable, but news */
	assert_int_equal(look(bed, ep, &e, 1), 1);
	assert_int_equal(look(bed, ep, &e, 1), 0);
	assert_int_equal(ctl(bed, ep, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLET), 0);
	assert_int_equal(look(bed, ep, &e, 1), 1);
}

static void oneshot_wants_to_be_asked_again(void **s)
{
	struct testbed *bed = *s;
	int ep = new_set(bed), fd = counter(bed, 1);
	abi_epoll_event e;

	assert_int_equal(add(bed, ep, fd, EPOLLIN | EPOLLONESHOT), 0);
	assert_int_equal(look(bed, ep, &e, 1), 1);
	bump(bed, fd);
	assert_int_equal(look(bed, ep, &e, 1), 0);
	assert_int_equal(
		ctl(bed, ep, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT), 0);
	assert_int_equal(look(bed, ep, &e, 1), 1);
	assert_int_equal(look(bed, ep, &e, 1), 0);
}

static void who_waits_is_woken(void **s)
{
	struct testbed *bed = *s;
	struct task *t = bed->task, *other = testbed_thread(bed, t);
	int ep = new_set(bed), fd = counter(bed, 0);
	abi_epoll_event e;

	assert_int_equal(add(bed, ep, fd, EPOLLIN), 0);
	assert_int_equal(testbed_call(bed, SYS_epoll_wait, ep, &e, 1, -1),
	                 -EWAIT);
	bed->task = other;
	bump(bed, fd);
	assert_int_equal(testbed_finish(t), 1);
	drain(bed, fd);

	bed->task = t;
	assert_int_equal(testbed_call(bed, SYS_epoll_wait, ep, &e, 1, 1),
	                 -EWAIT);
	assert_int_equal(testbed_wait(t), 0);
}

static void a_signal_interrupts_and_nothing_restarts(void **s)
{
	struct testbed *bed = *s;
	abi_siginfo info = signal_info_kernel(SIGUSR1);
	int ep = new_set(bed);
	abi_epoll_event e;

	bed->task->sighand->action[SIGUSR1].handler = 0x1000;
	assert_int_equal(testbed_call(bed, SYS_epoll_wait, ep, &e, 1, -1),
	                 -EWAIT);
	assert_int_equal(signal_send_task(bed->task, &info, false), 0);
	assert_int_equal(testbed_finish(bed->task), -EINTR);
}

static void all_get_their_turn(void **s)
{
	struct testbed *bed = *s;
	int ep = new_set(bed), fd[5];
	abi_epoll_event e[5];
	uint64_t seen = 0;

	for (int i = 0; i < 5; i++) {
		fd[i] = counter(bed, 1);
		assert_int_equal(add(bed, ep, fd[i], EPOLLIN), 0);
	}
	assert_int_equal(look(bed, ep, e, 2), 2);
	assert_int_equal(look(bed, ep, e + 2, 3), 3);
	for (int i = 0; i < 5; i++)
		seen |= 1ull << e[i].data;
	assert_int_equal(__builtin_popcountll(seen), 5);
	assert_int_equal(look(bed, ep, e, 5), 5);
}

static void a_closed_file_is_gone(void **s)
{
	struct testbed *bed = *s;
	int ep = new_set(bed), fd = counter(bed, 1);
	int twin = counter(bed, 0);
	abi_epoll_event e;

	assert_int_equal(add(bed, ep, fd, EPOLLIN), 0);
	assert_true(fd_replace(bed->task, twin, fd_get(bed->task, fd), false) >=
	            0);
	assert_int_equal(fd_close(bed->task, (int32_t)fd), 0);
	/* The description lives, and is still watched. */
	assert_int_equal(look(bed, ep, &e, 1), 1);
	assert_int_equal(fd_close(bed->task, (int32_t)twin), 0);
	assert_int_equal(look(bed, ep, &e, 1), 0);
	assert_int_equal(add(bed, ep, counter(bed, 0), EPOLLIN), 0);
	assert_int_equal(fd_close(bed->task, (int32_t)ep), 0);
}

static void refuses_what_makes_no_sense(void **s)
{
	struct testbed *bed = *s;
	int ep = new_set(bed), fd = counter(bed, 0);
	abi_epoll_event e;

	assert_int_equal(add(bed, ep, ep, EPOLLIN), -EINVAL);
	assert_int_equal(add(bed, fd, ep, EPOLLIN), -EINVAL);
	assert_int_equal(add(bed, ep, 99, EPOLLIN), -EBADF);
	assert_int_equal(add(bed, 99, fd, EPOLLIN), -EBADF);
	assert_int_equal(ctl(bed, ep, EPOLL_CTL_MOD, fd, EPOLLIN), -ENOENT);
	assert_int_equal(ctl(bed, ep, EPOLL_CTL_DEL, fd, 0), -ENOENT);
	assert_int_equal(ctl(bed, ep, 77, fd, 0), -EINVAL);
	assert_int_equal(add(bed, ep, fd, EPOLLIN), 0);
	assert_int_equal(add(bed, ep, fd, EPOLLIN), -EEXIST);
	assert_int_equal(ctl(bed, ep, EPOLL_CTL_DEL, fd, 0), 0);
	assert_int_equal(add(bed, ep, fd, EPOLLIN | EPOLLEXCLUSIVE), 0);
	assert_int_equal(ctl(bed, ep, EPOLL_CTL_MOD, fd, EPOLLIN), -EINVAL);
	assert_int_equal(look(bed, ep, &e, 0), -EINVAL);
	assert_int_equal(look(bed, fd, &e, 1), -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_epoll_create, 0), -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_epoll_create1, 1), -EINVAL);
}

static void sets_in_sets_pass_news_up(void **s)
{
	struct testbed *bed = *s;
	int outer = new_set(bed), inner = new_set(bed), fd = counter(bed, 0);
	abi_epoll_event e;

	assert_int_equal(add(bed, outer, inner, EPOLLIN), 0);
	assert_int_equal(add(bed, inner, fd, EPOLLIN), 0);
	assert_int_equal(look(bed, outer, &e, 1), 0);
	bump(bed, fd);
	assert_int_equal(look(bed, outer, &e, 1), 1);
	assert_int_equal(e.data, inner);
	drain(bed, fd);
	assert_int_equal(look(bed, outer, &e, 1), 0);
	assert_int_equal(look(bed, inner, &e, 1), 0);
}

static void no_circles_and_no_towers(void **s)
{
	struct testbed *bed = *s;
	int ep[7];

	for (int i = 0; i < 7; i++)
		ep[i] = new_set(bed);
	for (int i = 1; i <= EPOLL_NESTS; i++)
		assert_int_equal(add(bed, ep[i], ep[i - 1], EPOLLIN), 0);
	assert_int_equal(add(bed, ep[5], ep[4], EPOLLIN), -ELOOP);
	assert_int_equal(add(bed, ep[0], ep[6], EPOLLIN), -ELOOP);
	assert_int_equal(add(bed, ep[0], ep[4], EPOLLIN), -ELOOP);
	assert_int_equal(add(bed, ep[1], ep[1], EPOLLIN), -EINVAL);
	assert_int_equal(add(bed, ep[5], ep[3], EPOLLIN), 0);
}

static void many_files_in_one_set(void **s)
{
	struct testbed *bed = *s;
	int ep = new_set(bed), fd[100];
	abi_epoll_event e[100];

	for (int i = 0; i < 100; i++) {
		fd[i] = counter(bed, 0);
		assert_int_equal(add(bed, ep, fd[i], EPOLLIN), 0);
	}
	for (int i = 0; i < 100; i += 3)
		bump(bed, fd[i]);
	assert_int_equal(look(bed, ep, e, 100), 34);
	for (int i = 0; i < 100; i += 2)
		assert_int_equal(ctl(bed, ep, EPOLL_CTL_DEL, fd[i], 0), 0);
	assert_int_equal(look(bed, ep, e, 100), 17);
}

/* Of sets that watch exclusively, one is told, and one whose thread waits. */
static void one_of_the_exclusive_is_woken(void **s)
{
	struct testbed *bed = *s;
	struct task *first = bed->task, *waits[3];
	int fd = counter(bed, 0), ep[3];
	abi_epoll_event e[3];

	for (int i = 0; i < 3; i++) {
		ep[i] = new_set(bed);
		assert_int_equal(add(bed, ep[i], fd, EPOLLIN | EPOLLEXCLUSIVE),
		                 0);
	}
	/* Nobody waits at the first set. */
	for (int i = 1; i < 3; i++) {
		waits[i] = bed->task = testbed_thread(bed, first);
		assert_int_equal(
			testbed_call(bed, SYS_epoll_wait, ep[i], &e[i], 1, -1),
			-EWAIT);
	}
	bed->task = first;
	bump(bed, fd);
	assert_int_equal(testbed_finish(waits[1]), 1);
	assert_int_equal(testbed_finish(waits[2]), -EWAIT);
	bump(bed, fd);
	assert_int_equal(testbed_finish(waits[2]), 1);
	/* Who is not exclusive is told in any case. */
	drain(bed, fd);
	assert_int_equal(look(bed, ep[0], e, 1), 0);
	assert_int_equal(ctl(bed, ep[0], EPOLL_CTL_DEL, fd, 0), 0);
	assert_int_equal(add(bed, ep[0], fd, EPOLLIN), 0);
	for (int i = 0; i < 2; i++) {
		bed->task = waits[i + 1];
		assert_int_equal(
			testbed_call(bed, SYS_epoll_wait, ep[i], &e[i], 1, -1),
			-EWAIT);
	}
	bed->task = first;
	bump(bed, fd);
	assert_int_equal(testbed_finish(waits[1]), 1);
	assert_int_equal(testbed_finish(waits[2]), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(level_says_it_until_it_is_not_so),
		TESTBED(edge_says_it_once_for_each_change),
		TESTBED(oneshot_wants_to_be_asked_again),
		TESTBED(who_waits_is_woken),
		TESTBED(a_signal_interrupts_and_nothing_restarts),
		TESTBED(all_get_their_turn),
		TESTBED(a_closed_file_is_gone),
		TESTBED(refuses_what_makes_no_sense),
		TESTBED(sets_in_sets_pass_news_up),
		TESTBED(no_circles_and_no_towers),
		TESTBED(many_files_in_one_set),
		TESTBED(one_of_the_exclusive_is_woken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

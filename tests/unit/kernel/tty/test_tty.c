/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Terminals through the calls that programs make: ptys, job control, hang-up.
 */
#include "kernel/tty/tty.h"

#include <asm/ioctls.h>
#include <asm/termios.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/fs/device.h"
#include "kernel/testbed.h"

#define MKNOD(bed, name, major, minor)                                      \
	assert_int_equal(testbed_call(bed, SYS_mknod, name, S_IFCHR | 0666, \
	                              DEVICE_MAKE(major, minor)),           \
	                 0)

static uint64_t handler[4] = {0x1000, 0x04000000, 0x2000, 0};

static long open_name(struct testbed *bed, const char *name, int flags)
{
	return testbed_call(bed, SYS_open, name, flags, 0);
}

/* A pair; the program's side is opened with these flags. */
static void open_pair(struct testbed *bed, long *master, long *slave, int flags)
{
	uint32_t n = 99;
	int32_t lock = 0;
	char name[32];

	(void)testbed_call(bed, SYS_mkdir, "/dev", 0755);
	(void)testbed_call(bed, SYS_mknod, "/dev/ptmx", S_IFCHR | 0666,
	                   DEVICE_MAKE(5, 2));
	*master = open_name(bed, "/dev/ptmx", O_RDWR | O_NONBLOCK);
	assert_true(*master >= 0);
	assert_int_equal(testbed_call(bed, SYS_ioctl, *master, TIOCGPTN, &n),
	                 0);
	(void)snprintf(name, sizeof(name), "/dev/%u", n);
	(void)testbed_call(bed, SYS_mknod, name, S_IFCHR | 0666,
	                   DEVICE_MAKE(136, n));
	assert_int_equal(open_name(bed, name, O_RDWR), -EIO); /* locked */
	assert_int_equal(
		testbed_call(bed, SYS_ioctl, *master, TIOCSPTLCK, &lock), 0);
	*slave = open_name(bed, name, flags);
	assert_true(*slave >= 0);
}

static void bytes_go_both_ways(void **state)
{
	struct testbed *bed = *state;
	long master, slave;
	char buf[32];

	open_pair(bed, &master, &slave, O_RDWR | O_NOCTTY);
	assert_int_equal(testbed_call(bed, SYS_read, master, buf, 32), -EAGAIN);
	assert_int_equal(testbed_call(bed, SYS_write, slave, "a\n", 2), 2);
	assert_int_equal(testbed_call(bed, SYS_read, master, buf, 32), 3);
	assert_memory_equal(buf, "a\r\n", 3);
	assert_int_equal(testbed_call(bed, SYS_write, master, "hi\n", 3), 3);
	assert_int_equal(testbed_call(bed, SYS_read, slave, buf, 32), 3);
	assert_memory_equal(buf, "hi\n", 3);
}

static void a_reader_waits_for_a_line(void **state)
{
	struct testbed *bed = *state;
	struct task *reader = testbed_fork(bed, bed->task);
	long master, slave;
	char buf[32];

	open_pair(bed, &master, &slave, O_RDWR | O_NOCTTY);
	(void)reader;
	assert_int_equal(testbed_call(bed, SYS_read, slave, buf, 32), -EWAIT);
	/* The tests' task waits; the terminal is fed from below. */
	{
		struct tty *t = tty_find(&bed->kernel, 0);

		assert_non_null(t);
		assert_int_equal(t->opens, 1);
		waitq_wake(&t->read_wait, POLLIN);
		assert_int_equal(testbed_finish(bed->task), -EWAIT);
		t->in[0] = 'x';
		t->mark[0] = TTY_ENDS;
		t->in_end = t->in_ready = 1;
		waitq_wake(&t->read_wait, POLLIN);
	}
	assert_int_equal(testbed_finish(bed->task), 1);
	assert_int_equal(buf[0], 'x');
}

static void each_side_hears_when_the_other_goes(void **state)
{
	struct testbed *bed = *state;
	long master, slave;
	char buf[8];

	open_pair(bed, &master, &slave, O_RDWR | O_NOCTTY);
	assert_int_equal(testbed_call(bed, SYS_write, slave, "x", 1), 1);
	assert_int_equal(testbed_call(bed, SYS_close, slave), 0);
	/* First what was written, then the error. */
	assert_int_equal(testbed_call(bed, SYS_read, master, buf, 8), 1);
	assert_int_equal(testbed_call(bed, SYS_read, master, buf, 8), -EIO);

	open_pair(bed, &master, &slave, O_RDWR | O_NOCTTY);
	assert_int_equal(testbed_call(bed, SYS_close, master), 0);
	assert_int_equal(testbed_call(bed, SYS_read, slave, buf, 8), 0);
	assert_int_equal(testbed_call(bed, SYS_write, slave, "x", 1), -EIO);
	assert_int_equal(testbed_call(bed, SYS_ioctl, slave, TCGETS, buf),
	                 -EIO);
}

static void packets_carry_news(void **state)
{
	struct testbed *bed = *state;
	long master, slave;
	int32_t on = 1;
	uint8_t buf[8];

	open_pair(bed, &master, &slave, O_RDWR | O_NOCTTY);
	assert_int_equal(testbed_call(bed, SYS_ioctl, master, TIOCPKT, &on), 0);
	assert_int_equal(testbed_call(bed, SYS_write, slave, "x", 1), 1);
	assert_int_equal(testbed_call(bed, SYS_read, master, buf, 8), 2);
	assert_int_equal(buf[0], TIOCPKT_DATA);
	assert_int_equal(buf[1], 'x');
	assert_int_equal(testbed_call(bed, SYS_ioctl, slave, TCXONC, TCOOFF),
	                 0);
	assert_int_equal(testbed_call(bed, SYS_read, master, buf, 8), 1);
	assert_int_equal(buf[0], TIOCPKT_STOP);
	assert_int_equal(testbed_call(bed, SYS_read, master, buf, 8), -EAGAIN);
}

static void a_leader_gets_a_controlling_terminal(void **state)
{
	struct testbed *bed = *state;
	long master, slave, fd;
	int32_t id = 0;

	MKNOD(bed, "/tty", 5, 0);
	(void)testbed_call(bed, SYS_setsid);
	open_pair(bed, &master, &slave, O_RDWR | O_NOCTTY);
	assert_int_equal(open_name(bed, "/tty", O_RDWR), -ENXIO);
	assert_int_equal(testbed_call(bed, SYS_ioctl, slave, TIOCGPGRP, &id),
	                 -ENOTTY);
	assert_int_equal(testbed_call(bed, SYS_ioctl, slave, TIOCSCTTY, 0), 0);
	assert_int_equal(testbed_call(bed, SYS_ioctl, slave, TIOCGPGRP, &id),
	                 0);
	assert_int_equal(id, bed->process->pgrp->id);
	assert_int_equal(testbed_call(bed, SYS_ioctl, slave, TIOCGSID, &id), 0);
	assert_int_equal(id, bed->process->pgrp->session->id);
	fd = open_name(bed, "/tty", O_RDWR);
	assert_true(fd >= 0);
	/* Letting go hangs up on the group, ourselves among them. */
	assert_int_equal(
		testbed_call(bed, SYS_rt_sigaction, SIGHUP, handler, 0, 8), 0);
	assert_int_equal(testbed_call(bed, SYS_ioctl, fd, TIOCNOTTY, 0), 0);
	assert_int_equal(open_name(bed, "/tty", O_RDWR), -ENXIO);
}

static void keys_signal_the_foreground(void **state)
{
	struct testbed *bed = *state;
	long master, slave;

	(void)testbed_call(bed, SYS_setsid);
	open_pair(bed, &master, &slave, O_RDWR);
	assert_int_equal(
		testbed_call(bed, SYS_rt_sigaction, SIGINT, handler, 0, 8), 0);
	assert_int_equal(testbed_call(bed, SYS_write, master, "\003", 1), 1);
	assert_true(signal_pending(bed->task) & SIGNAL_BIT(SIGINT));
}

static void sizes_are_kept_and_told(void **state)
{
	struct testbed *bed = *state;
	struct winsize w = {.ws_row = 11, .ws_col = 22}, got = {0};
	long master, slave;

	(void)testbed_call(bed, SYS_setsid);
	open_pair(bed, &master, &slave, O_RDWR);
	assert_int_equal(
		testbed_call(bed, SYS_rt_sigaction, SIGWINCH, handler, 0, 8),
		0);
	assert_int_equal(testbed_call(bed, SYS_ioctl, master, TIOCSWINSZ, &w),
	                 0);
	assert_int_equal(testbed_call(bed, SYS_ioctl, slave, TIOCGWINSZ, &got),
	                 0);
	assert_int_equal(got.ws_row, 11);
	assert_int_equal(got.ws_col, 22);
	assert_true(signal_pending(bed->task) & SIGNAL_BIT(SIGWINCH));
}

static void the_background_does_not_read(void **state)
{
	struct testbed *bed = *state;
	struct task *leader = bed->task;
	struct task *child;
	long master, slave;
	char buf[8];

	(void)testbed_call(bed, SYS_setsid);
	open_pair(bed, &master, &slave, O_RDWR);
	child = testbed_fork(bed, leader);
	bed->task = child;
	assert_int_equal(testbed_call(bed, SYS_setpgid, 0, 0), 0);
	/* Who blocks the signal gets an error. */
	testbed_block(child, SIGNAL_BIT(SIGTTIN));
	assert_int_equal(testbed_call(bed, SYS_read, slave, buf, 8), -EIO);
	/* Writing is allowed, unless TOSTOP says otherwise. */
	assert_int_equal(testbed_call(bed, SYS_write, slave, "x", 1), 1);
	testbed_block(child, 0);
	assert_int_equal(testbed_call(bed, SYS_read, slave, buf, 8),
	                 -ERESTARTSYS);
	assert_true(signal_pending(child) & SIGNAL_BIT(SIGTTIN) ||
	            child->process->stopped);
	bed->task = leader;
}

static void nobody_types_for_others(void **state)
{
	struct testbed *bed = *state;
	long master, slave;
	char c = 'x';

	open_pair(bed, &master, &slave, O_RDWR | O_NOCTTY);
	assert_int_equal(testbed_call(bed, SYS_ioctl, slave, TIOCSTI, &c),
	                 -EIO);
}

static void settings_are_read_back(void **state)
{
	struct testbed *bed = *state;
	struct termios set, got;
	long master, slave;

	open_pair(bed, &master, &slave, O_RDWR | O_NOCTTY);
	assert_int_equal(testbed_call(bed, SYS_ioctl, slave, TCGETS, &set), 0);
	assert_int_equal(set.c_cc[VINTR], 3);
	set.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
	set.c_cc[VMIN] = 9;
	assert_int_equal(testbed_call(bed, SYS_ioctl, slave, TCSETSF, &set), 0);
	assert_int_equal(testbed_call(bed, SYS_ioctl, master, TCGETS, &got), 0);
	assert_int_equal(got.c_lflag, set.c_lflag);
	assert_int_equal(got.c_cc[VMIN], 9);
	assert_int_equal(testbed_call(bed, SYS_ioctl, slave, 0x1234, 0),
	                 -ENOTTY);
	assert_int_equal(testbed_call(bed, SYS_ioctl, slave, TIOCGPTN, &got),
	                 -ENOTTY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(bytes_go_both_ways),
		TESTBED(a_reader_waits_for_a_line),
		TESTBED(each_side_hears_when_the_other_goes),
		TESTBED(packets_carry_news),
		TESTBED(a_leader_gets_a_controlling_terminal),
		TESTBED(keys_signal_the_foreground),
		TESTBED(sizes_are_kept_and_told),
		TESTBED(the_background_does_not_read),
		TESTBED(nobody_types_for_others),
		TESTBED(settings_are_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

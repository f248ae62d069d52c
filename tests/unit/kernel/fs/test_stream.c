/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/stream.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/fs/fd.h"
#include "kernel/fs/inode.h"
#include "kernel/testbed.h"

static char data[200000], back[sizeof(data)];

static void passes_on_what_a_pipe_brings(void **s)
{
	struct testbed *bed = *s;
	int host[2], fd;
	char buf[8];

	assert_int_equal(pipe(host), 0); /* blocking, as strangers have it */
	fd = testbed_stream(bed, host[0]);
	assert_int_equal(testbed_call(bed, SYS_read, fd, buf, 8), -EWAIT);
	assert_int_equal(write(host[1], "hello", 5), 5);
	assert_int_equal(testbed_wait(bed->task), 5);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(testbed_call(bed, SYS_read, fd, buf, 8), -EWAIT);
	assert_int_equal(close(host[1]), 0);
	assert_int_equal(testbed_wait(bed->task), 0);
	assert_int_equal(testbed_call(bed, SYS_write, fd, buf, 8), -EBADF);
	assert_int_equal(testbed_call(bed, SYS_lseek, fd, 0, 0), -ESPIPE);
}

static void writes_all_of_it(void **s)
{
	struct testbed *bed = *s;
	size_t have = 0;
	int host[2], fd;
	long n;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 3 + i / 255);
	assert_int_equal(pipe(host), 0);
	fd = testbed_stream(bed, host[1]);
	n = testbed_call(bed, SYS_write, fd, data, sizeof(data));
	assert_int_equal(n, -EWAIT);
	while (n == -EWAIT) {
		ssize_t got = read(host[0], back + have, sizeof(back) - have);

		assert_true(got > 0);
		have += (size_t)got;
		while (loop_wait(&bed->kernel.loop, 0) > 0)
			;
		n = testbed_finish(bed->task);
	}
	assert_int_equal(n, sizeof(data));
	while (have < sizeof(data)) {
		ssize_t got = read(host[0], back + have, sizeof(back) - have);

		assert_true(got > 0);
		have += (size_t)got;
	}
	assert_memory_equal(data, back, sizeof(data));
	close(host[0]);
}

static void a_reader_that_left_is_a_signal(void **s)
{
	struct testbed *bed = *s;
	int host[2], fd;

	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, host), 0);
	fd = testbed_stream(bed, host[1]);
	testbed_block(bed->task, SIGNAL_BIT(SIGPIPE));
	assert_int_equal(close(host[0]), 0);
	assert_int_equal(testbed_call(bed, SYS_write, fd, "x", 1), -EPIPE);
	assert_true(signal_pending(bed->task) & SIGNAL_BIT(SIGPIPE));
}

static void a_file_keeps_the_hosts_position(void **s)
{
	struct testbed *bed = *s;
	int host = memfd_create("t", 0), twin = dup(host);
	int fd = testbed_stream(bed, host);
	char buf[8];

	assert_int_equal(write(twin, "before ", 7), 7);
	assert_int_equal(testbed_call(bed, SYS_write, fd, "inside ", 7), 7);
	assert_int_equal(write(twin, "after", 5), 5);
	assert_int_equal(testbed_call(bed, SYS_lseek, fd, 0, SEEK_CUR), 19);
	assert_int_equal(testbed_call(bed, SYS_lseek, fd, 7, SEEK_SET), 7);
	assert_int_equal(testbed_call(bed, SYS_read, fd, buf, 6), 6);
	assert_memory_equal(buf, "inside", 6);
	assert_int_equal(testbed_call(bed, SYS_pread64, fd, buf, 8, 14), 5);
	assert_memory_equal(buf, "after", 5);
	assert_int_equal(lseek(twin, 0, SEEK_CUR), 13);
	close(twin);
}

static void nothing_is_ready_at_once(void **s)
{
	struct testbed *bed = *s;
	int fd = testbed_stream(bed, open("/dev/null", O_RDWR));
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};
	char c;

	assert_int_equal(testbed_call(bed, SYS_read, fd, &c, 1), 0);
	assert_int_equal(testbed_call(bed, SYS_write, fd, "x", 1), 1);
	assert_int_equal(testbed_call(bed, SYS_poll, &p, 1, -1), 1);
	assert_int_equal(p.revents, POLLIN | POLLOUT);
	assert_int_equal(testbed_call(bed, SYS_lseek, fd, 5, SEEK_SET), 0);
	/* There is nothing to wait for, which epoll(7) says at once. */
	assert_int_equal(testbed_call(bed, SYS_epoll_ctl,
	                              testbed_call(bed, SYS_epoll_create1, 0),
	                              EPOLL_CTL_ADD, fd,
	                              &(abi_epoll_event){.events = EPOLLIN}),
	                 -EPERM);
}

static void shows_what_the_host_has(void **s)
{
	struct testbed *bed = *s;
	struct inode *i;
	struct file *f;
	int host[2];

	assert_int_equal(pipe(host), 0);
	f = fd_get(bed->task, testbed_stream(bed, host[0]));
	assert_true(inode_is(f->inode, S_IFIFO));
	assert_int_equal(f->inode->uid, 1000);
	file_put(f);
	close(host[1]);
	f = fd_get(bed->task, testbed_stream(bed, open("/dev/null", O_RDONLY)));
	i = f->inode;
	assert_true(inode_is(i, S_IFCHR));
	assert_int_equal(i->rdev, 0x103);
	assert_int_equal(f->mode & FILE_WRITE, 0);
	file_put(f);
	f = fd_get(bed->task, testbed_stream(bed, open("/dev/zero", O_RDONLY)));
	file_put(f);
}

static void poll_follows_the_host(void **s)
{
	struct testbed *bed = *s;
	int host[2], fd;
	struct pollfd p = {.events = POLLIN};
	char c;

	assert_int_equal(pipe(host), 0);
	p.fd = fd = testbed_stream(bed, host[0]);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(testbed_call(bed, SYS_poll, &p, 1, -1),
		                 -EWAIT);
		assert_int_equal(write(host[1], "x", 1), 1);
		assert_int_equal(testbed_wait(bed->task), 1);
		assert_int_equal(p.revents, POLLIN);
		assert_int_equal(testbed_call(bed, SYS_read, fd, &c, 1), 1);
	}
	close(host[1]);
	assert_int_equal(testbed_call(bed, SYS_poll, &p, 1, -1), 1);
	assert_int_equal(p.revents, POLLHUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(passes_on_what_a_pipe_brings),
		TESTBED(writes_all_of_it),
		TESTBED(a_reader_that_left_is_a_signal),
		TESTBED(a_file_keeps_the_hosts_position),
		TESTBED(nothing_is_ready_at_once),
		TESTBED(shows_what_the_host_has),
		TESTBED(poll_follows_the_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

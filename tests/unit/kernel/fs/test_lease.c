/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/lease.h"

#include <linux/fcntl.h>
#include <linux/mman.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "kernel/fs/inode.h"
#include "kernel/testbed.h"

#define CALL(...)  testbed_call(bed, __VA_ARGS__)
#define IS(n, ...) assert_int_equal(CALL(__VA_ARGS__), n)

#define KEYS 255

/* An operation, while the task has a cell of which we hold the socket. */
static long op(struct testbed *bed, struct cell *c, uint32_t nr, long a, long b,
               long d)
{
	long ret;

	bed->task->cell = c;
	ret = CALL(nr, a, b, d);
	bed->task->cell = NULL;
	return ret;
}

static void make_cell(struct testbed *bed, struct cell *c, int *peer)
{
	int ends[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	*c = (struct cell){.kernel = &bed->kernel, .sock = ends[0]};
	*peer = ends[1];
}

static void end_cell(struct cell *c, int peer)
{
	lease_forget(c);
	close(c->sock);
	close(peer);
}

/* The descriptor that came down, or -1. */
static int received(int peer)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov,
	                   .msg_iovlen = 1,
	                   .msg_control = control,
	                   .msg_controllen = sizeof(control)};
	struct cmsghdr *c;
	int fd;

	if (recvmsg(peer, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
		return -1;
	c = CMSG_FIRSTHDR(&m);
	assert_non_null(c);
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static long opens(struct testbed *bed, const char *name, int flags)
{
	long fd = CALL(SYS_open, name, flags | O_CREAT, 0644);

	assert_true(fd >= 0);
	return fd;
}

static void a_lease_reads_the_file(void **state)
{
	struct testbed *bed = *state;
	char have[8] = {0};
	struct cell c;
	int peer, host;
	long fd, key;

	make_cell(bed, &c, &peer);
	fd = opens(bed, "/f", O_RDWR);
	IS(3, SYS_write, fd, "abc", 3);
	/* Memory files grow by our hand only: no OP_KEY_WRITABLE. */
	key = op(bed, &c, OP_lease, fd, 0, 0);
	assert_int_equal(key, OP_KEY_SENT | 1);
	host = received(peer);
	assert_true(host >= 0);
	assert_int_equal(pread(host, have, sizeof(have), 0), 3);
	assert_string_equal(have, "abc");
	close(host);
	/* The cell has it already, whichever descriptor asks. */
	fd = opens(bed, "/f", O_RDWR);
	key = op(bed, &c, OP_lease, fd, 0, 0);
	assert_int_equal(key, 1);
	assert_int_equal(received(peer), -1);
	end_cell(&c, peer);
}

static void a_lease_writes_where_the_host_keeps_the_size(void **state)
{
	struct testbed *bed = *state;
	char have[4] = {0};
	struct cell c;
	int peer, host;
	long fd, key;

	make_cell(bed, &c, &peer);
	fd = opens(bed, "/f", O_RDWR);
	IS(3, SYS_write, fd, "abc", 3);
	path_inode(&bed->root)->sb->host_writes = true;
	key = op(bed, &c, OP_lease, fd, 0, 0);
	assert_int_equal(key, OP_KEY_SENT | OP_KEY_WRITABLE | 1);
	host = received(peer);
	assert_int_equal(pwrite(host, "ABC", 3, 0), 3);
	close(host);
	IS(3, SYS_pread64, fd, have, 3, 0);
	assert_string_equal(have, "ABC");
	end_cell(&c, peer);
}

static void a_lease_has_no_more_rights_than_the_file(void **state)
{
	struct testbed *bed = *state;
	struct cell c;
	int peer, host;
	long fd, key;

	make_cell(bed, &c, &peer);
	fd = opens(bed, "/f", O_WRONLY);
	IS(3, SYS_write, fd, "abc", 3);
	assert_int_equal(op(bed, &c, OP_lease, fd, 0, 0), -EOPNOTSUPP);
	fd = opens(bed, "/f", O_RDONLY);
	key = op(bed, &c, OP_lease, fd, 0, 0);
	assert_int_equal(key, OP_KEY_SENT | 1);
	host = received(peer);
	assert_int_equal(pwrite(host, "x", 1, 0), -1);
	close(host);
	/* Appending is not what pwrite(2) does for the cell. */
	fd = opens(bed, "/f", O_RDWR | O_APPEND);
	key = op(bed, &c, OP_lease, fd, 0, 0);
	assert_int_equal(key & OP_KEY_WRITABLE, 0);
	fd = CALL(SYS_open, "/", O_RDONLY);
	assert_int_equal(op(bed, &c, OP_lease, fd, 0, 0), -EOPNOTSUPP);
	assert_int_equal(op(bed, &c, OP_lease, 99, 0, 0), -EBADF);
	end_cell(&c, peer);
}

static const struct {
	int open;
	int prot, flags;
	long want; /* 0: a key */
} maps[] = {
	{O_RDONLY, PROT_READ, MAP_PRIVATE, 0},
	{O_RDONLY, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0},
	{O_RDONLY, PROT_READ | PROT_WRITE, MAP_SHARED, -EACCES},
	{O_WRONLY, PROT_WRITE, MAP_SHARED, -EACCES},
	{O_WRONLY, PROT_NONE, MAP_PRIVATE, -EACCES},
	{O_RDWR, PROT_READ | PROT_WRITE, MAP_SHARED, 0},
	{O_PATH, PROT_READ, MAP_PRIVATE, -EBADF},
};

static void mapping_asks_for_the_rights_it_needs(void **state)
{
	struct testbed *bed = *state;
	struct cell c;
	int peer;

	make_cell(bed, &c, &peer);
	IS(1, SYS_write, opens(bed, "/f", O_RDWR), "x", 1);
	for (size_t i = 0; i < ARRAY_LEN(maps); i++) {
		long fd = CALL(SYS_open, "/f", maps[i].open);
		long got = op(bed, &c, OP_object, fd, maps[i].prot,
		              maps[i].flags);
		int host = received(peer);

		if (maps[i].want < 0 ? got != maps[i].want : got <= 0)
			fail_msg("row %zu: got %ld", i, got);
		if (host >= 0)
			close(host);
	}
	end_cell(&c, peer);
}

static void keys_are_given_anew_in_turn(void **state)
{
	struct testbed *bed = *state;
	struct cell c;
	char name[16];
	int peer;
	long fd, key, first = -1;

	make_cell(bed, &c, &peer);
	for (int i = 0; i < KEYS + 2; i++) {
		(void)snprintf(name, sizeof(name), "/f%d", i);
		fd = opens(bed, name, O_RDWR);
		key = op(bed, &c, OP_object, fd, PROT_READ, MAP_SHARED);
		assert_true(key & (long)OP_KEY_SENT);
		assert_int_equal(key & OP_KEY_MASK, i % KEYS + 1);
		close(received(peer));
		if (i == 0)
			first = fd;
		else
			IS(0, SYS_close, fd);
	}
	/* What had key 1 is sent again, under the next. */
	key = op(bed, &c, OP_object, first, PROT_READ, MAP_SHARED);
	assert_int_equal(key, OP_KEY_SENT | 3);
	close(received(peer));
	end_cell(&c, peer);
}

static void a_forked_cell_holds_the_same(void **state)
{
	struct testbed *bed = *state;
	struct cell c, child;
	int peer, other;
	long fd, key;

	make_cell(bed, &c, &peer);
	make_cell(bed, &child, &other);
	fd = opens(bed, "/f", O_RDWR);
	key = op(bed, &c, OP_object, fd, PROT_READ, MAP_SHARED);
	assert_int_equal(key, OP_KEY_SENT | 1);
	close(received(peer));
	lease_inherit(&child, &c);
	key = op(bed, &child, OP_object, fd, PROT_READ, MAP_SHARED);
	assert_int_equal(key, 1);
	end_cell(&child, other);
	end_cell(&c, peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(a_lease_reads_the_file),
		TESTBED(a_lease_writes_where_the_host_keeps_the_size),
		TESTBED(a_lease_has_no_more_rights_than_the_file),
		TESTBED(mapping_asks_for_the_rights_it_needs),
		TESTBED(keys_are_given_anew_in_turn),
		TESTBED(a_forked_cell_holds_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

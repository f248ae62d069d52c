/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/scm.h"

#include "kernel/net/sockets.h"

static uint32_t sockets(struct testbed *bed)
{
	return bed->kernel.net ? bed->kernel.net->count : 0;
}

static void a_file_travels_and_is_the_same(void **state)
{
	struct testbed *bed = *state;
	struct ancillary c;
	char buf[256];
	int flags;
	int via[2];
	int what[2];

	pair(bed, SOCK_STREAM, via);
	pair(bed, SOCK_STREAM, what);
	assert_int_equal(send_fd(bed, via[0], what[0]), 1);
	assert_int_equal(shut(bed, what[0]), 0);
	assert_int_equal(scm_inflight(&bed->kernel), 1);
	assert_int_equal(recv_control(bed, via[1], buf, &c, &flags), 1);
	assert_int_equal(c.size, CMSG_HEAD + 4);
	assert_int_equal(c.type, SCM_RIGHTS);
	assert_int_equal(scm_inflight(&bed->kernel), 0);
	assert_int_equal(put(bed, c.data[0], "same"), 4);
	expect(bed, what[1], "same");
}

static void files_nobody_receives_are_closed(void **state)
{
	struct testbed *bed = *state;
	char buf[256];
	int via[2];
	int what[2];

	pair(bed, SOCK_STREAM, via);
	pair(bed, SOCK_STREAM, what);
	assert_int_equal(send_fd(bed, via[0], what[0]), 1);
	assert_int_equal(shut(bed, what[0]), 0);
	/* read(2) has no place for them. */
	assert_int_equal(testbed_call(bed, __NR_read, via[1], buf, 9), 1);
	scm_settle(&bed->kernel);
	assert_int_equal(get(bed, what[1], buf, MSG_DONTWAIT), 0);
}

static void files_go_with_a_socket_that_goes(void **state)
{
	struct testbed *bed = *state;
	char buf[256];
	int via[2];
	int what[2];

	pair(bed, SOCK_DGRAM, via);
	pair(bed, SOCK_STREAM, what);
	assert_int_equal(send_fd(bed, via[0], what[0]), 1);
	assert_int_equal(shut(bed, what[0]), 0);
	assert_int_equal(shut(bed, via[1]), 0);
	scm_settle(&bed->kernel);
	assert_int_equal(get(bed, what[1], buf, MSG_DONTWAIT), 0);
}

static void without_room_the_files_are_cut(void **state)
{
	struct testbed *bed = *state;
	char buf[256];
	int flags;
	int via[2];

	pair(bed, SOCK_STREAM, via);
	assert_int_equal(send_fd(bed, via[0], via[0]), 1);
	assert_int_equal(recv_control(bed, via[1], buf, NULL, &flags), 1);
	assert_int_equal(flags & MSG_CTRUNC, MSG_CTRUNC);
	scm_settle(&bed->kernel);
	assert_int_equal(scm_inflight(&bed->kernel), 0);
}

static void a_read_ends_at_a_message_with_files(void **state)
{
	struct testbed *bed = *state;
	struct ancillary c;
	char buf[256];
	int flags;
	int via[2];

	pair(bed, SOCK_STREAM, via);
	assert_int_equal(put(bed, via[0], "a"), 1);
	assert_int_equal(send_fd(bed, via[0], via[0]), 1);
	assert_int_equal(put(bed, via[0], "b"), 1);
	assert_int_equal(recv_control(bed, via[1], buf, &c, &flags), 2);
	assert_string_equal(buf, "ax");
	assert_int_equal(c.type, SCM_RIGHTS);
	expect(bed, via[1], "b");
}

static void what_is_no_descriptor_is_refused(void **state)
{
	struct testbed *bed = *state;
	struct ancillary c = {CMSG_HEAD + 4, SOL_SOCKET, SCM_RIGHTS, {0}};
	int via[2];

	pair(bed, SOCK_STREAM, via);
	assert_int_equal(send_fd(bed, via[0], 999), -EBADF);
	c.size = 8; /* shorter than its own head */
	assert_int_equal(send_control(bed, via[0], "x", &c), -EINVAL);
	c.size = 4096;
	assert_int_equal(send_control(bed, via[0], "x", &c), -EINVAL);
	assert_int_equal(scm_inflight(&bed->kernel), 0);
}

static void a_socket_in_its_own_queue_is_collected(void **state)
{
	struct testbed *bed = *state;
	uint32_t before = sockets(bed);
	int fd[2];

	pair(bed, SOCK_STREAM, fd);
	assert_int_equal(send_fd(bed, fd[0], fd[1]), 1);
	assert_int_equal(shut(bed, fd[0]), 0);
	assert_int_equal(shut(bed, fd[1]), 0);
	scm_settle(&bed->kernel);
	assert_int_equal(sockets(bed), before);
	assert_int_equal(scm_inflight(&bed->kernel), 0);
}

static void sockets_in_each_other_s_queues_are_collected(void **state)
{
	struct testbed *bed = *state;
	uint32_t before = sockets(bed);
	int a[2];
	int b[2];

	pair(bed, SOCK_DGRAM, a);
	pair(bed, SOCK_STREAM, b);
	assert_int_equal(send_fd(bed, a[0], b[0]), 1);
	assert_int_equal(send_fd(bed, a[0], b[1]), 1);
	assert_int_equal(send_fd(bed, b[0], a[0]), 1);
	assert_int_equal(send_fd(bed, b[0], a[1]), 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(shut(bed, a[i]), 0);
		assert_int_equal(shut(bed, b[i]), 0);
	}
	scm_settle(&bed->kernel);
	assert_int_equal(sockets(bed), before);
}

static void what_can_still_be_received_is_kept(void **state)
{
	struct testbed *bed = *state;
	struct ancillary c;
	char buf[256];
	int flags;
	int outer[2];
	int inner[2];

	pair(bed, SOCK_STREAM, outer);
	pair(bed, SOCK_STREAM, inner);
	/* inner[1] waits in itself, and is held by outer's queue. */
	assert_int_equal(send_fd(bed, inner[0], inner[1]), 1);
	assert_int_equal(send_fd(bed, outer[0], inner[1]), 1);
	assert_int_equal(shut(bed, inner[1]), 0);
	scm_settle(&bed->kernel);
	assert_int_equal(scm_inflight(&bed->kernel), 2);
	assert_int_equal(recv_control(bed, outer[1], buf, &c, &flags), 1);
	assert_int_equal(recv_control(bed, c.data[0], buf, &c, &flags), 1);
	assert_int_equal(c.type, SCM_RIGHTS);
}

static void an_unaccepted_connection_is_what_its_listener_is(void **state)
{
	struct testbed *bed = *state;
	uint32_t before = sockets(bed);
	int l = make(bed, AF_UNIX, SOCK_STREAM);
	int c = make(bed, AF_UNIX, SOCK_STREAM);

	assert_int_equal(bind_to(bed, l, local("@l")), 0);
	assert_int_equal(testbed_call(bed, __NR_listen, l, 5), 0);
	assert_int_equal(connect_to(bed, c, local("@l")), 0);
	assert_int_equal(send_fd(bed, c, l), 1);
	scm_settle(&bed->kernel);
	assert_int_equal(scm_inflight(&bed->kernel), 1);
	assert_int_equal(shut(bed, l), 0);
	assert_int_equal(shut(bed, c), 0);
	scm_settle(&bed->kernel);
	assert_int_equal(sockets(bed), before);
}

static void a_long_chain_goes_without_recursion(void **state)
{
	struct testbed *bed = *state;
	uint32_t before = sockets(bed);
	int held = -1;

	for (int i = 0; i < 900; i++) {
		int fd[2];

		pair(bed, SOCK_DGRAM, fd);
		if (held >= 0) {
			assert_int_equal(send_fd(bed, fd[0], held), 1);
			assert_int_equal(shut(bed, held), 0);
		}
		assert_int_equal(shut(bed, fd[0]), 0);
		held = fd[1];
	}
	assert_int_equal(shut(bed, held), 0);
	scm_settle(&bed->kernel);
	assert_int_equal(sockets(bed), before);
}

static void ids_are_attached_when_asked_for(void **state)
{
	struct testbed *bed = *state;
	struct ancillary c;
	char buf[256];
	int flags;
	int fd[2];

	testbed_become(bed, 1000);
	pair(bed, SOCK_STREAM, fd);
	assert_int_equal(set(bed, fd[1], SOL_SOCKET, SO_PASSCRED, 1), 0);
	assert_int_equal(put(bed, fd[0], "who"), 3);
	assert_int_equal(recv_control(bed, fd[1], buf, &c, &flags), 3);
	assert_int_equal(c.type, SCM_CREDENTIALS);
	assert_int_equal(c.size, CMSG_HEAD + 12);
	assert_int_equal(c.data[0], bed->process->pid);
	assert_int_equal(c.data[1], 1000);
}

static void ids_may_not_be_invented(void **state)
{
	struct testbed *bed = *state;
	struct ancillary c = {CMSG_HEAD + 12, SOL_SOCKET, SCM_CREDENTIALS, {0}};
	int fd[2];

	testbed_become(bed, 1000);
	pair(bed, SOCK_STREAM, fd);
	c.data[0] = bed->process->pid;
	c.data[1] = 0;
	c.data[2] = 1000;
	assert_int_equal(send_control(bed, fd[0], "x", &c), -EPERM);
	c.data[1] = 1000;
	assert_int_equal(send_control(bed, fd[0], "x", &c), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(a_file_travels_and_is_the_same),
		TESTBED(files_nobody_receives_are_closed),
		TESTBED(files_go_with_a_socket_that_goes),
		TESTBED(without_room_the_files_are_cut),
		TESTBED(a_read_ends_at_a_message_with_files),
		TESTBED(what_is_no_descriptor_is_refused),
		TESTBED(a_socket_in_its_own_queue_is_collected),
		TESTBED(sockets_in_each_other_s_queues_are_collected),
		TESTBED(what_can_still_be_received_is_kept),
		TESTBED(an_unaccepted_connection_is_what_its_listener_is),
		TESTBED(a_long_chain_goes_without_recursion),
		TESTBED(ids_are_attached_when_asked_for),
		TESTBED(ids_may_not_be_invented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

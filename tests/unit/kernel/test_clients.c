/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/clients.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/memfile.h"
#include "channel/job.h"
#include "kernel/owner.h"
#include "kernel/testbed.h"

/* A kernel that lasts, with its owner's connection and a door. */
struct bed {
	struct testbed *kernel;
	struct sockaddr_un door;
	int owner;
};

static void begin(struct bed *b, uid_t uid)
{
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	struct kernel *k;
	int pair[2];

	b->kernel = testbed_create(0);
	k = &b->kernel->kernel;
	k->lasts = true;
	b->door = (struct sockaddr_un){.sun_family = AF_UNIX};
	(void)snprintf(b->door.sun_path + 1, sizeof(b->door.sun_path) - 1,
	               "bento-test-clients.%d", (int)getpid());
	assert_int_equal(
		bind(listener, (struct sockaddr *)&b->door, sizeof(b->door)),
		0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	b->owner = pair[0];
	assert_int_equal(clients_begin(k, pair[1], listener, uid), 0);
	clients_open(k, &b->kernel->root);
}

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	begin(b, getuid());
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	clients_end(&b->kernel->kernel);
	testbed_destroy(b->kernel);
	base_close(&b->owner);
	free(b);
	return 0;
}

static void pump(struct bed *b)
{
	while (loop_wait(&b->kernel->kernel.loop, 0) > 0)
		(void)loop_run_soon(&b->kernel->kernel.loop);
	(void)loop_run_soon(&b->kernel->kernel.loop);
}

static int enter(struct bed *b)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	assert_int_equal(
		connect(fd, (struct sockaddr *)&b->door, sizeof(b->door)), 0);
	pump(b);
	return fd;
}

static void say(struct bed *b, int fd, const struct control *c, int with)
{
	assert_int_equal(control_send(fd, c, &with, with >= 0), 0);
	pump(b);
}

/* What the kernel has said: its kind, 0 for the end, or a negative errno. */
static int hear(int fd, struct control *c)
{
	struct control_fds fds;
	int got = control_receive(fd, CONTROL_KERNEL, c, &fds);

	if (got <= 0)
		return got;
	control_close(&fds);
	return (int)c->kind;
}

static void the_owner_hears_that_the_qube_is_there(void **state)
{
	struct bed *b = *state;
	struct control c;

	assert_int_equal(hear(b->owner, &c), CONTROL_ready);
	assert_int_equal(hear(b->owner, &c), -EAGAIN);
	assert_false(b->kernel->kernel.loop.stop);
	close(b->owner);
	b->owner = -1;
	pump(b);
	assert_true(b->kernel->kernel.loop.stop);
}

static void others_come_and_go(void **state)
{
	struct bed *b = *state;
	struct control ask = {.kind = CONTROL_state, .value = {5}};
	struct control c;
	int one = enter(b), two = enter(b);

	say(b, one, &ask, -1);
	assert_int_equal(hear(one, &c), CONTROL_stated);
	assert_int_equal(c.value[0], 5);
	assert_int_equal(c.value[5], 0);
	close(one);
	pump(b);
	say(b, two, &ask, -1);
	assert_int_equal(hear(two, &c), CONTROL_stated);
	assert_false(b->kernel->kernel.loop.stop);
	ask.kind = CONTROL_kill;
	say(b, two, &ask, -1);
	assert_true(b->kernel->kernel.loop.stop);
	close(two);
}

static void strangers_are_not_let_in(void **state)
{
	struct bed b;
	struct control c;
	int fd;

	(void)state;
	begin(&b, getuid() + 1);
	fd = enter(&b);
	assert_int_equal(hear(fd, &c), 0);
	close(fd);
	clients_end(&b.kernel->kernel);
	testbed_destroy(b.kernel);
	close(b.owner);
}

static void nonsense_ends_only_its_connection(void **state)
{
	struct bed *b = *state;
	struct control c;
	int one = enter(b), two = enter(b);

	assert_int_equal(send(one, "x", 1, 0), 1);
	pump(b);
	assert_int_equal(hear(one, &c), 0);
	c = (struct control){.kind = CONTROL_state};
	say(b, two, &c, -1);
	assert_int_equal(hear(two, &c), CONTROL_stated);
	close(one);
	close(two);
}

static int job_file(const struct job *j)
{
	autofree uint8_t *bytes = NULL;
	size_t size;
	int fd;

	assert_int_equal(job_format(j, &bytes, &size), 0);
	fd = memfile_make("job", (struct span){bytes, size});
	assert_true(fd >= 0);
	return fd;
}

/* Whatever is wrong with an order, its client hears why. */
static void what_cannot_be_run_is_told(void **state)
{
	static const uint8_t args[] = "none";
	struct bed *b = *state;
	struct job good = {.args = {1, {args, sizeof(args)}}};
	struct job user = good, folder = good, streams = good;
	struct control run = {.kind = CONTROL_run, .value = {9}};
	struct control c;
	int fd = enter(b);
	int orders[5];

	user.user = span_str("nobody-here");
	folder.cwd = span_str("/no/such/folder");
	streams.stream[1] = JOB_DESCRIPTOR; /* which does not come along */
	orders[0] = -1;
	orders[1] = memfile_make("bad", span_str("no job"));
	orders[2] = job_file(&user);
	orders[3] = job_file(&folder);
	orders[4] = job_file(&streams);
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		say(b, fd, &run, orders[i]);
		if (hear(fd, &c) != CONTROL_failed || c.value[0] != 9 ||
		    c.value[1] != 125 || !c.text[0])
			fail_msg("order %zu: kind %u: %s", i, c.kind, c.text);
		if (i == 2)
			assert_non_null(strstr(c.text, "nobody-here"));
		base_close(&orders[i]);
	}
	assert_true(list_empty(&b->kernel->kernel.programs));
	close(fd);
}

static void one_who_does_not_listen_is_let_go(void **state)
{
	struct bed *b = *state;
	struct control ask = {.kind = CONTROL_state};
	struct control c;
	int fd = enter(b), turns = 0, got;

	/* Each question is taken; the answers fill its socket. */
	while (control_send(fd, &ask, NULL, 0) == 0 && turns++ < 100000)
		pump(b);
	assert_true(turns < 100000);
	do
		got = hear(fd, &c);
	while (got > 0);
	assert_int_equal(got, 0);
	assert_false(b->kernel->kernel.loop.stop);
	close(fd);
}

static void programs_that_are_not_there_are_told_of(void **state)
{
	struct control ask = {.kind = CONTROL_list, .value = {3, 0}};
	struct bed *b = *state;
	int fd = enter(b);
	struct control c;

	say(b, fd, &ask, -1);
	assert_int_equal(hear(fd, &c), CONTROL_listed);
	assert_int_equal(c.value[0], 3);
	assert_int_equal(c.value[1], 0);
	ask = (struct control){
		.kind = CONTROL_attach,
		.value = {9, UINT64_MAX, 24, 80},
	};
	say(b, fd, &ask, fd);
	assert_int_equal(hear(fd, &c), CONTROL_failed);
	assert_int_equal(c.value[0], 9);
	assert_int_equal(c.value[1], 125);
	assert_non_null(strstr(c.text, "no program"));
	close(fd);
}

static void pausing_twice_is_an_error(void **state)
{
	static const struct {
		enum control_kind kind;
		int err;
	} steps[] = {
		{CONTROL_unpause, EALREADY},
		{CONTROL_pause, 0},
		{CONTROL_pause, EALREADY},
		{CONTROL_unpause, 0},
	};
	struct bed *b = *state;
	int fd = enter(b);

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct control c = {.kind = steps[i].kind, .value = {i}};

		say(b, fd, &c, -1);
		assert_int_equal(hear(fd, &c), CONTROL_done);
		assert_int_equal(c.value[0], i);
		assert_int_equal(c.value[1], steps[i].err);
	}
	close(fd);
}

struct question {
	struct owner_request request;
	int answer;
	bool answered;
};

static void answered(struct owner_request *r, int fd)
{
	struct question *q = container_of(r, struct question, request);

	q->answer = fd;
	q->answered = true;
}

/* Only the owner's word counts, and only for what was asked. */
static void the_owner_opens_what_the_kernel_may_not(void **state)
{
	struct bed *b = *state;
	struct question q = {.request = {.answered = answered}};
	struct control c, reply = {.kind = CONTROL_opened};
	int other = enter(b);

	assert_int_equal(hear(b->owner, &c), CONTROL_ready);
	assert_int_equal(owner_ask_maps(&b->kernel->kernel, other, &q.request),
	                 0);
	assert_int_equal(hear(b->owner, &c), CONTROL_maps);
	reply.value[0] = c.value[0];
	say(b, other, &reply, other);
	assert_false(q.answered);
	reply.value[0]++;
	say(b, b->owner, &reply, other);
	assert_false(q.answered);
	reply.value[0]--;
	say(b, b->owner, &reply, other);
	assert_true(q.answered && q.answer >= 0);
	close(q.answer);

	q.answered = false;
	assert_int_equal(owner_ask_statm(&b->kernel->kernel, other, &q.request),
	                 0);
	assert_int_equal(hear(b->owner, &c), CONTROL_statm);
	reply.value[0] = c.value[0];
	reply.value[1] = EPERM;
	say(b, b->owner, &reply, -1);
	assert_true(q.answered);
	assert_int_equal(q.answer, -EPERM);
	close(other);
}

/* What the kernel says on stderr when it cannot tell its owner. */
static void last_words(struct bed *b, char *text, size_t room)
{
	struct kernel *k = &b->kernel->kernel;
	int saved = dup(STDERR_FILENO);
	int ends[2];
	ssize_t n;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	close(ends[1]);
	for (int i = 0; i < 100000 && !k->loop.stop; i++) {
		clients_failed(k, 1, "again");
		(void)loop_run_soon(&k->loop);
	}
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	n = read(ends[0], text, room - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	close(ends[0]);
	assert_true(k->loop.stop);
}

static void a_deaf_owner_ends_the_qube_with_a_word(void **state)
{
	char text[512];

	last_words(*state, text, sizeof(text));
	assert_non_null(strstr(text, "the owner cannot be told"));
}

static void an_owner_that_goes_is_no_fault(void **state)
{
	struct bed *b = *state;
	char text[512];

	close(b->owner);
	b->owner = -1;
	last_words(b, text, sizeof(text));
	assert_string_equal(text, "");
}

#define WITH_BED(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BED(the_owner_hears_that_the_qube_is_there),
		WITH_BED(others_come_and_go),
		cmocka_unit_test(strangers_are_not_let_in),
		WITH_BED(nonsense_ends_only_its_connection),
		WITH_BED(what_cannot_be_run_is_told),
		WITH_BED(one_who_does_not_listen_is_let_go),
		WITH_BED(a_deaf_owner_ends_the_qube_with_a_word),
		WITH_BED(an_owner_that_goes_is_no_fault),
		WITH_BED(programs_that_are_not_there_are_told_of),
		WITH_BED(pausing_twice_is_an_error),
		WITH_BED(the_owner_opens_what_the_kernel_may_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

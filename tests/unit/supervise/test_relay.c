/* SPDX-License-Identifier: Apache-2.0 */
#include "supervise/relay.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "cmocka_all.h"

struct bed {
	struct relay relay;
	int in[2], out[2];
};

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	if (!b || pipe2(b->in, O_NONBLOCK) < 0 || pipe2(b->out, O_NONBLOCK) < 0)
		return -1;
	relay_init(&b->relay, b->in[0], b->out[1]);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	close(b->in[0]);
	base_close(&b->in[1]);
	base_close(&b->out[0]);
	close(b->out[1]);
	free(b);
	return 0;
}

static void turn(struct relay *r)
{
	struct pollfd p[2];

	relay_want(r, p);
	(void)poll(p, 2, 0);
	relay_move(r, p);
}

static void bytes_and_their_end_are_carried(void **state)
{
	struct bed *b = *state;
	char got[8];

	assert_int_equal(write(b->in[1], "a\nb", 3), 3);
	turn(&b->relay);
	assert_int_equal(read(b->out[0], got, sizeof(got)), 3);
	assert_memory_equal(got, "a\nb", 3);
	assert_false(relay_ended(&b->relay));
	close(b->in[1]);
	b->in[1] = -1;
	turn(&b->relay);
	assert_true(relay_ended(&b->relay));
}

static void ends_of_lines_are_made_for_a_raw_terminal(void **state)
{
	struct bed *b = *state;
	char got[16];

	b->relay.lines = true;
	assert_int_equal(write(b->in[1], "\na\n\n", 4), 4);
	turn(&b->relay);
	assert_int_equal(read(b->out[0], got, sizeof(got)), 7);
	assert_memory_equal(got, "\r\na\r\n\r\n", 7);
}

/* What the reader does not take waits, and nothing more is read. */
static void a_full_pipe_holds_the_rest(void **state)
{
	static char block[RELAY_ROOM], got[RELAY_ROOM];
	struct bed *b = *state;
	struct pollfd p[2];
	ssize_t n;
	size_t filled = 0, sum = 0;

	memset(block, 'x', sizeof(block));
	while ((n = write(b->out[1], block, sizeof(block))) > 0)
		filled += (size_t)n;
	assert_int_equal(write(b->in[1], block, 100), 100);
	turn(&b->relay);
	assert_int_equal(b->relay.size, 100);
	relay_want(&b->relay, p);
	assert_int_equal(p[0].fd, -1);
	while ((n = read(b->out[0], got, sizeof(got))) > 0)
		sum += (size_t)n;
	assert_int_equal(sum, filled);
	turn(&b->relay);
	assert_int_equal(read(b->out[0], got, sizeof(got)), 100);
}

static void nobody_left_to_read_ends_it(void **state)
{
	struct bed *b = *state;

	close(b->out[0]);
	b->out[0] = -1;
	assert_int_equal(write(b->in[1], "x", 1), 1);
	turn(&b->relay);
	assert_true(relay_ended(&b->relay));
	assert_int_equal(b->relay.to, -1);
}

static int no_sigpipe(void **state)
{
	(void)state;
	return signal(SIGPIPE, SIG_IGN) == SIG_ERR ? -1 : 0;
}

#define WITH_BED(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void a_key_leaves(void **state)
{
	struct bed *b = *state;
	char got[8];

	b->relay.leaves = true;
	assert_int_equal(write(b->in[1],
	                       "ab\x1d"
	                       "c",
	                       4),
	                 4);
	turn(&b->relay);
	assert_int_equal(read(b->out[0], got, sizeof(got)), 2);
	assert_memory_equal(got, "ab", 2);
	assert_true(b->relay.left);
	assert_true(relay_ended(&b->relay));
}

static void the_key_is_a_byte_to_others(void **state)
{
	struct bed *b = *state;
	char got[8];

	assert_int_equal(write(b->in[1], "\x1d", 1), 1);
	turn(&b->relay);
	assert_int_equal(read(b->out[0], got, sizeof(got)), 1);
	assert_false(b->relay.left);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BED(bytes_and_their_end_are_carried),
		WITH_BED(ends_of_lines_are_made_for_a_raw_terminal),
		WITH_BED(a_full_pipe_holds_the_rest),
		WITH_BED(nobody_left_to_read_ends_it),
		WITH_BED(a_key_leaves),
		WITH_BED(the_key_is_a_byte_to_others),
	};

	return cmocka_run_group_tests(tests, no_sigpipe, NULL);
}

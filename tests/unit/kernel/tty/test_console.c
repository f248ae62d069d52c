/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/tty/console.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/testbed.h"
#include "kernel/tty/ldisc.h"

/* A console, and the far end on which it is shown. */
struct bed {
	struct testbed *kernel;
	struct console *console;
	int far;
};

static int make_far(struct bed *b)
{
	int ends[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	b->far = ends[0];
	return ends[1];
}

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	b->kernel = testbed_create(0);
	b->kernel->kernel.lasts = true;
	assert_int_equal(console_create(&b->kernel->kernel, make_far(b), 24, 80,
	                                &b->console),
	                 0);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	base_close(&b->far);
	console_destroy(b->console);
	testbed_destroy(b->kernel);
	free(b);
	return 0;
}

static void pump(struct bed *b)
{
	struct loop *l = &b->kernel->kernel.loop;

	(void)loop_run_soon(l);
	while (loop_wait(l, 0) > 0)
		(void)loop_run_soon(l);
	(void)loop_run_soon(l);
}

/* What a program writes; the terminal makes \r\n of \n. */
static void show(struct bed *b, const char *text)
{
	struct uio u;

	uio_init_kernel(&u, (void *)(uintptr_t)text, strlen(text));
	assert_int_equal(ldisc_write(console_tty(b->console), &u),
	                 strlen(text));
	pump(b);
}

static void expect(struct bed *b, const char *text)
{
	char got[256] = "";
	ssize_t n = read(b->far, got, sizeof(got) - 1);

	if (n < 0)
		n = 0;
	got[n] = '\0';
	assert_string_equal(got, text);
}

static void far_leaves(struct bed *b)
{
	close(b->far);
	b->far = -1;
	pump(b);
}

static void it_is_hung_up_with_who_shows_it(void **state)
{
	struct bed *b = *state;

	show(b, "a\n");
	expect(b, "a\r\n");
	far_leaves(b);
	assert_true(console_tty(b->console)->other_gone);
	close(make_far(b));
	assert_int_equal(console_attach(b->console, dup(b->far), 24, 80), -EIO);
}

static void one_that_stays_is_shown_to_the_next(void **state)
{
	struct bed *b = *state;

	console_stay(b->console);
	show(b, "before ");
	expect(b, "before ");
	far_leaves(b);
	assert_false(console_tty(b->console)->other_gone);
	show(b, "meanwhile ");
	assert_int_equal(tty_out_count(console_tty(b->console)), 0);
	assert_int_equal(console_attach(b->console, make_far(b), 11, 22), 0);
	pump(b);
	expect(b, "before meanwhile ");
	assert_int_equal(console_tty(b->console)->rows, 11);
	assert_int_equal(write(b->far, "x", 1), 1);
	pump(b);
	expect(b, "x"); /* typed, and so echoed */
	show(b, "after");
	expect(b, "after");
}

static void only_the_end_is_kept(void **state)
{
	char line[101], last[256];
	struct bed *b = *state;
	size_t size = 0;
	ssize_t n;

	console_stay(b->console);
	far_leaves(b);
	memset(line, '.', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	for (int i = 0; i < 1000; i++)
		show(b, line);
	show(b, "end");
	assert_int_equal(console_attach(b->console, make_far(b), 24, 80), 0);
	while ((n = read(b->far, last, sizeof(last))) > 0)
		size += (size_t)n;
	assert_int_equal(size, 16384);
	show(b, "!");
	expect(b, "!");
}

static void the_latest_has_it(void **state)
{
	struct bed *b = *state;
	int first = b->far;
	char c;

	assert_int_equal(console_attach(b->console, make_far(b), 24, 80), 0);
	assert_int_equal(read(first, &c, 1), 0);
	close(first);
	show(b, "x");
	expect(b, "x");
	far_leaves(b);
	assert_false(console_tty(b->console)->other_gone);
}

#define WITH_BED(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BED(it_is_hung_up_with_who_shows_it),
		WITH_BED(one_that_stays_is_shown_to_the_next),
		WITH_BED(only_the_end_is_kept),
		WITH_BED(the_latest_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

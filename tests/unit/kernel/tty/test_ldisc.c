/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/tty/ldisc.h"

#include <stdio.h>
#include <string.h>

#include "kernel/testbed.h"
#include "kernel/tty/tty.h"

static const struct tty_other nobody = {0};

static struct tty *make(struct testbed *bed)
{
	struct tty *t;

	assert_int_equal(tty_create(&bed->kernel, &nobody, &t), 0);
	return t;
}

static void end(struct tty *t)
{
	tty_other_closed(t);
	tty_put(t);
}

static void type(struct tty *t, const char *keys)
{
	size_t len = strlen(keys);

	assert_int_equal(ldisc_input(t, (const uint8_t *)keys, len), len);
}

/* What a program reads into `room` bytes; NULL: it would wait. */
static const char *reads(struct tty *t, size_t room)
{
	static char buf[TTY_IN + 1];
	uint64_t until_ns;
	struct uio u;
	long n;

	uio_init_kernel(&u, buf, room);
	n = ldisc_read(t, &u, &until_ns);
	if (n == -EAGAIN)
		return NULL;
	assert_true(n >= 0);
	buf[n] = '\0';
	return buf;
}

/* What the other side sees, taken. */
static const char *seen(struct tty *t)
{
	static char buf[TTY_OUT + 1];
	size_t n = 0;

	while (tty_out_count(t) > 0) {
		uint32_t size;
		const uint8_t *at = tty_out_run(t, &size);

		memcpy(buf + n, at, size);
		n += size;
		tty_out_took(t, size);
	}
	buf[n] = '\0';
	return buf;
}

static void writes(struct tty *t, const char *text)
{
	struct uio u;
	char copy[256];

	(void)snprintf(copy, sizeof(copy), "%s", text);
	uio_init_kernel(&u, copy, strlen(text));
	assert_int_equal(ldisc_write(t, &u), strlen(text));
}

/* One row: with these settings these keys give that line and that echo. */
static const struct {
	const char *why;
	uint32_t iflag_on, iflag_off, lflag_on, lflag_off;
	const char *keys;
	const char *line; /* NULL: none yet */
	const char *echo;
} rows[] = {
	{"plain", 0, 0, 0, 0, "ab\n", "ab\n", "ab\r\n"},
	{"no line", 0, 0, 0, 0, "ab", NULL, "ab"},
	{"erase", 0, 0, 0, 0, "ab\177c\n", "ac\n", "ab\b \bc\r\n"},
	{"erase at the start", 0, 0, 0, 0, "\177a\n", "a\n", "a\r\n"},
	{"erase a control character", 0, 0, 0, 0, "\002\177a\n", "a\n",
         "^B\b \b\b \ba\r\n"},
	{"erase UTF-8", IUTF8, 0, 0, 0, "\303\244\177a\n", "a\n",
         "\303\244\b \ba\r\n"},
	{"erase bytes", 0, IUTF8, 0, 0, "\303\244\177\n", "\303\n",
         "\303\244\b \b\r\n"},
	{"erase a tab", 0, 0, 0, 0, "a\t\177b\n", "ab\n",
         "a\t\b\b\b\b\b\b\bb\r\n"},
	{"erase without ECHOE", 0, 0, 0, ECHOE, "ab\177\n", "a\n", "ab^?\r\n"},
	{"erase with ECHOPRT", 0, 0, ECHOPRT, 0, "ab\177\177c\n", "c\n",
         "ab\\ba/c\r\n"},
	{"kill", 0, 0, 0, 0, "ab\025c\n", "c\n", "ab\b \b\b \bc\r\n"},
	{"kill without ECHOKE", 0, 0, 0, ECHOKE, "ab\025c\n", "c\n",
         "ab^U\r\nc\r\n"},
	{"word", 0, 0, 0, 0, "a bc  \027d\n", "a d\n",
         "a bc  \b \b\b \b\b \b\b \bd\r\n"},
	{"literal", 0, 0, 0, 0, "\026\003\n", "\003\n", "^\b^C\r\n"},
	{"literal newline", 0, 0, 0, 0, "\026\n\n", "\n\n", "^\b\r\n\r\n"},
	{"without IEXTEN", 0, 0, 0, IEXTEN, "a\027\n", "a\027\n", "a^W\r\n"},
	{"end of file", 0, 0, 0, 0, "ab\004", "ab", "ab"},
	{"only end of file", 0, 0, 0, 0, "\004", "", ""},
	{"return", 0, 0, 0, 0, "a\r", "a\n", "a\r\n"},
	{"return kept", 0, ICRNL, 0, 0, "a\rb\n", "a\rb\n", "a^Mb\r\n"},
	{"return dropped", IGNCR, 0, 0, 0, "a\rb\n", "ab\n", "ab\r\n"},
	{"newline to return", INLCR, 0, 0, 0, "a\n\004", "a\r", "a^M"},
	{"seven bits", ISTRIP, 0, 0, 0, "\341\n", "a\n", "a\r\n"},
	{"lower case", IUCLC, 0, 0, 0, "AbC\n", "abc\n", "abc\r\n"},
	{"silent", 0, 0, 0, ECHO, "ab\n", "ab\n", ""},
	{"silent but for newlines", 0, 0, ECHONL, ECHO, "ab\n", "ab\n", "\r\n"},
	{"no ^X", 0, 0, 0, ECHOCTL, "\002\n", "\002\n", "\002\r\n"},
	{"reprint", 0, 0, 0, 0, "ab\022\n", "ab\n", "ab^R\r\nab\r\n"},
	{"0xff doubled", PARMRK, 0, 0, 0, "\377\n", "\377\377\n", "\377\r\n"},
	{"keys that stop output", 0, 0, 0, 0, "a\023\021b\n", "ab\n", "ab\r\n"},
	{"no flow control", 0, IXON, 0, 0, "\023\n", "\023\n", "^S\r\n"},
	{"no signals", 0, 0, 0, ISIG, "\003\n", "\003\n", "^C\r\n"},
	{"signals drop the line", 0, 0, 0, 0, "ab\003c\n", "c\n", "^Cc\r\n"},
	{"signals with NOFLSH", 0, 0, NOFLSH, 0, "ab\003c\n", "abc\n",
         "ab^Cc\r\n"},
};

static void keys_become_lines_and_echoes(void **state)
{
	struct testbed *bed = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct tty *t = make(bed);
		struct termios2 set = t->set;
		const char *line;

		set.c_iflag |= rows[i].iflag_on;
		set.c_iflag &= ~rows[i].iflag_off;
		set.c_lflag |= rows[i].lflag_on;
		set.c_lflag &= ~rows[i].lflag_off;
		ldisc_set(t, &set);
		type(t, rows[i].keys);
		assert_int_equal(ldisc_readable(t), rows[i].line != NULL);
		line = reads(t, TTY_IN);
		if (!line != !rows[i].line ||
		    (line && strcmp(line, rows[i].line) != 0))
			fail_msg("%s: read \"%s\"", rows[i].why, line);
		line = seen(t);
		if (strcmp(line, rows[i].echo) != 0)
			fail_msg("%s: echoed \"%s\"", rows[i].why, line);
		end(t);
	}
}

static void lines_are_read_in_pieces(void **state)
{
	struct tty *t = make(*state);

	type(t, "one\ntwo\n");
	assert_int_equal(ldisc_count(t), 8);
	assert_string_equal(reads(t, 2), "on");
	assert_string_equal(reads(t, 9), "e\n");
	assert_string_equal(reads(t, 9), "two\n");
	assert_null(reads(t, 9));
	/* A line as long as the room takes its end of file along. */
	type(t, "abc\004");
	assert_int_equal(ldisc_count(t), 3);
	assert_string_equal(reads(t, 3), "abc");
	assert_null(reads(t, 3));
	end(t);
}

static void a_line_too_long_keeps_its_end(void **state)
{
	struct tty *t = make(*state);
	static uint8_t keys[5000];

	memset(keys, 'x', sizeof(keys));
	assert_int_equal(ldisc_input(t, keys, sizeof(keys)), sizeof(keys));
	type(t, "\n");
	assert_int_equal(strlen(reads(t, TTY_IN)), TTY_IN);
	assert_null(reads(t, TTY_IN));
	end(t);
}

static void raw_input_waits_for_a_reader(void **state)
{
	struct tty *t = make(*state);
	struct termios2 set = t->set;
	static uint8_t keys[5000];

	set.c_lflag &= ~(uint32_t)(ICANON | ECHO | ISIG);
	ldisc_set(t, &set);
	assert_int_equal(ldisc_input(t, keys, sizeof(keys)), TTY_IN - 1);
	assert_int_equal(ldisc_input(t, keys, 1), 0);
	(void)reads(t, 100);
	assert_int_equal(ldisc_input(t, keys, sizeof(keys)), 100);
	end(t);
}

static void min_and_time_say_when_a_read_ends(void **state)
{
	struct tty *t = make(*state);
	struct termios2 set = t->set;

	set.c_lflag &= ~(uint32_t)(ICANON | ECHO);
	set.c_cc[VMIN] = 0;
	ldisc_set(t, &set);
	assert_string_equal(reads(t, 8), "");
	set.c_cc[VTIME] = 1;
	ldisc_set(t, &set);
	assert_null(reads(t, 8));
	set.c_cc[VMIN] = 3;
	set.c_cc[VTIME] = 0;
	ldisc_set(t, &set);
	type(t, "ab");
	assert_false(ldisc_readable(t));
	assert_null(reads(t, 8));
	type(t, "c");
	assert_true(ldisc_readable(t));
	assert_string_equal(reads(t, 8), "abc");
	/* Less room than VMIN. */
	type(t, "de");
	assert_string_equal(reads(t, 2), "de");
	end(t);
}

static void what_was_typed_survives_a_change_of_mode(void **state)
{
	struct tty *t = make(*state);
	struct termios2 cooked = t->set, set = t->set;

	type(t, "half");
	set.c_lflag &= ~(uint32_t)ICANON;
	ldisc_set(t, &set);
	assert_string_equal(reads(t, 2), "ha");
	ldisc_set(t, &cooked);
	assert_string_equal(reads(t, 8), "lf");
	end(t);
}

static const struct {
	const char *why;
	uint32_t on, off;
	const char *text;
	const char *want;
} outputs[] = {
	{"newlines", 0, 0, "a\nb", "a\r\nb"},
	{"as it is", 0, OPOST, "a\n\t\r", "a\n\t\r"},
	{"without ONLCR", 0, ONLCR, "a\n", "a\n"},
	{"returns to newlines", OCRNL, ONLCR, "a\r", "a\n"},
	{"no return in column 0", ONOCR, 0, "\ra\r\r", "a\r"},
	{"upper case", OLCUC, 0, "aZ1", "AZ1"},
	{"tabs to spaces", XTABS, 0, "ab\tc\t", "ab      c       "},
};

static void output_is_processed(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(outputs); i++) {
		struct tty *t = make(*state);
		struct termios2 set = t->set;

		set.c_oflag |= outputs[i].on;
		set.c_oflag &= ~outputs[i].off;
		ldisc_set(t, &set);
		writes(t, outputs[i].text);
		if (strcmp(seen(t), outputs[i].want) != 0)
			fail_msg("%s", outputs[i].why);
		end(t);
	}
}

static void a_full_terminal_lets_writers_wait(void **state)
{
	static char block[TTY_OUT * 2];
	struct tty *t = make(*state);
	struct uio u;
	long n;

	memset(block, 'x', sizeof(block));
	uio_init_kernel(&u, block, sizeof(block));
	n = ldisc_write(t, &u);
	assert_true(n > 0 && n <= (long)(TTY_OUT - TTY_OUT_ECHO));
	assert_false(ldisc_writable(t));
	uio_init_kernel(&u, block, 10);
	assert_int_equal(ldisc_write(t, &u), -EAGAIN);
	/* There is still room to echo. */
	type(t, "echo");
	assert_int_equal(tty_out_count(t), n + 4);
	(void)seen(t);
	assert_true(ldisc_writable(t));

	type(t, "\023");
	assert_false(ldisc_writable(t));
	uio_init_kernel(&u, block, 10);
	assert_int_equal(ldisc_write(t, &u), -EAGAIN);
	type(t, "\021");
	assert_true(ldisc_writable(t));
	end(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(keys_become_lines_and_echoes),
		TESTBED(lines_are_read_in_pieces),
		TESTBED(a_line_too_long_keeps_its_end),
		TESTBED(raw_input_waits_for_a_reader),
		TESTBED(min_and_time_say_when_a_read_ends),
		TESTBED(what_was_typed_survives_a_change_of_mode),
		TESTBED(output_is_processed),
		TESTBED(a_full_terminal_lets_writers_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

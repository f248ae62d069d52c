/* SPDX-License-Identifier: Apache-2.0 */
/* The table of what to stage, as made from the table of system calls. */
#include "cell/stub/marshal.h"

#include <sys/syscall.h>

#include "cmocka_all.h"

static const struct {
	unsigned nr, arg;
	struct marshal_arg want;
} sample[] = {
	{SYS_read, 0, {MARSHAL_NUM, 0, 0}},
	{SYS_read, 1, {MARSHAL_OUT, 2, 1}},
	{SYS_write, 1, {MARSHAL_IN, 2, 1}},
	{SYS_open, 0, {MARSHAL_PATH, MARSHAL_ONE, 1}},
	{SYS_openat, 1, {MARSHAL_PATH, MARSHAL_ONE, 1}},
	{SYS_fstat, 1, {MARSHAL_OUT, MARSHAL_ONE, 144}},
	{SYS_poll, 0, {MARSHAL_IN | MARSHAL_OUT, 1, 8}},
	{SYS_writev, 1, {MARSHAL_IN, 2, 16}},
	{SYS_rt_sigaction, 1, {MARSHAL_IN, MARSHAL_ONE, 32}},
	{SYS_rt_sigaction, 2, {MARSHAL_OUT, MARSHAL_ONE, 32}},
	{SYS_renameat, 3, {MARSHAL_PATH, MARSHAL_ONE, 1}},
	{SYS_sendto, 4, {MARSHAL_IN, 5, 1}},
	{SYS_epoll_wait, 1, {MARSHAL_OUT, 2, 12}},
	{SYS_statx, 4, {MARSHAL_OUT, MARSHAL_ONE, 256}},
	{SYS_getppid, 0, {MARSHAL_NUM, 0, 0}},
	{SYS_ioctl, 2, {MARSHAL_NUM, 0, 0}},
};

static void says_what_the_calls_need(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sample); i++) {
		const struct marshal_arg *got = &marshal_table[sample[i].nr]
		                                         .arg[sample[i].arg];

		assert_true(sample[i].nr < marshal_count);
		if (got->kind != sample[i].want.kind ||
		    got->unit != sample[i].want.unit ||
		    (got->kind && got->count != sample[i].want.count))
			fail_msg("call %u argument %u: %u %u %u", sample[i].nr,
			         sample[i].arg, got->kind, got->count,
			         got->unit);
	}
}

static void refers_to_numbers_only(void **state)
{
	(void)state;
	for (unsigned nr = 0; nr < marshal_count; nr++) {
		for (unsigned i = 0; i < 6; i++) {
			const struct marshal_arg *m = &marshal_table[nr].arg[i];

			if (m->kind == MARSHAL_NUM)
				continue;
			assert_true(m->unit > 0);
			if (m->count == MARSHAL_ONE)
				continue;
			assert_in_range(m->count, 0, 5);
			assert_int_equal(marshal_table[nr].arg[m->count].kind,
			                 MARSHAL_NUM);
		}
	}
}

/* A record of each call fits the window, whatever else is staged. */
static void fits_the_window(void **state)
{
	(void)state;
	for (unsigned nr = 0; nr < marshal_count; nr++) {
		unsigned sum = 0;

		for (unsigned i = 0; i < 6; i++) {
			const struct marshal_arg *m = &marshal_table[nr].arg[i];

			if (m->kind == MARSHAL_PATH)
				sum += 4096;
			else if (m->count == MARSHAL_ONE)
				sum += m->unit;
		}
		assert_true(sum <= CHANNEL_WINDOW);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_the_calls_need),
		cmocka_unit_test(refers_to_numbers_only),
		cmocka_unit_test(fits_the_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

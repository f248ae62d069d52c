/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/slot.h"

#include <string.h>

#include "cmocka_all.h"

static void nothing_waits_in_an_idle_slot(void **state)
{
	struct slot s = {0};
	struct request r;

	(void)state;
	assert_int_equal(slot_take(&s, &r), -EAGAIN);
	atomic_store(&s.state, SLOT_DONE);
	assert_int_equal(slot_take(&s, &r), -EAGAIN);
	atomic_store(&s.state, 77); /* a cell may write anything */
	assert_int_equal(slot_take(&s, &r), -EAGAIN);
}

static void a_request_is_copied_out(void **state)
{
	struct slot s = {0};
	struct request r;

	(void)state;
	atomic_store(&s.nr, 39);
	atomic_store(&s.arg[5], 5);
	atomic_store(&s.stage[1].off, 16);
	atomic_store(&s.stage[1].size, 32);
	atomic_store(&s.state, SLOT_SLEEPING);
	assert_int_equal(slot_take(&s, &r), 0);
	assert_int_equal(r.nr, 39);
	assert_int_equal(r.arg[5], 5);
	assert_int_equal(r.stage[1].off, 16);
	assert_int_equal(r.stage[1].size, 32);
	assert_int_equal(atomic_load(&s.state), SLOT_SLEEPING);
}

/* Pieces that do not lie in the window, and why. */
static const struct {
	const char *why;
	uint32_t off, size;
} refused[] = {
	{"begins behind the window", CHANNEL_WINDOW + 1, 1},
	{"ends one byte behind", CHANNEL_WINDOW - 7, 8},
	{"sum wraps", 16, UINT32_MAX - 8},
	{"offset is huge", UINT32_MAX, UINT32_MAX},
};

static void a_piece_outside_the_window_is_dropped(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct slot s = {0};
		struct request r;

		atomic_store(&s.stage[0].off, refused[i].off);
		atomic_store(&s.stage[0].size, refused[i].size);
		atomic_store(&s.state, SLOT_REQUEST);
		assert_int_equal(slot_take(&s, &r), 0);
		if (r.stage[0].size != 0)
			fail_msg("%s: taken", refused[i].why);
	}
}

static void only_a_sleeper_is_to_be_woken(void **state)
{
	struct slot s = {0};

	(void)state;
	atomic_store(&s.state, SLOT_REQUEST);
	assert_false(slot_finish(&s, (struct slot_answer){0}));
	assert_int_equal(atomic_load(&s.state), SLOT_DONE);
	atomic_store(&s.state, SLOT_SLEEPING);
	assert_true(slot_finish(&s, (struct slot_answer){0}));
	assert_int_equal(atomic_load(&s.state), SLOT_DONE);
}

static void a_deferred_caller_is_to_be_woken(void **state)
{
	struct slot s = {0};

	(void)state;
	atomic_store(&s.state, SLOT_REQUEST);
	slot_defer(&s);
	assert_int_equal(atomic_load(&s.state), SLOT_SLEEPING);
	assert_true(slot_finish(&s, (struct slot_answer){.result = 1}));
	/* Answered meanwhile, or gone: nothing is put off any more. */
	slot_defer(&s);
	assert_int_equal(atomic_load(&s.state), SLOT_DONE);
	atomic_store(&s.state, SLOT_IDLE);
	slot_defer(&s);
	assert_int_equal(atomic_load(&s.state), SLOT_IDLE);
}

static void an_answer_is_read_as_it_was_written(void **state)
{
	struct slot s = {0};
	struct slot_answer a;

	(void)state;
	(void)!slot_finish(&s,
	                   (struct slot_answer){-EFAULT, SLOT_MORE, SLOT_OUTS});
	a = slot_answer(&s);
	assert_int_equal(a.result, -EFAULT);
	assert_int_equal(a.action, SLOT_MORE);
	assert_int_equal(a.outs, SLOT_OUTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_waits_in_an_idle_slot),
		cmocka_unit_test(a_request_is_copied_out),
		cmocka_unit_test(a_piece_outside_the_window_is_dropped),
		cmocka_unit_test(only_a_sleeper_is_to_be_woken),
		cmocka_unit_test(a_deferred_caller_is_to_be_woken),
		cmocka_unit_test(an_answer_is_read_as_it_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

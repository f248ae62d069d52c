/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/uio.h"

#include <string.h>

#include "cmocka_all.h"

/* A task without a cell: guest memory is ours. */
struct bed {
	struct kernel kernel;
	struct task task;
	struct slot *slot;
};

static int set_up(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->slot = calloc(1, CHANNEL_STRIDE);
	assert_non_null(b->slot);
	assert_int_equal(kernel_init(&b->kernel, 1 << 20, 10), 0);
	b->task.kernel = &b->kernel;
	b->task.slot = b->slot;
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	kernel_fini(&b->kernel);
	free(b->slot);
	free(b);
	return 0;
}

static uint8_t *window(struct bed *b)
{
	return (uint8_t *)b->slot + CHANNEL_DATA;
}

/* As if the stub had staged `size` bytes of argument 1 at `off`. */
static void stage(struct bed *b, const void *arg, uint32_t off, uint32_t size)
{
	b->task.in_call = true;
	b->task.req.arg[1] = (uint64_t)arg;
	b->task.req.stage[1].off = off;
	b->task.req.stage[1].size = size;
}

static void staged_bytes_win_over_the_memory_they_stand_for(void **state)
{
	struct bed *b = *state;
	char guest[16] = "stale";
	char got[4];

	stage(b, guest, 32, 16);
	memcpy(window(b) + 32, "fresh", 6);
	assert_int_equal(
		user_read(&b->task, (uaddr_t){(uint64_t)guest + 1}, got, 4), 0);
	assert_memory_equal(got, "resh", 4);
}

static void what_reaches_beyond_the_stage_is_read_from_the_guest(void **state)
{
	struct bed *b = *state;
	char guest[16] = "guest";
	char got[8];

	stage(b, guest, 0, 4);
	memcpy(window(b), "xxxx", 4);
	assert_int_equal(
		user_read(&b->task, (uaddr_t){(uint64_t)guest}, got, 8), 0);
	assert_memory_equal(got, "guest", 5);
}

static void writes_into_a_stage_are_listed_for_copying_out(void **state)
{
	struct bed *b = *state;
	char guest[16] = "";

	stage(b, guest, 64, 16);
	assert_int_equal(
		user_write(&b->task, (uaddr_t){(uint64_t)guest + 2}, "ab", 2),
		0);
	assert_int_equal(guest[2], 0);
	assert_int_equal(b->task.outs, 1);
	assert_true(atomic_load(&b->slot->out[0].addr) == (uint64_t)guest + 2);
	assert_int_equal(atomic_load(&b->slot->out[0].off), 66);
	assert_int_equal(atomic_load(&b->slot->out[0].size), 2);
	assert_memory_equal(window(b) + 66, "ab", 2);
}

static void a_full_list_falls_back_to_the_guest(void **state)
{
	struct bed *b = *state;
	char guest[2 * (SLOT_OUTS + 1)] = "";

	stage(b, guest, 0, sizeof(guest));
	for (size_t i = 0; i < sizeof(guest); i += 2)
		assert_int_equal(user_write(&b->task,
		                            (uaddr_t){(uint64_t)&guest[i]}, "z",
		                            1),
		                 0);
	assert_int_equal(b->task.outs, SLOT_OUTS);
	assert_int_equal(guest[2 * SLOT_OUTS], 'z');
	assert_int_equal(guest[0], 0);
}

static void pieces_side_by_side_are_one(void **state)
{
	struct bed *b = *state;
	char guest[8] = "";

	stage(b, guest, 64, sizeof(guest));
	for (size_t i = 0; i < sizeof(guest); i++)
		assert_int_equal(user_write(&b->task,
		                            (uaddr_t){(uint64_t)&guest[i]}, "z",
		                            1),
		                 0);
	assert_int_equal(b->task.outs, 1);
	assert_true(atomic_load(&b->slot->out[0].addr) == (uint64_t)guest);
	assert_int_equal(atomic_load(&b->slot->out[0].off), 64);
	assert_int_equal(atomic_load(&b->slot->out[0].size), 8);
}

static void a_string_ends_at_its_nul_or_is_too_long(void **state)
{
	struct bed *b = *state;
	char guest[] = "abcdef";
	char got[7];

	stage(b, guest, 0, sizeof(guest));
	memcpy(window(b), guest, sizeof(guest));
	for (int staged = 1; staged >= 0; staged--) {
		b->task.in_call = staged;
		assert_int_equal(user_string(&b->task,
		                             (uaddr_t){(uint64_t)guest}, got,
		                             sizeof(got)),
		                 6);
		assert_string_equal(got, "abcdef");
		assert_int_equal(user_string(&b->task,
		                             (uaddr_t){(uint64_t)guest}, got,
		                             6),
		                 -ENAMETOOLONG);
	}
	assert_int_equal(user_string(&b->task, UADDR_NULL, got, 6), -EFAULT);
}

/* As a call with these pieces has it. */
static int init(struct uio *u, struct bed *b, const abi_iovec *iov,
                abi_iovec *got, size_t count)
{
	return uio_init_iov(u, &b->task, (uaddr_t){(uint64_t)iov}, got, count);
}

static void pieces_are_filled_one_after_the_other(void **state)
{
	struct bed *b = *state;
	char a[3], c[5];
	const abi_iovec iov[] = {{(uint64_t)a, 3}, {0, 0}, {(uint64_t)c, 5}};
	abi_iovec got[3];
	struct uio u;

	assert_int_equal(init(&u, b, iov, got, 3), 0);
	assert_int_equal(u.left, 8);
	assert_int_equal(uio_put(&u, "12345678", 8), 0);
	assert_memory_equal(a, "123", 3);
	assert_memory_equal(c, "45678", 5);
	assert_int_equal(u.done, 8);
}

static void rooms_and_data_cover_all_pieces(void **state)
{
	struct bed *b = *state;
	char a[3], c[5];
	const abi_iovec iov[] = {{(uint64_t)a, 3}, {(uint64_t)c, 5}};
	abi_iovec got[2];
	struct uio u;
	size_t size;

	assert_int_equal(init(&u, b, iov, got, 2), 0);
	while (u.left > 0) {
		void *room = uio_room(&u, &size);

		assert_true(size > 0);
		memset(room, 'x', size);
		assert_int_equal(uio_room_done(&u, size), 0);
	}
	assert_memory_equal(a, "xxx", 3);
	assert_memory_equal(c, "xxxxx", 5);

	assert_int_equal(init(&u, b, iov, got, 2), 0);
	while (u.left > 0) {
		assert_memory_equal(uio_data(&u, &size), "xxxxx", size);
		uio_data_done(&u, size);
	}
	assert_int_equal(u.done, 8);
}

static void sizes_are_cut_or_refused(void **state)
{
	struct bed *b = *state;
	const abi_iovec negative[] = {{4096, 1}, {4096, UINT64_MAX}};
	const abi_iovec large[] = {{4096, INT64_MAX}, {4096, INT64_MAX}};
	abi_iovec got[2];
	struct uio u;

	assert_int_equal(init(&u, b, negative, got, 2), -EINVAL);
	assert_int_equal(init(&u, b, large, got, 2), 0);
	assert_int_equal(u.left, UIO_MAX);
	assert_int_equal(got[0].size, UIO_MAX);
	assert_int_equal(got[1].size, 0);
	assert_int_equal(uio_init_iov(&u, &b->task, UADDR_NULL, got, 1),
	                 -EFAULT);
	assert_int_equal(uio_init_iov(&u, &b->task, UADDR_NULL, got, 0), 0);
	assert_int_equal(u.left, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			staged_bytes_win_over_the_memory_they_stand_for, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			what_reaches_beyond_the_stage_is_read_from_the_guest,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			writes_into_a_stage_are_listed_for_copying_out, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_full_list_falls_back_to_the_guest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pieces_side_by_side_are_one,
	                                        set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_string_ends_at_its_nul_or_is_too_long, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			pieces_are_filled_one_after_the_other, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(rooms_and_data_cover_all_pieces,
	                                        set_up, tear_down),
		cmocka_unit_test_setup_teardown(sizes_are_cut_or_refused,
	                                        set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole kernel, fed with requests: three processes with a thread each call
 * whatever the input says, with addresses that lie in an arena filled from the
 * input.  Nothing may crash; every answer is a result or an error of Linux;
 * and when all is over the qube owes nothing.
 *
 * An input is records of: task (1 byte), number (2), six arguments of a kind
 * (1) and what the kind wants (0 to 8).
 */
#include <string.h>
#include <sys/mman.h>

#include "kernel/ops.h"
#include "kernel/testbed.h"

#define ARENA      0x10000000ul
#define ARENA_SIZE 0x40000ul
#define CALLS_MAX  64
#define TASKS      6
#define NUMBERS    460

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Kinds of arguments: what a guest is likely to pass, and what it is not. */
static uint64_t argument(struct reader *r)
{
	uint8_t kind = rd_u8(r);
	uint8_t more = kind >> 3;

	switch (kind & 7) {
	case 0:
		return more;
	case 1:
		return rd_u8(r);
	case 2:
		return ARENA + rd_le16(r);
	case 3:
		return (uint64_t) - (int64_t)more;
	case 4:
		return rd_le32(r);
	case 5:
		return rd_le64(r);
	case 6:
		return ARENA + ARENA_SIZE - more; /* ends too early */
	default:
		return 1ull << more;
	}
}

static bool answer_ok(long result)
{
	return result >= -4095;
}

/* Tasks that wait are woken by a signal sooner or later, or left. */
static void call(struct task *t, struct reader *r)
{
	uint64_t arg[6];
	uint32_t nr = rd_le16(r);
	long result;

	for (size_t i = 0; i < ARRAY_LEN(arg); i++)
		arg[i] = argument(r);
	if (r->bad || t->in_call || t->state == TASK_DEAD)
		return;
	nr = nr & 0x8000 ? OPS_FIRST + (nr & 15) : nr % NUMBERS;
	result = testbed_run(t, nr, arg);
	if (nr < OPS_FIRST && !answer_ok(result))
		abort();
}

static void make_tasks(struct testbed *bed, struct task *task[TASKS])
{
	task[0] = bed->task;
	for (size_t i = 1; i < TASKS; i++)
		task[i] = i & 1 ? testbed_thread(bed, task[i - 1])
		                : testbed_fork(bed, task[0]);
}

static void fill_arena(const uint8_t *data, size_t size)
{
	uint8_t *arena = (uint8_t *)ARENA;

	memset(arena, 0, ARENA_SIZE);
	for (size_t at = 0; size > 0 && at < 0x10000; at += size)
		memcpy(arena + at, data, MIN(size, 0x10000 - at));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = {.rest = {data, size}};
	struct task *task[TASKS];
	struct testbed *bed;

	if (size > 4096 ||
	    mmap((void *)ARENA, ARENA_SIZE, PROT_READ | PROT_WRITE,
	         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return 0;
	fill_arena(data, size);
	bed = testbed_create(data && size ? data[0] & 1 : 0);
	bed->kernel.guest_lo = ARENA;
	bed->kernel.guest_hi = ARENA + ARENA_SIZE;
	make_tasks(bed, task);
	for (int i = 0; i < CALLS_MAX && !r.bad; i++)
		call(task[rd_u8(&r) % TASKS], &r);
	for (size_t i = 0; i < TASKS; i++)
		(void)testbed_finish(task[i]);
	testbed_destroy(bed);
	return 0;
}

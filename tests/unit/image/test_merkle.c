/* SPDX-License-Identifier: Apache-2.0 */
#include "image/merkle.h"

#include <string.h>
#include <sys/mman.h>

#include "cmocka_all.h"

/* Blocks that are told apart by their numbers. */
static int next(void *ctx, const uint8_t **block, struct fault *f)
{
	static uint8_t bytes[ONDISK_BLOCK];
	uint32_t *n = ctx;

	(void)f;
	memcpy(bytes, n, sizeof(*n));
	(*n)++;
	*block = bytes;
	return 0;
}

static int make(uint32_t blocks, struct merkle_head *h)
{
	int fd = memfd_create("tree", MFD_CLOEXEC);
	uint32_t n = 0;
	const struct merkle_blocks from = {&n, next};
	struct fault f;

	assert_true(fd >= 0);
	*h = (struct merkle_head){.main_blocks = 1, .data_blocks = blocks - 1};
	assert_int_equal(merkle_write(fd, h, &from, &f), 0);
	assert_int_equal(merkle_write_head(fd, h, &f), 0);
	assert_int_equal(n, blocks);
	return fd;
}

static void knows_each_block(void **state)
{
	/* One block, a full block of hashes, one more, and three levels. */
	static const uint32_t sizes[] = {1, 2, 128, 129, 128 * 128 + 1};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct merkle_head h, again;
		static uint8_t block[ONDISK_BLOCK];
		struct merkle m;
		struct fault f;
		int fd = make(sizes[i], &h);

		assert_int_equal(merkle_read_head(fd, &again, &f), 0);
		assert_memory_equal(&h, &again, sizeof(h));
		assert_int_equal(
			merkle_init(&m, fd, &h, &merkle_plain_memory, &f), 0);
		memset(block, 0, sizeof(block));
		for (uint32_t n = 0; n < sizes[i]; n++) {
			memcpy(block, &n, sizeof(n));
			assert_int_equal(merkle_check(&m, n, block), 0);
			block[ONDISK_BLOCK - 1] = 1;
			assert_int_equal(merkle_check(&m, n, block), -EIO);
			block[ONDISK_BLOCK - 1] = 0;
		}
		assert_int_equal(merkle_check(&m, sizes[i], block), -EIO);
		merkle_fini(&m);
		close(fd);
	}
}

/* Every byte of a level counts. */
static void refuses_a_changed_tree(void **state)
{
	struct merkle_head h;
	int fd = make(200, &h);

	(void)state;
	for (uint64_t at = ONDISK_BLOCK; at < 4 * ONDISK_BLOCK; at += 31) {
		const uint8_t *hash;
		struct merkle m;
		struct fault f;
		uint8_t byte;
		int bad = 0;

		assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
		byte ^= 0x10;
		assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
		assert_int_equal(
			merkle_init(&m, fd, &h, &merkle_plain_memory, &f), 0);
		for (uint32_t n = 0; n < 200; n++)
			bad += merkle_hash(&m, n, &hash) == -EIO;
		assert_true(bad > 0);
		merkle_fini(&m);
		byte ^= 0x10;
		assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
	}
	close(fd);
}

static void roots_differ_by_every_number(void **state)
{
	struct merkle_head h = {.main_blocks = 3, .data_blocks = 4};
	uint8_t first[SHA256_SIZE], other[SHA256_SIZE];

	(void)state;
	merkle_root(&h, first);
	h.main_blocks = 4;
	h.data_blocks = 3;
	merkle_root(&h, other);
	assert_memory_not_equal(first, other, sizeof(first));
	h = (struct merkle_head){.main_blocks = 3, .data_blocks = 4};
	h.top[31] = 1;
	merkle_root(&h, other);
	assert_memory_not_equal(first, other, sizeof(first));
}

static void refuses_heads_that_make_no_sense(void **state)
{
	static const struct {
		const char *why;
		uint32_t at;
		uint8_t value;
	} rows[] = {
		{"another magic", 0, 'X'},     {"another version", 8, 2},
		{"no blocks", 12, 0},          {"too many blocks", 19, 0x7f},
		{"something reserved", 20, 1},
	};
	struct merkle_head h;
	struct fault f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int fd = make(2, &h);

		assert_int_equal(pwrite(fd, &rows[i].value, 1, rows[i].at), 1);
		if (merkle_read_head(fd, &h, &f) != -EIO)
			fail_msg("%s", rows[i].why);
		assert_int_equal(ftruncate(fd, 100), 0);
		assert_int_equal(merkle_read_head(fd, &h, &f), -EIO);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_each_block),
		cmocka_unit_test(refuses_a_changed_tree),
		cmocka_unit_test(roots_differ_by_every_number),
		cmocka_unit_test(refuses_heads_that_make_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/cipher.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "cmocka_all.h"

#define ROOM ((size_t)1 << 20)

static const uint8_t key[CIPHER_KEY] = {1, 2, 3};

struct fixture {
	struct cipher *c;
	struct cipher_file f;
	uint8_t *model; /* what is in it */
};

static int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	assert_true(sodium_init() >= 0);
	x->c = cipher_create(key);
	x->f = (struct cipher_file){memfd_create("object", MFD_CLOEXEC), 77, 0};
	x->model = calloc(1, ROOM);
	*state = x;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	cipher_destroy(x->c);
	close(x->f.fd);
	free(x->model);
	free(x);
	return 0;
}

static void put(struct fixture *x, size_t size, uint64_t at, uint8_t seed)
{
	autofree uint8_t *bytes = malloc(size + 1);

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(seed + i * 7);
	assert_int_equal(cipher_write(x->c, &x->f, bytes, size, at), 0);
	memcpy(x->model + at, bytes, size);
	x->f.size = MAX(x->f.size, at + size);
}

static void resize(struct fixture *x, uint64_t size)
{
	assert_int_equal(cipher_resize(x->c, &x->f, size), 0);
	if (size < x->f.size)
		memset(x->model + size, 0, x->f.size - size);
	x->f.size = size;
}

static void same(struct fixture *x)
{
	autofree uint8_t *bytes = malloc(ROOM);

	assert_int_equal(cipher_read(x->c, &x->f, bytes, ROOM, 0), x->f.size);
	assert_memory_equal(bytes, x->model, x->f.size);
}

static void what_was_written_is_read(void **state)
{
	struct fixture *x = *state;
	uint32_t seed = 1;

	for (int i = 0; i < 300; i++) {
		uint64_t at;
		size_t size;

		seed = seed * 1664525u + 1013904223u;
		at = (seed >> 8) % (ROOM - 300000);
		size = (seed >> 4) % (i % 3 ? 9000 : 290000);
		if (i % 11 == 0)
			resize(x, at);
		else
			put(x, size, at, (uint8_t)i);
		if (i % 10 == 0)
			same(x);
	}
	same(x);
}

static void nothing_old_shows_behind_the_end(void **state)
{
	struct fixture *x = *state;

	put(x, 10000, 0, 5);
	/* As after a crash: the blocks were written, the size was not. */
	x->f.size = 4100;
	memset(x->model + 4100, 0, 6000);
	put(x, 1, 9000, 9);
	same(x);
	resize(x, 300);
	resize(x, 9000);
	same(x);
}

static void the_host_sees_no_contents(void **state)
{
	struct fixture *x = *state;
	static const char secret[] = "the secret that nobody may see";
	autofree char *raw = malloc(ROOM);
	ssize_t n;

	assert_int_equal(cipher_write(x->c, &x->f, secret, sizeof(secret), 100),
	                 0);
	n = pread(x->f.fd, raw, ROOM, 0);
	assert_true(n > 4096);
	assert_null(memmem(raw, (size_t)n, "secret", 6));
}

static void flip(int fd, off_t at)
{
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

static void a_tampered_block_is_refused_and_no_other(void **state)
{
	struct fixture *x = *state;
	uint8_t bytes[100];

	put(x, 3 * CIPHER_BLOCK, 0, 1);
	/* The second block's data; then the first one's seal. */
	flip(x->f.fd, 2 * CIPHER_BLOCK + 5);
	assert_int_equal(cipher_read(x->c, &x->f, bytes, 100, 4096), -EIO);
	assert_int_equal(cipher_read(x->c, &x->f, bytes, 100, 0), 100);
	assert_int_equal(cipher_read(x->c, &x->f, bytes, 100, 8192), 100);
	flip(x->f.fd, 30);
	assert_int_equal(cipher_read(x->c, &x->f, bytes, 100, 0), -EIO);
	/* Part of it cannot be written; the whole of it can. */
	assert_int_equal(cipher_write(x->c, &x->f, "x", 1, 50), -EIO);
	put(x, CIPHER_BLOCK, 0, 7);
	put(x, CIPHER_BLOCK, CIPHER_BLOCK, 8);
	same(x);
}

static void blocks_cannot_change_places(void **state)
{
	struct fixture *x = *state;
	static uint8_t slots[160], pages[8192];
	struct cipher_file other = x->f;

	put(x, 2 * CIPHER_BLOCK, 0, 1);
	other.size = x->f.size;
	other.ino = 78;
	assert_int_equal(cipher_read(x->c, &other, pages, 10, 0), -EIO);
	assert_int_equal(pread(x->f.fd, slots, 160, 0), 160);
	assert_int_equal(pread(x->f.fd, pages, 8192, 4096), 8192);
	assert_int_equal(pwrite(x->f.fd, slots + 80, 80, 0), 80);
	assert_int_equal(pwrite(x->f.fd, pages + 4096, 4096, 4096), 4096);
	assert_int_equal(cipher_read(x->c, &x->f, pages, 10, 0), -EIO);
	assert_int_equal(cipher_read(x->c, &x->f, pages, 10, 4096), 10);
}

/* Killed after the seal, before the block: what was there stays readable. */
static void a_write_cut_short_leaves_the_old_block(void **state)
{
	struct fixture *x = *state;
	static uint8_t page[CIPHER_BLOCK];
	uint8_t seals[80];

	for (int i = 0; i < 3; i++) {
		put(x, CIPHER_BLOCK, 0, (uint8_t)i);
		assert_int_equal(pread(x->f.fd, page, 4096, 4096), 4096);
		put(x, CIPHER_BLOCK, 0, (uint8_t)(i + 100));
		assert_int_equal(pwrite(x->f.fd, page, 4096, 4096), 4096);
		for (size_t n = 0; n < CIPHER_BLOCK; n++)
			x->model[n] = (uint8_t)((size_t)i + n * 7);
		same(x);
		put(x, 9, 20, 33);
		same(x);
	}
	assert_int_equal(pread(x->f.fd, seals, 80, 0), 80);
}

static void another_key_reads_nothing(void **state)
{
	struct fixture *x = *state;
	uint8_t wrong[CIPHER_KEY] = {9};
	struct cipher *c = cipher_create(wrong);
	uint8_t byte;

	put(x, 10, 0, 1);
	assert_int_equal(cipher_read(c, &x->f, &byte, 1, 0), -EIO);
	cipher_destroy(c);
}

#define CIPHER(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CIPHER(what_was_written_is_read),
		CIPHER(nothing_old_shows_behind_the_end),
		CIPHER(the_host_sees_no_contents),
		CIPHER(a_tampered_block_is_refused_and_no_other),
		CIPHER(blocks_cannot_change_places),
		CIPHER(a_write_cut_short_leaves_the_old_block),
		CIPHER(another_key_reads_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memfile.h"
#include "cmocka_all.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static int reads(int fd, size_t max)
{
	uint8_t kept = 0, *bytes = &kept;
	size_t size = 4;
	int err = memfile_read(fd, max, &bytes, &size);

	if (err < 0) {
		assert_ptr_equal(bytes, &kept);
		assert_int_equal(size, 4);
		return err;
	}
	assert_int_equal(size, 5);
	assert_memory_equal(bytes, "bytes", 5);
	free(bytes);
	return 0;
}

static void what_was_put_in_comes_out(void **state)
{
	int fd = memfile_make("test", span_str("bytes"));
	char got[8];

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(reads(fd, 5), 0);
	assert_int_equal(reads(fd, 5), 0);
	/* A program that has it as its standard input begins at the start. */
	assert_int_equal(read(fd, got, sizeof(got)), 5);
	close(fd);
}

static void nobody_changes_it(void **state)
{
	int fd = memfile_make("test", span_str("bytes"));

	(void)state;
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 1), -1);
	assert_int_equal(ftruncate(fd, 100), -1);
	assert_ptr_equal(
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
		MAP_FAILED);
	assert_int_equal(reads(fd, 5), 0);
	close(fd);
}

static void what_is_too_large_or_empty_is_refused(void **state)
{
	int fd = memfile_make("test", span_str("bytes"));

	(void)state;
	assert_int_equal(reads(fd, 4), -EPROTO);
	close(fd);
	fd = memfile_make("test", (struct span){NULL, 0});
	assert_true(fd >= 0);
	assert_int_equal(reads(fd, 5), -EPROTO);
	close(fd);
}

/* Each seal is one that somebody could do without. */
static void what_could_still_change_is_refused(void **state)
{
	static const int seals[] = {F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW,
	                            F_SEAL_WRITE};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(seals); i++) {
		int fd = memfd_create("test", MFD_ALLOW_SEALING);

		assert_int_equal(write(fd, "bytes", 5), 5);
		assert_int_equal(fcntl(fd, F_ADD_SEALS, SEALS & ~seals[i]), 0);
		assert_int_equal(reads(fd, 5), -EPROTO);
		close(fd);
	}
}

static void what_is_no_memory_file_is_refused(void **state)
{
	FILE *file = tmpfile();
	int ends[2];

	(void)state;
	assert_non_null(file);
	assert_int_equal(fputs("bytes", file) < 0, 0);
	assert_int_equal(fflush(file), 0);
	assert_int_equal(reads(fileno(file), 5), -EPROTO);
	fclose(file);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "bytes", 5), 5);
	assert_int_equal(reads(ends[0], 5), -EPROTO);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(reads(-1, 5), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_in_comes_out),
		cmocka_unit_test(nobody_changes_it),
		cmocka_unit_test(what_is_too_large_or_empty_is_refused),
		cmocka_unit_test(what_could_still_change_is_refused),
		cmocka_unit_test(what_is_no_memory_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

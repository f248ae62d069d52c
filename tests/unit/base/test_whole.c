/* SPDX-License-Identifier: Apache-2.0 */
#include "base/whole.h"
#include "cmocka_all.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>

#define LOTS 1000000u /* more than a pipe takes at once */

static void *write_lots(void *arg)
{
	int fd = *(int *)arg;
	autofree uint8_t *bytes = malloc(LOTS);
	int err;

	memset(bytes, 'x', LOTS);
	err = whole_write(fd, (struct span){bytes, LOTS});
	close(fd);
	return err == 0 ? arg : NULL;
}

static void steps_of_the_host_do_not_show(void **state)
{
	autofree uint8_t *bytes = malloc(LOTS + 1);
	pthread_t thread;
	void *went;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(pthread_create(&thread, NULL, write_lots, &ends[1]),
	                 0);
	assert_int_equal(whole_read(ends[0], bytes, 10), 10);
	assert_int_equal(whole_read(ends[0], bytes, LOTS + 1), LOTS - 10);
	assert_int_equal(whole_read(ends[0], bytes, 1), 0);
	assert_int_equal(pthread_join(thread, &went), 0);
	assert_non_null(went);
	close(ends[0]);
}

static void places_are_kept_to(void **state)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	char got[8];

	(void)state;
	assert_int_equal(whole_pwrite(fd, span_str("cdef"), 2), 0);
	assert_int_equal(whole_pwrite(fd, span_str("ab"), 0), 0);
	assert_int_equal(whole_pread(fd, got, 8, 1), 5);
	assert_memory_equal(got, "bcdef", 5);
	assert_int_equal(whole_pread(fd, got, 2, 4), 2);
	assert_memory_equal(got, "ef", 2);
	assert_int_equal(whole_pread(fd, got, 2, 100), 0);
	close(fd);
}

static void errors_come_through(void **state)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char byte;

	(void)state;
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
	assert_int_equal(whole_write(fd, span_str("a")), -EPERM);
	assert_int_equal(whole_pwrite(fd, span_str("a"), 5), -EPERM);
	close(fd);
	assert_int_equal(whole_write(-1, span_str("a")), -EBADF);
	assert_int_equal(whole_read(-1, &byte, 1), -EBADF);
	assert_int_equal(whole_pread(-1, &byte, 1, 0), -EBADF);
	assert_int_equal(whole_write(-1, span_str("")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_of_the_host_do_not_show),
		cmocka_unit_test(places_are_kept_to),
		cmocka_unit_test(errors_come_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "filecopy/copywire.h"

#include <string.h>
#include <sys/stat.h>

#include "cmocka_all.h"

static const struct copywire_header good = {
	.name_size = 6,
	.mode = S_IFREG | 0640,
	.size = 0x1122334455,
	.atime = 0x80000001,
	.atime_nsec = 999999999,
	.mtime = 7,
	.mtime_nsec = 1,
};

static void a_header_has_these_bytes(void **state)
{
	static const uint8_t want[COPYWIRE_HEADER_SIZE] = {
		6,    0,    0, 0, 0xa0, 0x81, 0, 0, 0x55, 0x44, 0x33,
		0x22, 0x11, 0, 0, 0,    1,    0, 0, 0x80, 0xff, 0xc9,
		0x9a, 0x3b, 7, 0, 0,    0,    1, 0, 0,    0,
	};
	uint8_t wire[COPYWIRE_HEADER_SIZE];
	struct copywire_header back;

	(void)state;
	copywire_put_header(wire, &good);
	assert_memory_equal(wire, want, sizeof(want));
	assert_int_equal(
		copywire_get_header((struct span){wire, sizeof(wire)}, &back),
		0);
	assert_memory_equal(&back, &good, sizeof(good));
}

static void a_result_has_these_bytes(void **state)
{
	static const uint8_t want[COPYWIRE_RESULT_SIZE] = {
		17, 0, 0, 0, 0, 0, 0, 0, 0xef, 0xbe, 0xad, 0xde, 0, 0, 0, 0,
	};
	const struct copywire_result r = {EEXIST, 0xdeadbeef};
	struct copywire_result back;
	uint8_t wire[COPYWIRE_RESULT_SIZE];

	(void)state;
	copywire_put_result(wire, &r);
	assert_memory_equal(wire, want, sizeof(want));
	back = copywire_get_result((struct span){wire, sizeof(wire)});
	assert_int_equal(back.error, EEXIST);
	assert_int_equal(back.crc, 0xdeadbeef);
}

static const struct {
	const char *why;
	struct copywire_header h;
	int want;
} refused[] = {
	{"the end counts, whatever else it has", {0, 1, 2, 3, ~0u, 5, ~0u}, 0},
	{"a folder", {2, S_IFDIR | 0755, 0, 0, 0, 0, 0}, 0},
	{"a link", {2, S_IFLNK | 0777, 1, 0, 0, 0, 0}, 0},
	{"the longest name", {COPYWIRE_NAME_MAX, S_IFREG, 0, 0, 0, 0, 0}, 0},
	{"a longer one",
         {COPYWIRE_NAME_MAX + 1, S_IFREG, 0, 0, 0, 0, 0},
         -ENAMETOOLONG},
	{"the longest of all", {~0u, S_IFREG, 0, 0, 0, 0, 0}, -ENAMETOOLONG},
	{"a NUL only", {1, S_IFREG, 0, 0, 0, 0, 0}, -EINVAL},
	{"a second of nanoseconds",
         {2, S_IFREG, 0, 0, 1000000000, 0, 0},
         -EINVAL},
	{"another", {2, S_IFREG, 0, 0, 0, 0, 1000000000}, -EINVAL},
	{"a size below zero", {2, S_IFREG, 1ull << 63, 0, 0, 0, 0}, -EFBIG},
	{"a folder with content", {2, S_IFDIR, 1, 0, 0, 0, 0}, -EINVAL},
	{"a link to nothing", {2, S_IFLNK, 0, 0, 0, 0, 0}, -EINVAL},
	{"the longest link", {2, S_IFLNK, COPYWIRE_NAME_MAX, 0, 0, 0, 0}, 0},
	{"a longer link",
         {2, S_IFLNK, COPYWIRE_NAME_MAX + 1, 0, 0, 0, 0},
         -ENAMETOOLONG},
	{"a pipe", {2, S_IFIFO, 0, 0, 0, 0, 0}, -EINVAL},
	{"a device", {2, S_IFBLK, 0, 0, 0, 0, 0}, -EINVAL},
	{"a socket", {2, S_IFSOCK, 0, 0, 0, 0, 0}, -EINVAL},
	{"nothing known", {2, 0, 0, 0, 0, 0, 0}, -EINVAL},
	{"all of it at once", {2, ~0u, 0, 0, 0, 0, 0}, -EINVAL},
};

static void headers_are_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		autofree uint8_t *wire = malloc(COPYWIRE_HEADER_SIZE);
		struct copywire_header out;
		int got;

		assert_non_null(wire);
		copywire_put_header(wire, &refused[i].h);
		got = copywire_get_header(
			(struct span){wire, COPYWIRE_HEADER_SIZE}, &out);
		if (got != refused[i].want)
			fail_msg("%s: %d", refused[i].why, got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_has_these_bytes),
		cmocka_unit_test(a_result_has_these_bytes),
		cmocka_unit_test(headers_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images that others made: mkfs.erofs is asked for both of the layouts we
 * read, and for what we do not.
 */
#include "imgmade.h"

#include <fcntl.h>
#include <stdlib.h>

#include "scratch.h"

/* Makes an image of a small tree with these options; -1: no mkfs.erofs. */
static int make(const char *options)
{
	static const char command[] =
		"command -v mkfs.erofs >/dev/null || exit 77\n"
		"cd '%s' && mkdir -p t/sub && seq 2000 >t/sub/long\n"
		"printf small >t/small && ln -sf small t/link\n"
		"for i in $(seq 400); do : >t/sub/empty-file-number-$i; done\n"
		"mkfs.erofs %s image t >/dev/null 2>&1 || exit 77\n";
	char folder[SCRATCH_ROOM];
	char text[1024];
	int status, fd;

	assert_int_equal(scratch_make(folder), 0);
	(void)snprintf(text, sizeof(text), command, folder, options);
	status = system(text);
	(void)snprintf(text, sizeof(text), "%s/image", folder);
	fd = open(text, O_RDONLY | O_CLOEXEC);
	assert_int_equal(scratch_drop(folder), 0);
	if (WEXITSTATUS(status) == 77 && fd >= 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int open_image(int fd, struct imgsource *s, struct imgread *r)
{
	struct imgread_source blocks;
	struct fault f;
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(imgsource_init(s, fd, (uint64_t)st.st_size / 4096,
	                                NULL, &merkle_plain_memory),
	                 0);
	blocks = imgsource_blocks(s);
	return imgread_open(r, &blocks, (uint64_t)st.st_size / 4096, 0, &f);
}

static void compare_text(const struct imgread *r, int fd, const char *path,
                         const char *start, uint64_t size)
{
	struct imgread_inode i;
	uint64_t at, count, total = 0;
	char text[16];

	assert_int_equal(imgmade_find(r, path, &i), 0);
	assert_int_equal(i.size, size);
	assert_int_equal(imgread_place(r, &i, 0, &at, &count), 0);
	assert_int_equal(pread(fd, text, strlen(start), (off_t)at),
	                 strlen(start));
	assert_memory_equal(text, start, strlen(start));
	while (total < size) {
		assert_int_equal(imgread_place(r, &i, total, &at, &count), 0);
		assert_true(count > 0);
		total += count;
	}
	assert_int_equal(total, size);
	assert_int_equal(imgread_place(r, &i, size, &at, &count), -EIO);
}

static void reads_images_of_mkfs_erofs(void **state)
{
	static const char *const options[] = {"", "-E noinline_data",
	                                      "-E force-inode-extended"};

	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(options); n++) {
		int fd = make(options[n]);
		struct imgread_inode i;
		struct imgsource s;
		struct imgread r;
		char text[16];

		if (fd < 0)
			skip();
		assert_int_equal(open_image(fd, &s, &r), 0);
		compare_text(&r, fd, "small", "small", 5);
		compare_text(&r, fd, "sub/long", "1\n2\n", 8893);
		assert_int_equal(
			imgmade_find(&r, "sub/empty-file-number-399", &i), 0);
		assert_int_equal(imgmade_find(&r, "sub/nothing", &i), -ENOENT);
		assert_int_equal(imgmade_find(&r, "link", &i), 0);
		assert_int_equal(imgread_link(&r, &i, text, sizeof(text)), 5);
		assert_memory_equal(text, "small", 5);
		imgsource_fini(&s);
		close(fd);
	}
}

static void refuses_what_it_does_not_read(void **state)
{
	int fd = make("-zlz4 -C65536");
	struct imgread_inode i;
	struct imgsource s;
	struct imgread r;
	int err;

	(void)state;
	if (fd < 0)
		skip();
	err = open_image(fd, &s, &r);
	if (err == 0)
		err = imgmade_find(&r, "sub/long", &i);
	assert_int_equal(err, -EOPNOTSUPP);
	imgsource_fini(&s);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_images_of_mkfs_erofs),
		cmocka_unit_test(refuses_what_it_does_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

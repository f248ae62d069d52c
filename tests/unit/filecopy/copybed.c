/* SPDX-License-Identifier: Apache-2.0 */
#include "filecopy/copybed.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "cmocka_all.h"
#include "scratch.h"

void copybed_init(struct copybed *b)
{
	assert_int_equal(scratch_make(b->path), 0);
	b->around = open(b->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(b->around >= 0);
	assert_int_equal(mkdirat(b->around, "in", 0700), 0);
	b->folder = openat(b->around, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	b->proc = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(b->folder >= 0 && b->proc >= 0);
}

void copybed_fini(struct copybed *b)
{
	close(b->around);
	close(b->folder);
	close(b->proc);
	assert_int_equal(scratch_drop(b->path), 0);
}

void copybed_put(struct buffer *wire, uint32_t mode, const char *name,
                 uint64_t size)
{
	const struct copywire_header h = {
		.name_size = (uint32_t)strlen(name) + 1,
		.mode = mode,
		.size = size,
		.atime = 1000000000,
		.atime_nsec = 5,
		.mtime = 1100000000,
		.mtime_nsec = 6,
	};
	uint8_t bytes[COPYWIRE_HEADER_SIZE];

	copywire_put_header(bytes, &h);
	buffer_put(wire, bytes, sizeof(bytes));
	buffer_text0(wire, name);
}

void copybed_put_file(struct buffer *wire, uint32_t mode, const char *name,
                      const char *content)
{
	copybed_put(wire, mode, name, strlen(content));
	buffer_text(wire, content);
}

void copybed_put_end(struct buffer *wire)
{
	static const uint8_t end[COPYWIRE_HEADER_SIZE];

	buffer_put(wire, end, sizeof(end));
}

static void read_result(int fd, struct copybed_result *out)
{
	uint8_t bytes[COPYWIRE_RESULT_SIZE + 4];
	struct reader r = {.rest = {bytes + COPYWIRE_RESULT_SIZE, 4}};
	uint32_t len;

	assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
	out->wire = copywire_get_result(
		(struct span){bytes, COPYWIRE_RESULT_SIZE});
	len = rd_le32(&r);
	assert_int_equal(lseek(fd, 0, SEEK_END), sizeof(bytes) + len);
	len = MIN(len, (uint32_t)sizeof(out->name) - 1);
	assert_int_equal(pread(fd, out->name, len, sizeof(bytes)), len);
	out->name[len] = '\0';
}

void copybed_receive(struct copybed *b, const struct buffer *wire,
                     const struct copyrecv_job *job, struct copybed_result *out)
{
	struct copyrecv_job j = *job;

	assert_false(wire->bad);
	*out = (struct copybed_result){0};
	j.in = memfd_create("in", MFD_CLOEXEC);
	j.out = memfd_create("out", MFD_CLOEXEC);
	assert_true(j.in >= 0 && j.out >= 0);
	assert_int_equal(write(j.in, wire->at, wire->size), wire->size);
	assert_int_equal(lseek(j.in, 0, SEEK_SET), 0);
	j.folder = b->folder;
	j.proc = b->proc;
	out->got = copyrecv(&j, &out->count, &out->fault);
	read_result(j.out, out);
	assert_int_equal(out->wire.error, -out->got);
	close(j.in);
	close(j.out);
}

void copybed_has(int folder, const char *name, const char *content)
{
	char got[256];
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, got, sizeof(got) - 1);
	assert_true(n >= 0);
	got[n] = '\0';
	assert_string_equal(got, content);
	close(fd);
}

int copybed_count(int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fdopendir(fd);
	const struct dirent *e;
	int count = 0;

	assert_non_null(d);
	while ((e = readdir(d)))
		count += strcmp(e->d_name, ".") != 0 &&
		         strcmp(e->d_name, "..") != 0;
	closedir(d);
	return count;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Data of regular files: sizes, holes, vectors, positions, copies. */
#include "check.h"

#include <limits.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

static void sizes(void)
{
	char buf[8] = "";
	struct stat st;
	int fd = open("f", O_RDWR | O_CREAT, 0600);

	OK(fd);
	OK(ftruncate(fd, 100));
	OK(fstat(fd, &st));
	EQ(st.st_size, 100);
	EQ(pread(fd, buf, 8, 96), 4);
	CHECK(!memcmp(buf, "\0\0\0\0", 4));
	EQ(pwrite(fd, "end", 3, 200), 3);
	OK(fstat(fd, &st));
	EQ(st.st_size, 203);
	EQ(pread(fd, buf, 3, 150), 3);
	CHECK(!memcmp(buf, "\0\0\0", 3));
	OK(truncate("f", 201));
	EQ(pread(fd, buf, 8, 200), 1);
	OK(ftruncate(fd, 300)); /* what was cut off does not come back */
	EQ(pread(fd, buf, 3, 200), 3);
	CHECK(!memcmp(buf, "e\0\0", 3));
	EQ(lseek(fd, 0, SEEK_CUR), 0);
	FAILS(ftruncate(fd, -1), EINVAL);
	FAILS(truncate("none", 1), ENOENT);
	FAILS(truncate(".", 1), EISDIR);
	FAILS(pread(fd, buf, 1, -1), EINVAL);
	FAILS(pwrite(fd, buf, 1, -1), EINVAL);
	OK(close(fd));
	fd = open("f", O_RDONLY);
	FAILS(ftruncate(fd, 1), EINVAL);
	OK(close(fd));
}

static void positions(void)
{
	int fd = open("f", O_RDWR | O_TRUNC), two;
	char c;

	EQ(write(fd, "0123456789", 10), 10);
	EQ(lseek(fd, 3, SEEK_SET), 3);
	EQ(lseek(fd, 2, SEEK_CUR), 5);
	EQ(lseek(fd, -1, SEEK_END), 9);
	FAILS(lseek(fd, -11, SEEK_END), EINVAL);
	FAILS(lseek(fd, 0, 99), EINVAL);
	EQ(lseek(fd, 1L << 40, SEEK_SET), 1L << 40);
	EQ(read(fd, &c, 1), 0);
	/* dup shares the position, a second open does not. */
	two = dup(fd);
	EQ(lseek(two, 4, SEEK_SET), 4);
	EQ(read(fd, &c, 1), 1);
	EQ(c, '4');
	OK(close(two));
	two = open("f", O_RDONLY);
	EQ(read(two, &c, 1), 1);
	EQ(c, '0');
	OK(close(two));
	/* pread and pwrite leave it alone. */
	EQ(pread(fd, &c, 1, 9), 1);
	EQ(lseek(fd, 0, SEEK_CUR), 5);
	OK(close(fd));
	FAILS(lseek(fd, 0, SEEK_SET), EBADF);
}

static void holes(void)
{
	int fd = open("holes", O_RDWR | O_CREAT, 0600);
	off_t data, hole;

	OK(ftruncate(fd, 1 << 20));
	EQ(pwrite(fd, "x", 1, 512 << 10), 1);
	data = lseek(fd, 0, SEEK_DATA);
	CHECK(data >= 0 && data <= 512 << 10);
	hole = lseek(fd, data, SEEK_HOLE);
	CHECK(hole > data && hole <= 1 << 20);
	EQ(lseek(fd, 512 << 10, SEEK_DATA), 512 << 10);
	FAILS(lseek(fd, 1 << 20, SEEK_DATA), ENXIO);
	FAILS(lseek(fd, 2 << 20, SEEK_HOLE), ENXIO);
	OK(close(fd));
}

static void allocation(void)
{
	int fd = open("alloc", O_RDWR | O_CREAT, 0600);
	struct stat st;
	char c = 'x';

	OK(fallocate(fd, 0, 0, 8192));
	OK(fstat(fd, &st));
	EQ(st.st_size, 8192);
	OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 16384));
	OK(fstat(fd, &st));
	EQ(st.st_size, 8192);
	EQ(pwrite(fd, "abcd", 4, 4096), 4);
	OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096,
	             4096));
	EQ(pread(fd, &c, 1, 4096), 1);
	EQ(c, 0);
	FAILS(fallocate(fd, 0, 0, 0), EINVAL);
	FAILS(fallocate(fd, 0, -1, 1), EINVAL);
	FAILS(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 1), EOPNOTSUPP);
	OK(close(fd));
	fd = open("alloc", O_RDONLY);
	FAILS(fallocate(fd, 0, 0, 1), EBADF);
	OK(close(fd));
}

static void vectors(void)
{
	char a[3], b[5], c[10];
	struct iovec in[] = {{a, 3}, {NULL, 0}, {b, 5}, {c, 10}};
	struct iovec out[] = {{"one", 3}, {"two..", 5}};
	struct iovec huge[2] = {{a, SIZE_MAX}, {b, 1}};
	struct iovec bad[] = {{a, 3}, {NOWHERE, 5}};
	int fd = open("v", O_RDWR | O_CREAT | O_TRUNC, 0600);

	EQ(writev(fd, out, 2), 8);
	OK(lseek(fd, 0, SEEK_SET));
	EQ(readv(fd, in, 4), 8);
	CHECK(!memcmp(a, "one", 3) && !memcmp(b, "two..", 5));
	EQ(preadv(fd, in, 1, 3), 3);
	CHECK(!memcmp(a, "two", 3));
	EQ(pwritev(fd, out, 2, 100), 8);
	EQ(preadv2(fd, in, 1, 100, 0), 3);
	CHECK(!memcmp(a, "one", 3));
	EQ(readv(fd, in, 0), 0);
	FAILS(readv(fd, in, -1), EINVAL);
	FAILS(readv(fd, in, IOV_MAX + 1), EINVAL);
	FAILS(writev(fd, huge, 2), EINVAL);
	FAILS(readv(fd, NOWHERE, 1), EFAULT);
	OK(lseek(fd, 0, SEEK_SET));
	EQ(readv(fd, bad, 2), 3); /* what came before the bad one counts */
	OK(close(fd));
}

static void faults(void)
{
	int fd = open("v", O_RDWR);

	FAILS(read(fd, NOWHERE, 4), EFAULT);
	FAILS(write(fd, NOWHERE, 4), EFAULT);
	EQ(read(fd, NOWHERE, 0), 0);
	EQ(write(fd, NULL, 0), 0);
	OK(close(fd));
}

static void copies(void)
{
	int in, out, p[2];
	off_t at = 2, to = 1;
	char buf[16] = "";

	put_file("src", "0123456789");
	in = open("src", O_RDONLY);
	out = open("dst", O_RDWR | O_CREAT | O_TRUNC, 0600);
	EQ(sendfile(out, in, &at, 4), 4);
	EQ(at, 6);
	EQ(lseek(in, 0, SEEK_CUR), 0);
	EQ(sendfile(out, in, NULL, 100), 10);
	EQ(sendfile(out, in, NULL, 100), 0);
	EQ(pread(out, buf, 16, 0), 14);
	CHECK(!memcmp(buf, "23450123456789", 14));
	at = 3;
	EQ(copy_file_range(in, &at, out, &to, 2, 0), 2);
	EQ(at, 5);
	EQ(to, 3);
	EQ(pread(out, buf, 4, 0), 4);
	CHECK(!memcmp(buf, "2345", 4) || !memcmp(buf, "2344", 4));
	FAILS(copy_file_range(in, NULL, out, NULL, 1, 1), EINVAL);
	FAILS(sendfile(in, out, NULL, 1), EBADF);
	OK(pipe(p));
	at = 0;
	EQ(splice(in, &at, p[1], NULL, 5, 0), 5);
	EQ(read(p[0], buf, 16), 5);
	CHECK(!memcmp(buf, "01234", 5));
	OK(close(in));
	OK(close(out));
}

/* O_APPEND from many processes: every line arrives whole. */
static void append_lines(void *arg)
{
	int fd = open("log", O_WRONLY | O_APPEND);
	char line[40];

	memset(line, *(char *)arg, sizeof(line));
	line[sizeof(line) - 1] = '\n';
	for (int i = 0; i < 100; i++)
		EQ(write(fd, line, sizeof(line)), sizeof(line));
}

static void appending(void)
{
	char name[4] = "abcd", line[41];
	int seen[4] = {0};
	pid_t pid[4];
	FILE *f;

	put_file("log", "");
	for (int i = 0; i < 4; i++)
		pid[i] = child(append_lines, &name[i]);
	for (int i = 0; i < 4; i++)
		passes(pid[i]);
	f = fopen("log", "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		EQ(strlen(line), 40);
		for (int i = 1; i < 39; i++)
			EQ(line[i], line[0]);
		seen[line[0] - 'a']++;
	}
	for (int i = 0; i < 4; i++)
		EQ(seen[i], 100);
	fclose(f);
}

static void syncing(void)
{
	int fd = open("src", O_RDWR), p[2];

	OK(fsync(fd));
	OK(fdatasync(fd));
	OK(syncfs(fd));
	sync();
	OK(pipe(p));
	FAILS(fsync(p[0]), EINVAL);
	FAILS(fsync(-1), EBADF);
	OK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	EQ(posix_fadvise(p[0], 0, 0, POSIX_FADV_NORMAL), ESPIPE);
	OK(close(fd));
}

int main(void)
{
	scratch();
	sizes();
	positions();
	holes();
	allocation();
	vectors();
	faults();
	copies();
	appending();
	syncing();
	return 0;
}

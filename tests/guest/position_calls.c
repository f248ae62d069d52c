/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that use or tell the position of an open file in other ways than read(2),
 * and what else can happen to a file that is read: they all agree on where it is.
 */
#include "numbers.h"

#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

static void sizes_change(void)
{
	int fd, out;
	uint64_t n = 7;

	make("changing");
	fd = open("changing", O_RDONLY);
	out = open("changing", O_WRONLY);
	OK(fd);
	OK(out);
	read_on(fd, 0, 100);
	OK(ftruncate(out, 102 * 8));
	read_on(fd, 100, 102);
	EQ(read(fd, &n, 8), 0);
	OK(ftruncate(out, 90 * 8));
	EQ(read(fd, &n, 8), 0);
	OK(ftruncate(out, 103 * 8 + 4));
	EQ(read(fd, &n, 8), 8);
	EQ(n, 0);
	EQ(read(fd, &n, 8), 4);
	EQ(lseek(out, 0, SEEK_END), 103 * 8 + 4);
	EQ(write(out, "four", 4), 4);
	EQ(read(fd, &n, 8), 4);
	CHECK(!memcmp(&n, "four", 4));
	EQ(read(fd, &n, 8), 0);
	OK(close(fd));
	OK(close(out));
}

static void appends(void *arg)
{
	int fd = open("grows", O_WRONLY | O_APPEND);

	OK(fd);
	EQ(write(fd, arg, 8), 8);
	OK(close(fd));
}

static void grows(void)
{
	uint64_t n = 0;
	int fd;

	put_file("grows", "");
	fd = open("grows", O_RDONLY);
	OK(fd);
	for (uint64_t i = 1; i < 20; i++) {
		EQ(read(fd, &n, 8), 0);
		apart(appends, &i);
		EQ(read(fd, &n, 8), 8);
		EQ(n, i);
	}
	OK(close(fd));
}

static void reads_and_writes(void)
{
	uint64_t n;
	int fd;

	make("both");
	fd = open("both", O_RDWR);
	OK(fd);
	for (long i = 0; i < 60; i += 2) {
		next_is(fd, i);
		n = (uint64_t)i + 1001;
		EQ(write(fd, &n, 8), 8);
	}
	for (long i = 60; i < 100; i++)
		EQ(write(fd, &numbers[i], 8), 8);
	EQ(lseek(fd, 0, SEEK_CUR), 800);
	EQ(lseek(fd, 8, SEEK_SET), 8);
	next_is(fd, 1001);
	read_on(fd, 2, 3);
	/* From here on it appends, wherever it is. */
	OK(fcntl(fd, F_SETFL, O_APPEND));
	EQ(write(fd, "appended", 8), 8);
	EQ(lseek(fd, 0, SEEK_CUR), SIZE + 8);
	EQ(read(fd, &n, 8), 0);
	EQ(lseek(fd, 0, SEEK_SET), 0);
	next_is(fd, 0);
	OK(fcntl(fd, F_SETFL, 0));
	EQ(write(fd, "begin...", 8), 8);
	EQ(lseek(fd, 0, SEEK_CUR), 16);
	EQ(pread(fd, &n, 8, 8), 8);
	CHECK(!memcmp(&n, "begin...", 8));
	OK(close(fd));
	fd = open("both", O_WRONLY);
	for (int i = 0; i < 20; i++)
		EQ(write(fd, &n, 8), 8);
	FAILS(read(fd, &n, 8), EBADF);
	EQ(lseek(fd, 0, SEEK_CUR), 160);
	OK(close(fd));
	fd = warm(O_RDONLY);
	FAILS(write(fd, &n, 8), EBADF);
	next_is(fd, WARM);
	OK(close(fd));
}

/* Whoever else moves it. */
static void other_calls(void)
{
	int fd = warm(O_RDONLY), out = open("copy", O_RDWR | O_CREAT, 0600);
	uint64_t a, b[2];
	struct iovec v[] = {{&a, 8}, {b, 16}};
	int ends[2], left;

	OK(out);
	EQ(readv(fd, v, 2), 24);
	EQ(a, WARM);
	EQ(b[1], WARM + 2);
	read_on(fd, WARM + 3, 50);
	EQ(preadv(fd, v, 2, 8), 24);
	EQ(a, 1);
	EQ(sendfile(out, fd, NULL, 80), 80);
	read_on(fd, 60, 70);
	EQ(copy_file_range(fd, NULL, out, NULL, 80, 0), 80);
	read_on(fd, 80, 90);
	OK(pipe(ends));
	EQ(splice(fd, NULL, ends[1], NULL, 80, 0), 80);
	read_on(fd, 100, 120);
	OK(close(ends[0]));
	OK(close(ends[1]));
	EQ(lseek(out, 0, SEEK_CUR), 160);
	EQ(lseek(out, 0, SEEK_SET), 0);
	read_on(out, 50, 60);
	read_on(out, 70, 80);
	OK(ioctl(fd, FIONREAD, &left));
	EQ(left, SIZE - 120 * 8);
	next_is(fd, 120);
	OK(close(fd));
	OK(close(out));
}

static long shown(int fd)
{
	char path[64], text[512];
	const char *at;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	get_file(path, text, sizeof(text));
	at = strstr(text, "pos:");
	CHECK(at);
	return strtol(at + 4, NULL, 10);
}

static void is_shown(void)
{
	int fd = warm(O_RDONLY);

	EQ(shown(fd), WARM * 8);
	read_on(fd, WARM, 40);
	EQ(shown(fd), 320);
	EQ(lseek(fd, 24, SEEK_SET), 24);
	EQ(shown(fd), 24);
	next_is(fd, 3);
	OK(close(fd));
}

static void locks_from_here(void)
{
	int fd = open("numbers", O_RDWR);
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_len = 8};

	OK(fd);
	read_on(fd, 0, 100);
	OK(fcntl(fd, F_OFD_SETLK, &l));
	l = (struct flock){.l_type = F_WRLCK};
	OK(fcntl(fd, F_GETLK, &l));
	EQ(l.l_type, F_WRLCK);
	EQ(l.l_start, 800);
	OK(close(fd));
}

static void bad_memory(void)
{
	int fd = warm(O_RDONLY);
	uint8_t *two = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
	                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long n;

	CHECK(two != MAP_FAILED);
	OK(munmap(two + 4096, 4096));
	FAILS(read(fd, NOWHERE, 8), EFAULT);
	next_is(fd, WARM);
	FAILS(read(fd, two + 4096, 16), EFAULT);
	read_on(fd, WARM + 1, 50);
	/* As much as went in is as far as it went. */
	n = read(fd, two + 4096 - 80, 160);
	CHECK(n == 80 || (n == -1 && errno == EFAULT));
	EQ(lseek(fd, 0, SEEK_CUR), n == 80 ? 480 : 400);
	OK(munmap(two, 4096));
	OK(close(fd));
}

static void watched(void)
{
	int fd = warm(O_RDONLY), watch = inotify_init1(IN_NONBLOCK);
	struct inotify_event e;

	OK(watch);
	OK(inotify_add_watch(watch, "numbers", IN_ACCESS));
	for (int i = 0; i < 20; i++) {
		next_is(fd, WARM + i);
		EQ(read(watch, &e, sizeof(e)), sizeof(e));
		EQ(e.mask, IN_ACCESS);
	}
	OK(close(watch));
	read_on(fd, WARM + 20, WARM + 40);
	OK(close(fd));
}

static void in_limits(void *arg)
{
	struct rlimit limit = {4096, 4096};
	int fd = open("limited", O_RDWR | O_CREAT | O_TRUNC, 0600);
	char half[256] = "";
	int writes = 0;

	(void)arg;
	OK(fd);
	for (; writes < 10; writes++)
		EQ(write(fd, half, sizeof(half)), sizeof(half));
	CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	OK(setrlimit(RLIMIT_FSIZE, &limit));
	for (; writes < 16; writes++)
		EQ(write(fd, half, sizeof(half)), sizeof(half));
	FAILS(write(fd, half, sizeof(half)), EFBIG);
	EQ(lseek(fd, 0, SEEK_CUR), 4096);
	OK(close(fd));
}

int main(void)
{
	scratch();
	make("numbers");
	sizes_change();
	grows();
	reads_and_writes();
	other_calls();
	is_shown();
	locks_from_here();
	bad_memory();
	watched();
	apart(in_limits, NULL);
	return 0;
}

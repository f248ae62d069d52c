/* SPDX-License-Identifier: Apache-2.0 */
/* fcntl(2), dup(2), close_range(2). */
#include "check.h"

#include <sys/ioctl.h>

static void flags(void)
{
	int fd = open("f", O_RDWR | O_CREAT | O_APPEND, 0600), two, on = 1;

	OK(fd);
	EQ(fcntl(fd, F_GETFD), 0);
	OK(fcntl(fd, F_SETFD, FD_CLOEXEC));
	EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND), O_RDWR | O_APPEND);
	OK(fcntl(fd, F_SETFL, O_NONBLOCK));
	EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK),
	   O_RDWR | O_NONBLOCK);
	/* The close-on-exec flag is the number's, the rest the file's. */
	two = dup(fd);
	EQ(fcntl(two, F_GETFD), 0);
	CHECK(fcntl(two, F_GETFL) & O_NONBLOCK);
	OK(fcntl(two, F_SETFL, 0));
	CHECK(!(fcntl(fd, F_GETFL) & O_NONBLOCK));
	OK(ioctl(two, FIONBIO, &on));
	CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
	OK(ioctl(two, FIOCLEX));
	EQ(fcntl(two, F_GETFD), FD_CLOEXEC);
	OK(ioctl(two, FIONCLEX));
	EQ(fcntl(two, F_GETFD), 0);
	FAILS(fcntl(-1, F_GETFD), EBADF);
	FAILS(fcntl(fd, 9999), EINVAL);
	FAILS(ioctl(fd, 0x1234), ENOTTY);
	OK(close(two));
	OK(close(fd));
}

static void duplicates(void)
{
	int fd = open("f", O_RDONLY), n;

	n = fcntl(fd, F_DUPFD, 100);
	EQ(n, 100);
	EQ(fcntl(fd, F_DUPFD, 100), 101);
	EQ(fcntl(fd, F_DUPFD_CLOEXEC, 100), 102);
	EQ(fcntl(102, F_GETFD), FD_CLOEXEC);
	FAILS(fcntl(fd, F_DUPFD, -1), EINVAL);
	FAILS(fcntl(fd, F_DUPFD, 1 << 30), EINVAL);
	EQ(dup2(fd, 200), 200);
	EQ(dup2(fd, fd), fd);
	EQ(dup2(fd, 200), 200); /* closes what was there */
	FAILS(dup2(-1, 5), EBADF);
	FAILS(dup2(fd, -1), EBADF);
	FAILS(dup2(fd, 1 << 30), EBADF);
	FAILS(dup2(0x7000, 0x7000), EBADF);
	FAILS(dup3(fd, fd, 0), EINVAL);
	EQ(dup3(fd, 201, O_CLOEXEC), 201);
	EQ(fcntl(201, F_GETFD), FD_CLOEXEC);
	FAILS(dup3(fd, 202, 0x1), EINVAL);
	OK(syscall(SYS_close_range, 100, 102, 0));
	FAILS(close(100), EBADF);
	FAILS(close(102), EBADF);
	OK(syscall(SYS_close_range, 200, ~0U, 4)); /* CLOSE_RANGE_CLOEXEC */
	EQ(fcntl(200, F_GETFD), FD_CLOEXEC);
	OK(syscall(SYS_close_range, 150, ~0U, 0));
	FAILS(fcntl(200, F_GETFD), EBADF);
	FAILS(syscall(SYS_close_range, 5, 4, 0), EINVAL);
	OK(close(fd));
}

static void shared_table(void)
{
	char path[64], target[256];
	int fd = open("f", O_RDONLY);
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	CHECK(n > 2);
	target[n] = 0;
	CHECK(!strcmp(strrchr(target, '/'), "/f"));
	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	OK(close(open(path, O_RDONLY)));
	OK(close(fd));
	FAILS(open(path, O_RDONLY), ENOENT);
}

int main(void)
{
	scratch();
	flags();
	duplicates();
	shared_table();
	return 0;
}

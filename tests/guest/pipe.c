/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes: blocking, closing, atomicity, size, readiness, named ones. */
#include "check.h"

#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

static void basics(void)
{
	int p[2], n;
	char buf[16];
	struct stat st;

	OK(pipe(p));
	EQ(p[1], p[0] + 1);
	EQ(write(p[1], "hello", 5), 5);
	OK(ioctl(p[0], FIONREAD, &n));
	EQ(n, 5);
	EQ(read(p[0], buf, 2), 2);
	EQ(read(p[0], buf, 16), 3);
	CHECK(!memcmp(buf, "llo", 3));
	FAILS(write(p[0], "x", 1), EBADF);
	FAILS(read(p[1], buf, 1), EBADF);
	FAILS(lseek(p[0], 0, SEEK_SET), ESPIPE);
	FAILS(pread(p[0], buf, 1, 0), ESPIPE);
	OK(fstat(p[0], &st));
	CHECK(S_ISFIFO(st.st_mode));
	OK(close(p[1]));
	EQ(read(p[0], buf, 1), 0);
	OK(close(p[0]));
	FAILS(pipe2(p, 0x1), EINVAL);
	FAILS(syscall(SYS_pipe, NOWHERE), EFAULT);
	OK(pipe2(p, O_CLOEXEC | O_NONBLOCK));
	EQ(fcntl(p[0], F_GETFD), FD_CLOEXEC);
	EQ(fcntl(p[1], F_GETFL) & (O_NONBLOCK | O_ACCMODE),
	   O_NONBLOCK | O_WRONLY);
	FAILS(read(p[0], buf, 1), EAGAIN);
	EQ(read(p[0], buf, 0), 0);
	OK(close(p[0]));
	OK(close(p[1]));
}

static volatile sig_atomic_t broken;

static void on_pipe(int sig)
{
	broken += sig == SIGPIPE;
}

static void die_writing(void *arg)
{
	ssize_t n = write(*(int *)arg, "x", 1);

	(void)n;
}

static void no_reader(void)
{
	int p[2], status;

	OK(pipe(p));
	OK(close(p[0]));
	signal(SIGPIPE, on_pipe);
	FAILS(write(p[1], "x", 1), EPIPE);
	EQ(broken, 1);
	signal(SIGPIPE, SIG_IGN);
	FAILS(write(p[1], "x", 1), EPIPE);
	signal(SIGPIPE, SIG_DFL);
	status = reap(child(die_writing, &p[1]));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
	OK(close(p[1]));
}

/* A full pipe: how much fits, what poll says, partial writes. */
static void capacity(void)
{
	static char block[1 << 16];
	int p[2], n;
	long total = 0;
	ssize_t got;

	OK(pipe2(p, O_NONBLOCK));
	n = fcntl(p[1], F_GETPIPE_SZ);
	EQ(n, 65536);
	while ((got = write(p[1], block, 4096)) > 0)
		total += got;
	EQ(errno, EAGAIN);
	EQ(total, n);
	{
		struct pollfd pf = {p[1], POLLOUT, 0};
		struct pollfd pr = {p[0], POLLIN, 0};

		EQ(poll(&pf, 1, 0), 0);
		EQ(poll(&pr, 1, 0), 1);
		EQ(pr.revents, POLLIN);
		EQ(read(p[0], block, 4096), 4096);
		EQ(poll(&pf, 1, 0), 1);
		EQ(pf.revents, POLLOUT);
	}
	/* Up to PIPE_BUF all or nothing; beyond, what fits. */
	EQ(write(p[1], block, 4096), 4096);
	EQ(read(p[0], block, 4000), 4000);
	FAILS(write(p[1], block, 4096), EAGAIN);
	while (read(p[0], block, sizeof(block)) > 0)
		;
	EQ(write(p[1], block, 65536), 65536);
	EQ(read(p[0], block, 8192), 8192);
	EQ(write(p[1], block, 65536), 8192);

	FAILS(fcntl(p[1], F_SETPIPE_SZ, 4096), EBUSY);
	while (read(p[0], block, sizeof(block)) > 0)
		;
	EQ(fcntl(p[1], F_SETPIPE_SZ, 5000), 8192);
	EQ(fcntl(p[0], F_GETPIPE_SZ), 8192);
	for (total = 0; (got = write(p[1], block, 4096)) > 0; total += got)
		;
	EQ(total, 8192);
	OK(close(p[0]));
	OK(close(p[1]));
}

static void hangup(void)
{
	struct pollfd pf;
	int p[2];

	OK(pipe(p));
	EQ(write(p[1], "x", 1), 1);
	OK(close(p[1]));
	pf = (struct pollfd){p[0], POLLIN, 0};
	EQ(poll(&pf, 1, -1), 1);
	EQ(pf.revents, POLLIN | POLLHUP);
	await(p[0]);
	pf.events = 0;
	EQ(poll(&pf, 1, -1), 1);
	EQ(pf.revents, POLLHUP);
	OK(close(p[0]));
	OK(pipe(p));
	OK(close(p[0]));
	pf = (struct pollfd){p[1], POLLOUT, 0};
	EQ(poll(&pf, 1, -1), 1);
	CHECK(pf.revents & POLLERR);
	OK(close(p[1]));
}

struct flow {
	int p[2];
	char mark;
};

enum { LINES = 300, LINE = 512 };

static void pour(void *arg)
{
	struct flow *f = arg;
	char line[LINE];

	OK(close(f->p[0]));
	memset(line, f->mark, sizeof(line));
	for (int i = 0; i < LINES; i++)
		EQ(write(f->p[1], line, sizeof(line)), sizeof(line));
}

/* Three blocking writers, one reader: no line is torn. */
static void atomicity(void)
{
	int seen[3] = {0}, have = 0;
	struct flow f;
	char line[LINE];
	pid_t pid[3];
	ssize_t n;

	OK(pipe(f.p));
	for (int i = 0; i < 3; i++) {
		f.mark = (char)('a' + i);
		pid[i] = child(pour, &f);
	}
	OK(close(f.p[1]));
	while ((n = read(f.p[0], line + have, (size_t)(LINE - have))) > 0) {
		have += n;
		if (have < LINE)
			continue;
		for (int i = 1; i < LINE; i++)
			EQ(line[i], line[0]);
		seen[line[0] - 'a']++;
		have = 0;
	}
	EQ(n, 0);
	for (int i = 0; i < 3; i++) {
		EQ(seen[i], LINES);
		passes(pid[i]);
	}
	OK(close(f.p[0]));
}

static void read_all(void *arg)
{
	int *p = arg;
	static char buf[4096];
	long total = 0;
	ssize_t n;

	OK(close(p[1]));
	while ((n = read(p[0], buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			EQ((unsigned char)buf[i],
			   (unsigned char)((total + i) % 251));
		total += n;
	}
	EQ(total, 1 << 20);
}

/* One write far larger than the pipe blocks until all of it is through. */
static void large(void)
{
	unsigned char *big = malloc(1 << 20);
	int p[2];
	pid_t pid;

	for (int i = 0; i < 1 << 20; i++)
		big[i] = (unsigned char)(i % 251);
	OK(pipe(p));
	pid = child(read_all, p);
	OK(close(p[0]));
	EQ(write(p[1], big, 1 << 20), 1 << 20);
	OK(close(p[1]));
	passes(pid);
	free(big);
}

static void open_writer(void *arg)
{
	int fd = open("fifo", O_WRONLY);

	(void)arg;
	OK(fd);
	tell(fd);
}

static void named(void)
{
	char c;
	pid_t pid;
	int fd, w;

	OK(mkfifo("fifo", 0600));
	FAILS(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
	fd = open("fifo", O_RDONLY | O_NONBLOCK);
	OK(fd);
	EQ(read(fd, &c, 1), 0); /* no writer: end of file */
	w = open("fifo", O_WRONLY | O_NONBLOCK);
	OK(w);
	FAILS(read(fd, &c, 1), EAGAIN);
	OK(close(w));
	OK(close(fd));
	pid = child(open_writer, NULL);
	fd = open("fifo", O_RDONLY); /* each waits for the other */
	OK(fd);
	await(fd);
	EQ(read(fd, &c, 1), 0);
	passes(pid);
	OK(close(fd));
	fd = open("fifo", O_RDWR);
	OK(fd);
	tell(fd);
	await(fd);
	OK(close(fd));
}

static void plumbing(void)
{
	struct iovec v = {"vm", 2};
	int a[2], b[2];
	char buf[16];

	OK(pipe(a));
	OK(pipe(b));
	EQ(write(a[1], "abcdef", 6), 6);
	EQ(tee(a[0], b[1], 3, 0), 3);
	EQ(read(b[0], buf, 16), 3);
	CHECK(!memcmp(buf, "abc", 3));
	EQ(splice(a[0], NULL, b[1], NULL, 4, 0), 4);
	EQ(read(b[0], buf, 16), 4);
	CHECK(!memcmp(buf, "abcd", 4));
	EQ(read(a[0], buf, 16), 2);
	EQ(vmsplice(a[1], &v, 1, 0), 2);
	EQ(read(a[0], buf, 16), 2);
	CHECK(!memcmp(buf, "vm", 2));
	FAILS(splice(a[0], NULL, b[1], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
	FAILS(tee(a[0], a[1], 1, 0), EINVAL);
}

/* An end opened again by its name waits for nobody. */
static void reopened(void)
{
	char name[64], c;
	int p[2], fd;

	OK(pipe(p));
	snprintf(name, sizeof(name), "/proc/self/fd/%d", p[0]);
	fd = open(name, O_RDONLY);
	OK(fd);
	EQ(write(p[1], "x", 1), 1);
	EQ(read(fd, &c, 1), 1);
	OK(close(p[1]));
	OK(close(fd));
	/* Nor for a writer that has gone: it is at the end. */
	fd = open(name, O_RDONLY);
	OK(fd);
	EQ(read(fd, &c, 1), 0);
	OK(close(fd));
	fd = open(name, O_WRONLY | O_NONBLOCK);
	OK(fd);
	OK(close(fd));
	OK(close(p[0]));
	fd = open("/proc/self/comm", O_WRONLY | O_TRUNC);
	OK(fd);
	OK(close(fd));
}

int main(void)
{
	scratch();
	basics();
	no_reader();
	capacity();
	hangup();
	atomicity();
	large();
	named();
	plumbing();
	reopened();
	return 0;
}

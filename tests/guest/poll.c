/* SPDX-License-Identifier: Apache-2.0 */
/* poll(2) and select(2). */
#include "check.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/time.h>

static void polling(void)
{
	struct pollfd pf[4];
	int p[2];

	OK(pipe(p));
	pf[0] = (struct pollfd){p[0], POLLIN, -1};
	pf[1] = (struct pollfd){p[1], POLLOUT, -1};
	pf[2] = (struct pollfd){-1, POLLIN, -1}; /* negative: passed over */
	pf[3] = (struct pollfd){0x7000, POLLIN, 0};
	EQ(poll(pf, 4, -1), 2);
	EQ(pf[0].revents, 0);
	EQ(pf[1].revents, POLLOUT);
	EQ(pf[2].revents, 0);
	EQ(pf[3].revents, POLLNVAL);
	tell(p[1]);
	EQ(poll(pf, 2, -1), 2);
	EQ(pf[0].revents, POLLIN);
	await(p[0]);
	EQ(poll(pf, 1, 0), 0);
	EQ(poll(pf, 1, 1), 0);
	EQ(poll(NULL, 0, 1), 0);
	FAILS(poll(NOWHERE, 1, 0), EFAULT);
	FAILS(poll(pf, RLIM_INFINITY, 0), EINVAL);
	OK(close(p[0]));
	OK(close(p[1]));
	/* Regular files are always ready. */
	pf[0] = (struct pollfd){open("/etc/passwd", O_RDONLY), POLLIN | POLLOUT,
	                        0};
	EQ(poll(pf, 1, -1), 1);
	EQ(pf[0].revents, POLLIN | POLLOUT);
}

static void selecting(void)
{
	struct timeval zero = {0, 0}, soon = {0, 1000}, bad = {-1, 0};
	fd_set in, out;
	int p[2];

	OK(pipe(p));
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(p[0], &in);
	FD_SET(p[1], &out);
	EQ(select(p[1] + 1, &in, &out, NULL, NULL), 1);
	CHECK(!FD_ISSET(p[0], &in) && FD_ISSET(p[1], &out));
	FD_SET(p[0], &in);
	EQ(select(p[0] + 1, &in, NULL, NULL, &soon), 0);
	CHECK(!FD_ISSET(p[0], &in));
	EQ(soon.tv_sec + soon.tv_usec, 0); /* Linux says what is left */
	tell(p[1]);
	FD_SET(p[0], &in);
	EQ(select(p[1] + 1, &in, &out, NULL, &zero), 2);
	FAILS(select(-1, NULL, NULL, NULL, &zero), EINVAL);
	FAILS(select(0, NULL, NULL, NULL, &bad), EINVAL);
	OK(close(p[1]));
	FD_ZERO(&out);
	FD_SET(p[1], &out);
	FAILS(select(p[1] + 1, NULL, &out, NULL, &zero), EBADF);
	FAILS(select(10, NOWHERE, NULL, NULL, &zero), EFAULT);
	/* End of file counts as readable. */
	await(p[0]);
	FD_SET(p[0], &in);
	EQ(select(p[0] + 1, &in, NULL, NULL, NULL), 1);
	OK(close(p[0]));
}

static void write_later(void *arg)
{
	char stat[512], path[64], *s;

	snprintf(path, sizeof(path), "/proc/%d/stat", getppid());
	do {
		get_file(path, stat, sizeof(stat));
		s = strrchr(stat, ')');
	} while (s[2] != 'S');
	tell(*(int *)arg);
}

static void waking(void)
{
	struct pollfd pf;
	fd_set in;
	pid_t pid;
	int p[2];

	OK(pipe(p));
	pf = (struct pollfd){p[0], POLLIN, 0};
	pid = child(write_later, &p[1]);
	EQ(poll(&pf, 1, -1), 1);
	await(p[0]);
	passes(pid);
	pid = child(write_later, &p[1]);
	FD_ZERO(&in);
	FD_SET(p[0], &in);
	EQ(select(p[0] + 1, &in, NULL, NULL, NULL), 1);
	passes(pid);
}

static void raw_pselect(void)
{
	struct timespec ts = {0, 1000};
	sigset_t set;

	sigemptyset(&set);
	EQ(pselect(0, NULL, NULL, NULL, &ts, &set), 0);
	EQ(ts.tv_nsec, 1000); /* the library keeps the caller's */
	ts.tv_nsec = -1;
	FAILS(pselect(0, NULL, NULL, NULL, &ts, NULL), EINVAL);
	FAILS(ppoll(NULL, 0, &ts, NULL), EINVAL);
}

int main(void)
{
	polling();
	selecting();
	waking();
	raw_pselect();
	return 0;
}

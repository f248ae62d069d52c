/* SPDX-License-Identifier: Apache-2.0 */
/* Record locks of processes and of open files, and flock(2). */
#include "check.h"

#include <sys/file.h>

static struct flock range(short type, off_t start, off_t len)
{
	return (struct flock){.l_type = type,
	                      .l_whence = SEEK_SET,
	                      .l_start = start,
	                      .l_len = len};
}

static int try(int fd, int cmd, short type, off_t start, off_t len)
{
	struct flock l = range(type, start, len);

	return fcntl(fd, cmd, &l);
}

static void conflicts(void *arg)
{
	pid_t owner = *(pid_t *)arg;
	int fd = open("f", O_RDWR);
	struct flock l = range(F_WRLCK, 0, 0);

	OK(fd);
	OK(fcntl(fd, F_GETLK, &l));
	EQ(l.l_type, F_WRLCK);
	EQ(l.l_start, 10);
	EQ(l.l_len, 10);
	EQ(l.l_pid, owner);
	errno = 0;
	EQ(try(fd, F_SETLK, F_WRLCK, 0, 11), -1);
	CHECK(errno == EAGAIN || errno == EACCES);
	OK(try(fd, F_SETLK, F_WRLCK, 0, 10));
	OK(try(fd, F_SETLK, F_WRLCK, 20, 0));
	EQ(try(fd, F_SETLK, F_RDLCK, 15, 1), -1);
	/* Readers share. */
	OK(try(fd, F_SETLK, F_RDLCK, 30, 5));
}

static void of_processes(void)
{
	int fd = open("f", O_RDWR | O_CREAT, 0600), two;
	pid_t me = getpid();

	OK(try(fd, F_SETLK, F_WRLCK, 10, 10));
	apart(conflicts, &me);
	OK(try(fd, F_SETLK, F_RDLCK, 12, 2)); /* our own do not conflict */
	OK(try(fd, F_SETLK, F_WRLCK, 12, 2));
	/* Closing any descriptor of the file gives them all up. */
	two = open("f", O_RDWR);
	OK(close(two));
	{
		struct flock l = range(F_WRLCK, 0, 0);

		OK(fcntl(fd, F_GETLK, &l));
		EQ(l.l_type, F_UNLCK);
	}
	FAILS(try(fd, F_SETLK, 99, 0, 1), EINVAL);
	FAILS(try(fd, F_SETLK, F_WRLCK, -1, 1), EINVAL);
	OK(close(fd));
	fd = open("f", O_RDONLY);
	FAILS(try(fd, F_SETLK, F_WRLCK, 0, 1), EBADF);
	OK(close(fd));
	FAILS(try(fd, F_SETLK, F_WRLCK, 0, 1), EBADF);
}

struct talk {
	int ready[2];
	int go[2];
};

static void hold_then_die(void *arg)
{
	struct talk *t = arg;
	int fd = open("f", O_RDWR);

	OK(try(fd, F_SETLK, F_WRLCK, 0, 0));
	tell(t->ready[1]);
	await(t->go[0]);
}

static void waiting(void)
{
	int fd = open("f", O_RDWR);
	struct talk t;
	pid_t pid;

	OK(pipe(t.ready));
	OK(pipe(t.go));
	pid = child(hold_then_die, &t);
	await(t.ready[0]);
	EQ(try(fd, F_SETLK, F_RDLCK, 0, 1), -1);
	tell(t.go[1]);
	OK(try(fd, F_SETLKW, F_WRLCK, 0, 0)); /* until the holder is gone */
	passes(pid);
	OK(close(fd));
}

/* Two that wait for each other: one is told. */
static void cross(void *arg)
{
	struct talk *t = arg;
	int fd = open("f", O_RDWR);

	OK(try(fd, F_SETLK, F_WRLCK, 1, 1));
	tell(t->ready[1]);
	OK(try(fd, F_SETLKW, F_WRLCK, 0, 1));
}

static void deadlock(void)
{
	int fd = open("f", O_RDWR);
	char path[64], stat[512];
	struct talk t;
	pid_t pid;

	OK(pipe(t.ready));
	OK(try(fd, F_SETLK, F_WRLCK, 0, 1));
	pid = child(cross, &t);
	await(t.ready[0]);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	do
		get_file(path, stat, sizeof(stat));
	while (strrchr(stat, ')')[2] != 'S');
	FAILS(try(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
	OK(try(fd, F_SETLK, F_UNLCK, 0, 0));
	passes(pid);
	OK(close(fd));
}

static void of_open_files(void)
{
	int a = open("f", O_RDWR), b = open("f", O_RDWR), c;

	OK(try(a, F_OFD_SETLK, F_WRLCK, 0, 10));
	FAILS(try(b, F_OFD_SETLK, F_WRLCK, 5, 1), EAGAIN);
	OK(try(b, F_OFD_SETLK, F_WRLCK, 10, 1));
	c = dup(a);
	OK(try(c, F_OFD_SETLK, F_WRLCK, 0, 5)); /* the same open file */
	OK(close(c));
	FAILS(try(b, F_OFD_SETLK, F_RDLCK, 0, 1), EAGAIN);
	{
		struct flock l = range(F_WRLCK, 0, 1);

		OK(fcntl(b, F_OFD_GETLK, &l));
		EQ(l.l_pid, -1);
	}
	OK(close(a));
	OK(try(b, F_OFD_SETLK, F_WRLCK, 0, 1));
	OK(close(b));
}

static void whole(void)
{
	int a = open("f", O_RDWR), b = open("f", O_RDWR), c = dup(a);

	OK(flock(a, LOCK_SH));
	OK(flock(b, LOCK_SH | LOCK_NB));
	FAILS(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	OK(flock(a, LOCK_UN));
	OK(flock(b, LOCK_EX | LOCK_NB));
	FAILS(flock(c, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	OK(flock(b, LOCK_UN));
	OK(flock(c, LOCK_EX));
	OK(close(a)); /* c still holds the open file */
	FAILS(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	OK(close(c));
	OK(flock(b, LOCK_SH | LOCK_NB));
	FAILS(flock(b, 77), EINVAL);
	FAILS(flock(-1, LOCK_SH), EBADF);
	OK(close(b));
}

static void flock_then_die(void *arg)
{
	struct talk *t = arg;
	int fd = open("f", O_RDWR);

	OK(flock(fd, LOCK_EX));
	tell(t->ready[1]);
	await(t->go[0]);
}

static void flock_waits(void)
{
	int fd = open("f", O_RDWR);
	struct talk t;
	pid_t pid;

	OK(pipe(t.ready));
	OK(pipe(t.go));
	pid = child(flock_then_die, &t);
	await(t.ready[0]);
	tell(t.go[1]);
	OK(flock(fd, LOCK_EX));
	passes(pid);
	OK(close(fd));
}

int main(void)
{
	scratch();
	of_processes();
	waiting();
	deadlock();
	of_open_files();
	whole();
	flock_waits();
	return 0;
}

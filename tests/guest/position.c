/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The position of an open file: whoever reads, writes or seeks through the
 * same description moves one and the same, in whatever process, and each byte
 * is read once.
 */
#include "numbers.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define THREADS 4

static void reading(void)
{
	int fd = warm(O_RDONLY);
	uint64_t some[512];
	long at = WARM;
	ssize_t n;

	while ((n = read(fd, some, sizeof(some))) > 0) {
		EQ(n % 8, 0);
		EQ(some[0], at);
		at += n / 8;
		EQ(some[n / 8 - 1], at - 1);
	}
	EQ(n, 0);
	EQ(at, NUMBERS);
	EQ(read(fd, some, 8), 0);
	EQ(lseek(fd, 0, SEEK_CUR), SIZE);
	EQ(read(fd, some, 0), 0);
	EQ(lseek(fd, -16, SEEK_CUR), SIZE - 16);
	EQ(read(fd, some, sizeof(some)), 16);
	EQ(some[0], NUMBERS - 2);
	OK(close(fd));
	FAILS(read(fd, some, 8), EBADF);
	FAILS(lseek(fd, 0, SEEK_SET), EBADF);
}

static void seeking(void)
{
	int fd = warm(O_RDONLY);
	uint64_t n;

	for (long i = 0; i < 300; i++) {
		long at = i * 7919 % NUMBERS;

		EQ(lseek(fd, at * 8, SEEK_SET), at * 8);
		next_is(fd, at);
		EQ(lseek(fd, 0, SEEK_CUR), at * 8 + 8);
	}
	FAILS(lseek(fd, -1, SEEK_SET), EINVAL);
	FAILS(lseek(fd, -SIZE * 2, SEEK_CUR), EINVAL);
	FAILS(lseek(fd, 0, 77), EINVAL);
	EQ(lseek(fd, 80, SEEK_SET), 80);
	EQ(lseek(fd, 8, SEEK_CUR), 88);
	next_is(fd, 11);
	EQ(lseek(fd, -8, SEEK_END), SIZE - 8);
	next_is(fd, NUMBERS - 1);
	EQ(lseek(fd, 1L << 42, SEEK_SET), 1L << 42);
	EQ(read(fd, &n, 8), 0);
	EQ(lseek(fd, 0, SEEK_CUR), 1L << 42);
	FAILS(lseek(fd, INT64_MAX, SEEK_CUR), EINVAL);
	EQ(lseek(fd, 0, SEEK_SET), 0);
	read_on(fd, 0, WARM);
	EQ(pread(fd, &n, 8, 800), 8);
	EQ(n, 100);
	next_is(fd, WARM);
	OK(close(fd));
}

static void numbers_of_the_same_description(void)
{
	int fd = warm(O_RDONLY), two = dup(fd), other;

	OK(two);
	for (long i = 0; i < 40; i++)
		next_is(i % 2 ? fd : two, WARM + i);
	read_on(fd, WARM + 40, WARM + 60);
	EQ(lseek(two, 0, SEEK_CUR), (WARM + 60) * 8);
	EQ(lseek(two, 0, SEEK_SET), 0);
	next_is(fd, 0);
	/* Another file under the first number, the old under the second. */
	other = open("numbers", O_RDONLY);
	OK(other);
	read_on(other, 0, 5);
	EQ(dup2(other, fd), fd);
	next_is(fd, 5);
	next_is(two, 1);
	read_on(other, 6, 20);
	read_on(two, 2, 20);
	next_is(fd, 20);
	OK(close(other));
	next_is(fd, 21);
	OK(close(fd));
	EQ(open("numbers", O_RDONLY), other < fd ? other : fd);
	next_is(other < fd ? other : fd, 0);
	next_is(two, 20);
	OK(close(two));
	OK(close(other < fd ? other : fd));
}

/* A number is closed and opened again, many times over. */
static void numbers_again(void)
{
	for (int i = 0; i < 20; i++) {
		int fd = warm(O_RDONLY);

		read_on(fd, WARM, WARM + 20);
		OK(close(fd));
	}
}

static void two_descriptions(void)
{
	int a = warm(O_RDONLY), b = warm(O_RDONLY);
	char path[64];
	int c;

	read_on(a, WARM, 50);
	read_on(b, WARM, 30);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", a);
	c = open(path, O_RDONLY);
	OK(c);
	read_on(c, 0, WARM);
	next_is(a, 50);
	next_is(b, 30);
	OK(close(a));
	OK(close(b));
	next_is(c, WARM);
	OK(close(c));
}

struct turns {
	int fd;
	int there[2], back[2];
};

static void other_turns(void *arg)
{
	struct turns *t = arg;

	for (long i = 0; i < 30; i++) {
		await(t->there[0]);
		read_on(t->fd, WARM + i * 4 + 2, WARM + i * 4 + 4);
		tell(t->back[1]);
	}
	await(t->there[0]);
	EQ(lseek(t->fd, 0, SEEK_SET), 0);
	read_on(t->fd, 0, WARM * 2);
}

static void after_fork(void)
{
	struct turns t = {.fd = warm(O_RDONLY)};
	pid_t pid;

	OK(pipe(t.there));
	OK(pipe(t.back));
	pid = child(other_turns, &t);
	for (long i = 0; i < 30; i++) {
		read_on(t.fd, WARM + i * 4, WARM + i * 4 + 2);
		tell(t.there[1]);
		await(t.back[0]);
	}
	tell(t.there[1]);
	passes(pid);
	/* It has gone, and left the position where it was. */
	read_on(t.fd, WARM * 2, WARM * 4);
	for (int i = 0; i < 2; i++) {
		OK(close(t.there[i]));
		OK(close(t.back[i]));
	}
	OK(close(t.fd));
}

static void read_and_die(void *arg)
{
	struct turns *t = arg;

	read_on(t->fd, WARM, 100);
	tell(t->back[1]);
	pause();
}

static void after_a_kill(void)
{
	struct turns t = {.fd = warm(O_RDONLY)};
	pid_t pid;
	int status;

	OK(pipe(t.back));
	pid = child(read_and_die, &t);
	await(t.back[0]);
	OK(kill(pid, SIGKILL));
	status = reap(pid);
	CHECK(WIFSIGNALED(status));
	read_on(t.fd, 100, 200);
	OK(close(t.back[0]));
	OK(close(t.back[1]));
	OK(close(t.fd));
}

static void child_of_vfork(void)
{
	int fd = warm(O_RDONLY), other = open("numbers", O_RDONLY);
	pid_t pid;

	OK(other);
	pid = vfork();
	OK(pid);
	if (pid == 0) {
		uint64_t have[32];
		long n = 0;

		/* The numbers are its own, the descriptions are not. */
		dup2(other, fd);
		for (int i = 0; i < 16; i++)
			n += read(fd, &have[i], 8);
		_exit(n == 128 && have[0] == 0 && have[15] == 15 ? 0 : 1);
	}
	passes(pid);
	read_on(fd, WARM, 100);
	read_on(other, 16, 100);
	OK(close(fd));
	OK(close(other));
}

/* What comes in over a socket. */
static int receive(int sock)
{
	char byte;
	struct iovec iov = {&byte, 1};
	char room[CMSG_SPACE(sizeof(int))];
	struct msghdr m = {.msg_iov = &iov,
	                   .msg_iovlen = 1,
	                   .msg_control = room,
	                   .msg_controllen = sizeof(room)};
	int fd;

	EQ(recvmsg(sock, &m, 0), 1);
	CHECK(CMSG_FIRSTHDR(&m));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

static void give(int sock, int fd)
{
	struct iovec iov = {"f", 1};
	char room[CMSG_SPACE(sizeof(int))] = "";
	struct msghdr m = {.msg_iov = &iov,
	                   .msg_iovlen = 1,
	                   .msg_control = room,
	                   .msg_controllen = sizeof(room)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	EQ(sendmsg(sock, &m, 0), 1);
}

static void taker(void *arg)
{
	int sock = *(int *)arg;
	int fd = receive(sock);

	read_on(fd, WARM, 50);
	tell(sock);
	await(sock);
	read_on(fd, 60, 90);
}

static void sent_in_a_message(void)
{
	int ends[2], fd;
	pid_t pid;

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	pid = child(taker, &ends[1]);
	fd = warm(O_RDONLY);
	give(ends[0], fd);
	await(ends[0]);
	read_on(fd, 50, 60);
	tell(ends[0]);
	passes(pid);
	next_is(fd, 90);
	/* One that is on its way while we close ours. */
	give(ends[0], fd);
	read_on(fd, 91, 100);
	OK(close(fd));
	fd = receive(ends[1]);
	read_on(fd, 100, 120);
	OK(close(fd));
	OK(close(ends[0]));
	OK(close(ends[1]));
}

/* Each number is read by one of many, once. */
struct reader {
	int fd;
	pthread_barrier_t *start;
	uint8_t *seen;
};

static void read_all(int fd, uint8_t *seen)
{
	uint64_t have[4];
	ssize_t n;

	while ((n = read(fd, have, sizeof(have))) > 0)
		for (int i = 0; i < n / 8; i++)
			__atomic_add_fetch(&seen[have[i]], 1, __ATOMIC_RELAXED);
	EQ(n, 0);
}

static void *reader(void *arg)
{
	struct reader *r = arg;

	pthread_barrier_wait(r->start);
	read_all(r->fd, r->seen);
	return NULL;
}

/* Threads read, and perhaps a child, which one of them makes meanwhile. */
static void many(bool forks)
{
	pthread_t threads[THREADS];
	pthread_barrier_t start;
	struct reader r = {.fd = warm(O_RDONLY), .start = &start};
	pid_t pid = 0;

	r.seen = mmap(NULL, NUMBERS, PROT_READ | PROT_WRITE,
	              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(r.seen != MAP_FAILED);
	PTHREAD(pthread_barrier_init(&start, NULL, THREADS + 1));
	for (int i = 0; i < THREADS; i++)
		PTHREAD(pthread_create(&threads[i], NULL, reader, &r));
	pthread_barrier_wait(&start);
	if (forks) {
		pid = fork();
		OK(pid);
		if (pid == 0) {
			read_all(r.fd, r.seen);
			_exit(0);
		}
	}
	for (int i = 0; i < THREADS; i++)
		PTHREAD(pthread_join(threads[i], NULL));
	if (forks)
		passes(pid);
	for (long i = 0; i < NUMBERS; i++)
		EQ(r.seen[i], i >= WARM);
	EQ(lseek(r.fd, 0, SEEK_CUR), SIZE);
	OK(munmap(r.seen, NUMBERS));
	OK(close(r.fd));
}

struct writer {
	int fd;
	uint64_t from;
	pthread_barrier_t *start;
};

#define EACH 500

static void *writer(void *arg)
{
	struct writer *w = arg;

	pthread_barrier_wait(w->start);
	for (uint64_t i = 0; i < EACH; i++) {
		uint64_t n = w->from + i;

		EQ(write(w->fd, &n, 8), 8);
	}
	return NULL;
}

/* Each number is written once, those of one thread in their order. */
static void many_writers(void)
{
	static uint64_t have[THREADS * EACH + 1];
	uint64_t next[THREADS] = {0};
	struct writer w[THREADS];
	pthread_t threads[THREADS];
	pthread_barrier_t start;
	int fd = open("written", O_RDWR | O_CREAT | O_TRUNC, 0600);

	OK(fd);
	PTHREAD(pthread_barrier_init(&start, NULL, THREADS));
	for (uint64_t i = 0; i < THREADS; i++) {
		w[i] = (struct writer){fd, i * EACH, &start};
		PTHREAD(pthread_create(&threads[i], NULL, writer, &w[i]));
	}
	for (int i = 0; i < THREADS; i++)
		PTHREAD(pthread_join(threads[i], NULL));
	EQ(lseek(fd, 0, SEEK_CUR), THREADS * EACH * 8);
	EQ(pread(fd, have, sizeof(have), 0), THREADS * EACH * 8);
	for (int i = 0; i < THREADS * EACH; i++) {
		CHECK(have[i] < THREADS * EACH);
		EQ(have[i] % EACH, next[have[i] / EACH]++);
	}
	OK(close(fd));
}

static int shares_table(void *arg)
{
	int fd = *(int *)arg;

	OK(close(fd));
	EQ(open("backward", O_RDONLY), fd);
	return 0;
}

/* Another process with the same table, and memory of its own, puts another
 * file in the place of one that we have read. */
static void shared_table(void)
{
	static char stack[256 << 10];
	uint64_t n = 0;
	int fd = warm(O_RDONLY);
	int out = open("backward", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	pid_t pid;

	OK(out);
	for (long i = 0; i < 100; i++)
		EQ(write(out, &numbers[NUMBERS - 1 - i], 8), 8);
	OK(close(out));
	pid = clone(shares_table, stack + sizeof(stack), CLONE_FILES | SIGCHLD,
	            &fd);
	OK(pid);
	passes(pid);
	for (long i = 0; i < 50; i++)
		next_is(fd, NUMBERS - 1 - i);
	EQ(pread(fd, &n, 8, 0), 8);
	EQ(n, NUMBERS - 1);
	OK(close(fd));
}

static void *own_table(void *arg)
{
	int fd = *(int *)arg;

	OK(unshare(CLONE_FILES));
	OK(close(fd));
	EQ(open("numbers", O_RDONLY), fd);
	read_on(fd, 0, 50);
	return NULL;
}

/* A thread with a table of its own. */
static void tables_part(void)
{
	int fd = warm(O_RDONLY);
	pthread_t thread;

	PTHREAD(pthread_create(&thread, NULL, own_table, &fd));
	read_on(fd, WARM, 200);
	PTHREAD(pthread_join(thread, NULL));
	read_on(fd, 200, 300);
	OK(close(fd));
}

/* The program again, with the position where it was. */
static void through_exec(const char *self)
{
	int fd = warm(O_RDONLY);
	char text[16];
	pid_t pid;

	for (int i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), "%d", fd);
		pid = i ? vfork() : fork();
		OK(pid);
		if (pid == 0) {
			execl(self, self, "exec", text, NULL);
			_exit(1);
		}
		passes(pid);
	}
	EQ(lseek(fd, 0, SEEK_CUR), (WARM + 2 * 60) * 8);
	read_on(fd, WARM + 120, 200);
	OK(close(fd));
}

static void execed(const char *self, int fd, bool last)
{
	long at = lseek(fd, 0, SEEK_CUR) / 8;
	char text[16];

	read_on(fd, at, at + 30);
	if (last)
		return;
	snprintf(text, sizeof(text), "%d", fd);
	execl(self, self, "last", text, NULL);
	_exit(1);
}

int main(int argc, char **argv)
{
	char self[4096];

	if (argc > 2) {
		execed(argv[0], atoi(argv[2]), !strcmp(argv[1], "last"));
		return 0;
	}
	CHECK(realpath(argv[0], self));
	scratch();
	make("numbers");
	reading();
	seeking();
	numbers_of_the_same_description();
	numbers_again();
	two_descriptions();
	after_fork();
	after_a_kill();
	child_of_vfork();
	sent_in_a_message();
	many(false);
	many(true);
	many_writers();
	shared_table();
	tables_part();
	through_exec(self);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times single calls, one line each: name, nanoseconds a call.
 *
 *	micro            all of them
 *	micro flood N    writes N MiB to standard output, 64 KiB at a time
 *	micro drain      reads standard input to its end: prints MB/s
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FILE_PATH "/usr/bin/env"
#define BLOCK     65536u

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int file;
static int ends[2];
static char buf[BLOCK];

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void do_getppid(void)
{
	syscall(SYS_getppid);
}

static void do_stat(void)
{
	struct stat st;

	if (stat(FILE_PATH, &st) < 0)
		fail("stat");
}

static void do_pread(void)
{
	if (pread(file, buf, 4096, 4096) != 4096)
		fail("pread");
}

/* From the whole file, again and again: each time a seek, then reads. */
static void do_read(void)
{
	ssize_t n = read(file, buf, 4096);

	if (n < 0 || (n < 4096 && lseek(file, 0, SEEK_SET) != 0))
		fail("read");
}

static void do_open(void)
{
	int fd = open(FILE_PATH, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail("open");
	close(fd);
}

static void do_pipe(void)
{
	if (write(ends[1], buf, 1) != 1 || read(ends[0], buf, 1) != 1)
		fail("pipe");
}

static void do_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		fail("fork");
}

static const struct {
	const char *name;
	void (*call)(void);
	unsigned times;
} calls[] = {
	{"getppid", do_getppid, 200000}, {"stat", do_stat, 50000},
	{"pread", do_pread, 50000},      {"read", do_read, 50000},
	{"open+close", do_open, 20000},  {"pipe", do_pipe, 20000},
	{"fork+exit", do_fork, 300},
};

static int flood(long mib)
{
	for (long i = 0; i < mib * 16; i++) {
		size_t done = 0;

		while (done < BLOCK) {
			ssize_t n = write(1, buf + done, BLOCK - done);

			if (n < 0)
				fail("write");
			done += (size_t)n;
		}
	}
	return 0;
}

static int drain(void)
{
	uint64_t start = 0, total = 0, took;
	ssize_t n;

	while ((n = read(0, buf, sizeof(buf))) > 0) {
		if (start == 0)
			start = now(); /* the way there does not count */
		total += (uint64_t)n;
	}
	if (n < 0)
		fail("read");
	took = now() - start;
	printf("%.1f\n", (double)total * 1e3 / (double)took);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "flood") == 0)
		return flood(atol(argv[2]));
	if (argc > 1 && strcmp(argv[1], "drain") == 0)
		return drain();

	file = open(FILE_PATH, O_RDONLY | O_CLOEXEC);
	if (file < 0 || pipe(ends) < 0)
		fail("start");
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		uint64_t start;

		/* The first calls warm caches and patch sites. */
		for (unsigned k = 0; k < calls[i].times / 10; k++)
			calls[i].call();
		start = now();
		for (unsigned k = 0; k < calls[i].times; k++)
			calls[i].call();
		printf("%s %.1f\n", calls[i].name,
		       (double)(now() - start) / calls[i].times);
		fflush(stdout);
	}
	return 0;
}

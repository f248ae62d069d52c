/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the guest programs share: checks that end the program with a sentence,
 * a folder to work in, and children whose verdict counts.
 *
 * A guest program is a plain Linux program.  It exits with 0 if everything was
 * as Linux has it, with 77 and a reason if it cannot tell, and else with 1
 * after a message.  It waits for events, never for time.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The expression holds, whatever it is. */
#define CHECK(cond)                                                  \
	do {                                                         \
		if (!(cond))                                         \
			check_fail(__FILE__, __LINE__, #cond, 0, 0); \
	} while (0)

/* The call succeeds: its value is not -1. */
#define OK(call)                                                     \
	do {                                                         \
		if ((long)(call) == -1)                              \
			check_fail(__FILE__, __LINE__, #call, 0, 1); \
	} while (0)

/* Both are the same number. */
#define EQ(a, b)                                                              \
	do {                                                                  \
		long check_a = (long)(a), check_b = (long)(b);                \
		if (check_a != check_b)                                       \
			check_fail(__FILE__, __LINE__, #a " == " #b, check_a, \
			           check_b);                                  \
	} while (0)

/* The call returns -1 with this errno. */
#define FAILS(call, err)                                                     \
	do {                                                                 \
		long check_r = (long)(call);                                 \
		if (check_r != -1 || errno != (err))                         \
			check_fail(__FILE__, __LINE__, #call " gives " #err, \
			           check_r, 1);                              \
	} while (0)

/* The call returns this errno, as the pthread functions do. */
#define PTHREAD(call) EQ(call, 0)

#define SKIP(...)                    \
	do {                         \
		printf(__VA_ARGS__); \
		printf("\n");        \
		fflush(stdout);      \
		_exit(77);           \
	} while (0)

__attribute__((noreturn)) static inline void check_fail(const char *file,
                                                        int line,
                                                        const char *what,
                                                        long a, long b)
{
	int err = errno;
	char text[512];
	int n = snprintf(text, sizeof(text),
	                 "%s:%d: not so: %s (%ld, %ld; errno %d: %s)\n", file,
	                 line, what, a, b, err, strerror(err));
	ssize_t done = write(2, text, (size_t)n);

	(void)done;
	_exit(1);
}

static char check_dir[64];
static pid_t check_owner;

static inline int check_unlink(const char *path, const struct stat *st,
                               int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static inline void check_cleanup(void)
{
	if (getpid() == check_owner)
		nftw(check_dir, check_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

/* Goes to an empty folder of our own, gone again at exit(). */
static inline void scratch(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(check_dir, sizeof(check_dir), "%.40s/guest.XXXXXX",
	         tmp ? tmp : "/tmp");
	CHECK(mkdtemp(check_dir));
	OK(chdir(check_dir));
	check_owner = getpid();
	atexit(check_cleanup);
}

/* A file with this content. */
static inline void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	OK(fd);
	EQ(write(fd, text, strlen(text)), strlen(text));
	OK(close(fd));
}

/* The content of a file, as a string in a buffer of the caller's. */
static inline ssize_t get_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t have = 0;
	ssize_t n;

	OK(fd);
	while ((n = read(fd, buf + have, size - 1 - have)) > 0)
		have += (size_t)n;
	OK(n);
	buf[have] = 0;
	OK(close(fd));
	return (ssize_t)have;
}

/* Starts a child that runs fn(arg) and exits with 0. */
static inline pid_t child(void (*fn)(void *), void *arg)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	OK(pid);
	if (pid == 0) {
		fn(arg);
		_exit(0);
	}
	return pid;
}

/* Waits for a child; returns its wait status. */
static inline int reap(pid_t pid)
{
	int status;
	pid_t got;

	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	EQ(got, pid);
	return status;
}

/* Waits for a child that must be content. */
static inline void passes(pid_t pid)
{
	int status = reap(pid);

	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		_exit(77);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Runs fn(arg) in a child that must be content. */
static inline void apart(void (*fn)(void *), void *arg)
{
	passes(child(fn, arg));
}

/* A pair of pipes' ends for one process to wait for another's word. */
static inline void tell(int fd)
{
	EQ(write(fd, "x", 1), 1);
}

static inline void await(int fd)
{
	char c;

	EQ(read(fd, &c, 1), 1);
	EQ(c, 'x');
}

/* An address that no process has mapped. */
#define NOWHERE ((void *)16)

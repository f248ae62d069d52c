/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of numbers of eight bytes: what stands at 8 * n is n.
 */
#pragma once

#include "check.h"

#define NUMBERS 40000L
#define SIZE    (NUMBERS * 8)
#define WARM    12 /* reads after which nothing is new to anybody */

static uint64_t numbers[NUMBERS];

static void make(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	OK(fd);
	for (long i = 0; i < NUMBERS; i++)
		numbers[i] = (uint64_t)i;
	EQ(write(fd, numbers, SIZE), SIZE);
	OK(close(fd));
}

/* The next number is `n`. */
static void next_is(int fd, long n)
{
	uint64_t have = 0;

	EQ(read(fd, &have, 8), 8);
	EQ(have, n);
}

/* Reads numbers `from` to `to`, without `to`. */
static void read_on(int fd, long from, long to)
{
	while (from < to)
		next_is(fd, from++);
}

/* Opened, and read so often that it will go on in the same way. */
static int warm(int flags)
{
	int fd = open("numbers", flags);

	OK(fd);
	read_on(fd, 0, WARM);
	return fd;
}

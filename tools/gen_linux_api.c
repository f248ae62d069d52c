/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes docs/linux-api.md: every system call we know and who answers it, from
 * channel/syscalls.def and from which handlers there are.
 *
 *	gen-linux-api          prints it
 *	gen-linux-api FILE     fails if FILE is not what it would print
 */
#include <stdio.h>
#include <string.h>

#include "kernel/syscall.h"

enum where { KERNEL, STUB, BOTH };

/* What the stub knows and refuses, with the error of a Linux without it. */
static const char *const refused[] = {"rseq", "clone3"};

#define SYSCALL(nr, name, where, args) \
	row(to, nr, #name, answered_by(#name, where, sys_##name != NULL));

static const char *answered_by(const char *name, enum where where, bool handled)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (strcmp(name, refused[i]) == 0)
			return "ENOSYS";
	if (where == STUB)
		return "the cell";
	if (!handled)
		return "ENOSYS";
	return where == BOTH ? "the cell, or the kernel" : "the kernel";
}

static void row(FILE *to, int nr, const char *name, const char *by)
{
	(void)fprintf(to, "| %d | %s | %s |\n", nr, name, by);
}

static void document(FILE *to)
{
	(void)fputs(
		"# System calls\n\n"
		"Made by `tools/gen_linux_api.c` from `channel/syscalls.def`;\n"
		"`tools/check-docs` compares. A call that is not listed, or is\n"
		"listed as ENOSYS, gives that error, as in a Linux built\n"
		"without the feature.\n\n"
		"| number | call | answered by |\n|---|---|---|\n",
		to);
#include "channel/syscalls.def"
}

/* Is the file what we would print? */
static bool same(const char *path)
{
	char *want = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&want, &size);
	FILE *from = fopen(path, "re");
	bool equal = to && from;

	if (to) {
		document(to);
		equal &= fclose(to) == 0;
	}
	for (size_t i = 0; equal && i < size; i++)
		equal = fgetc(from) == (unsigned char)want[i];
	equal = equal && fgetc(from) == EOF;
	if (from)
		(void)fclose(from);
	free(want);
	return equal;
}

int main(int argc, char *argv[])
{
	if (argc == 1) {
		document(stdout);
		return EXIT_SUCCESS;
	}
	if (same(argv[1]))
		return EXIT_SUCCESS;
	(void)fprintf(stderr, "%s: not what the table says\n", argv[1]);
	return EXIT_FAILURE;
}

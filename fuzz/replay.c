/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target on the files of its corpus, and on every beginning of
 * each, where there is no fuzzing engine: the corpus doubles as a unit test.
 *
 *	fuzz_NAME FOLDER
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 65536u

/* A copy that fills its allocation exactly, for the address sanitizer. */
static void run(const uint8_t *data, size_t size)
{
	autofree uint8_t *exact = malloc(MAX(size, (size_t)1));

	if (!exact)
		abort();
	memcpy(exact, data, size);
	(void)LLVMFuzzerTestOneInput(exact, size);
}

static int run_file(int folder, const char *name)
{
	autofree uint8_t *data = malloc(INPUT_MAX);
	autoclose int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	ssize_t size;

	if (!data || fd < 0)
		return -EIO;
	size = read(fd, data, INPUT_MAX);
	for (ssize_t n = 0; n <= size; n++)
		run(data, (size_t)n);
	return size < 0 ? -EIO : 0;
}

int main(int argc, char *argv[])
{
	DIR *d = argc == 2 ? opendir(argv[1]) : NULL;
	const struct dirent *e;
	int count = 0;

	if (!d) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return EXIT_FAILURE;
	}
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		if (run_file(dirfd(d), e->d_name) < 0) {
			fprintf(stderr, "cannot read %s\n", e->d_name);
			return EXIT_FAILURE;
		}
		count++;
	}
	closedir(d);
	return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

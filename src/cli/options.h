/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines, read by tables: one row for each option a verb knows.
 */
#pragma once

#include "base/fault.h"

enum option_need {
	OPTION_NONE,     /* --name */
	OPTION_VALUE,    /* --name VALUE or --name=VALUE */
	OPTION_OPTIONAL, /* --name or --name=VALUE */
};

struct option_row {
	const char *name;
	enum option_need need;
	/*
	 * Stores the value (NULL: none was given) in the verb's structure.
	 * 0, or a negative errno and why.
	 */
	int (*set)(void *to, const char *value, struct fault *f);
	const char *value; /* for the usage text: "PATH[:AT]" */
	const char *help;
};

/*
 * Reads options from argv[1] on, up to "--" or the first other argument.
 * Returns the index of what follows, or -EINVAL and why.
 */
must_check int options_read(const struct option_row *rows, size_t count,
                            void *to, char *const argv[], struct fault *f);

/* Prints the rows, one a line, for a usage text. */
void options_print(const struct option_row *rows, size_t count);

/* A number of bytes such as 512M; k, M, G and T are powers of 1024. */
must_check int options_size(const char *text, uint64_t *out, struct fault *f);

/* A decimal number from 1 to `max`. */
must_check int options_number(const char *text, uint32_t max, uint32_t *out,
                              struct fault *f);

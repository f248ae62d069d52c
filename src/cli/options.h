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
	/* These store by themselves, at the row's place in the structure: */
	OPTION_FLAG, /* --name sets a bool */
	OPTION_TEXT, /* --name VALUE sets a const char * */
	OPTION_LIST, /* --name VALUE adds to a struct option_list */
	OPTION_MANY, /* --name VALUE VALUE..., up to the next option, adds all */
};

struct option_row {
	const char *name;
	char letter; /* -n, or 0 */
	enum option_need need;
	/*
	 * Stores the value (NULL: none was given) in the verb's structure.
	 * 0, or a negative errno and why.
	 */
	int (*set)(void *to, const char *value, struct fault *f);
	const char *value; /* for the usage text: "PATH[:AT]" */
	const char *help;
	size_t at; /* from OPTION_FLAG on */
};

#define OPTIONS_LIST_MAX 128u

struct option_list {
	const char *item[OPTIONS_LIST_MAX]; /* borrowed from the words */
	size_t count;
};

/*
 * Rows of a verb's .def as initialisers:
 *
 *	OPTION(name, letter, need, function, value, help)
 *	FLAG(name, letter, member, help)
 *	TEXT(name, letter, member, value, help)
 *	LIST(name, letter, member, value, help)
 *	MANY(name, letter, member, value, help)
 *
 * The words of `value` say what a shell may complete: QUBE, TEMPLATE, LABEL,
 * CLASS, FILE, FOLDER, or a choice such as yes|no.
 */
#define OPTIONS_OPTION(name, letter, need, function, value, help) \
	{name, letter, OPTION_##need, set_##function, value, help, 0},
#define OPTIONS_FLAG(state, name, letter, member, help) \
	{name, letter, OPTION_FLAG, NULL, "", help, offsetof(state, member)},
#define OPTIONS_AT(need, state, name, letter, member, value, help) \
	{name, letter, need, NULL, value, help, offsetof(state, member)},
#define OPTIONS_TEXT(...) OPTIONS_AT(OPTION_TEXT, __VA_ARGS__)
#define OPTIONS_LIST(...) OPTIONS_AT(OPTION_LIST, __VA_ARGS__)
#define OPTIONS_MANY(...) OPTIONS_AT(OPTION_MANY, __VA_ARGS__)

/*
 * Reads options from argv[1] on, up to "--" or the first other argument.
 * Letters may be joined (-pn), and a value may follow its letter (-lred).  Of a
 * name the beginning will do, if no other option's is the same.
 * Returns the index of what follows, or -EINVAL and why.
 */
must_check int options_read(const struct option_row *rows, size_t count,
                            void *to, char *const argv[], struct fault *f);

/*
 * The same with options anywhere: the other arguments are collected in
 * words[], which has room for all of argv, with a NULL behind them.  Behind
 * `most` of them everything is a word, 0: there is no such end.  Returns how
 * many they are, or -EINVAL and why.
 */
must_check int options_sort(const struct option_row *rows, size_t count,
                            void *to, char *const argv[], char *words[],
                            uint32_t most, struct fault *f);

/* Prints the rows, one a line, for a usage text. */
void options_print(const struct option_row *rows, size_t count);

/* A number of bytes such as 512M; k, M, G and T are powers of 1024. */
must_check int options_size(const char *text, uint64_t *out, struct fault *f);

/* A decimal number from 1 to `max`. */
must_check int options_number(const char *text, uint32_t max, uint32_t *out,
                              struct fault *f);

/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/script.h"

#include "cmocka_all.h"

static int parse(const char *text, size_t size, char interp[256], char arg[256])
{
	autofree uint8_t *copy = malloc(size ? size : 1);
	struct script s;
	int err;

	assert_non_null(copy);
	if (size)
		memcpy(copy, text, size);
	err = script_parse((struct span){copy, size}, &s);
	if (err == 0) {
		memcpy(interp, s.interp.at, s.interp.size);
		interp[s.interp.size] = 0;
		if (s.arg.size)
			memcpy(arg, s.arg.at, s.arg.size);
		arg[s.arg.size] = 0;
	}
	return err;
}

static void the_line_is_split_as_linux_does(void **state)
{
	static const struct {
		const char *text, *interp, *arg;
	} table[] = {
		{"#!/bin/sh\necho", "/bin/sh", ""},
		{"#!/bin/sh", "/bin/sh", ""},
		{"#! \t/bin/sh\n", "/bin/sh", ""},
		{"#!/bin/sh -e\n", "/bin/sh", "-e"},
		{"#!/bin/sh  -e  -x \t\n", "/bin/sh", "-e  -x"},
		{"#!/usr/bin/env python3\n", "/usr/bin/env", "python3"},
		{"#!sh\n", "sh", ""},
		{"#!/bin/sh\r\n", "/bin/sh\r", ""},
	};
	char interp[256], arg[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		assert_int_equal(parse(table[i].text, strlen(table[i].text),
		                       interp, arg),
		                 0);
		assert_string_equal(interp, table[i].interp);
		assert_string_equal(arg, table[i].arg);
	}
}

static void what_names_no_interpreter_is_refused(void **state)
{
	static const struct {
		const char *text;
		int want;
	} table[] = {
		{"", -ENOENT},           {"#", -ENOENT},
		{"\177ELF", -ENOENT},    {"##!/bin/sh\n", -ENOENT},
		{"#!", -ENOEXEC},        {"#!\n/bin/sh", -ENOEXEC},
		{"#!  \t \n", -ENOEXEC},
	};
	char interp[256], arg[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		assert_int_equal(parse(table[i].text, strlen(table[i].text),
		                       interp, arg),
		                 table[i].want);
}

static void a_name_that_does_not_end_is_refused(void **state)
{
	char text[SCRIPT_HEAD];
	char interp[256], arg[256];

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "#!/", 3);
	assert_int_equal(parse(text, sizeof(text), interp, arg), -ENOEXEC);
	/* Its argument may be cut. */
	text[10] = ' ';
	assert_int_equal(parse(text, sizeof(text), interp, arg), 0);
	assert_int_equal(strlen(arg), sizeof(text) - 11);
	/* The file may just be that short. */
	text[10] = 'a';
	assert_int_equal(parse(text, sizeof(text) - 1, interp, arg), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_line_is_split_as_linux_does),
		cmocka_unit_test(what_names_no_interpreter_is_refused),
		cmocka_unit_test(a_name_that_does_not_end_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

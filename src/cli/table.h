/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of cells, printed as columns for people, or in the forms that scripts
 * of Qubes OS read.  Cells begin as "-": a row need not fill all.
 */
#pragma once

#include <stdio.h>

#include "base/base.h"

enum table_form {
	TABLE_COLUMNS, /* two blanks between columns that are as wide as need be */
	TABLE_RAW,     /* a '|' between cells, no heading */
};

struct table {
	uint32_t columns;
	uint32_t rows;
	uint32_t room; /* rows that fit */
	char **cell;   /* owned; NULL: "-" */
	bool bad;      /* out of memory */
};

/* Opens another row. */
void table_row(struct table *t);

/* A cell of the last row; a copy is kept. */
void table_set(struct table *t, uint32_t column, const char *text);

/* A cell; never NULL. */
const char *table_at(const struct table *t, uint32_t row, uint32_t column);

/*
 * Sorts the rows from `first` on by a column; numbers by their value when
 * both cells are.
 */
void table_sort(struct table *t, uint32_t first, uint32_t column, bool reverse,
                bool ignore_case);

/* Row 0 is the heading when `heading`.  0 or -ENOMEM. */
must_check int table_print(const struct table *t, enum table_form form,
                           bool heading, FILE *to);

void table_fini(struct table *t);

/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/visible.h"

void table_row(struct table *t)
{
	size_t size;
	char **cell;

	if (t->rows == t->room) {
		uint32_t room = t->room ? 2 * t->room : 16;

		if (!size_mul((size_t)room * t->columns, sizeof(*cell), &size))
			size = SIZE_MAX;
		cell = t->bad ? NULL : realloc(t->cell, size);
		if (!cell) {
			t->bad = true;
			return;
		}
		t->cell = cell;
		t->room = room;
	}
	cell = t->cell + (size_t)t->rows * t->columns;
	for (uint32_t i = 0; i < t->columns; i++)
		cell[i] = NULL;
	t->rows++;
}

void table_set(struct table *t, uint32_t column, const char *text)
{
	char **cell;

	assert(column < t->columns);
	if (t->bad)
		return;
	cell = t->cell + (size_t)(t->rows - 1) * t->columns + column;
	free(*cell);
	*cell = strdup(text);
	if (!*cell)
		t->bad = true;
}

const char *table_at(const struct table *t, uint32_t row, uint32_t column)
{
	const char *text = t->cell[(size_t)row * t->columns + column];

	return text ? text : "-";
}

struct order {
	uint32_t column;
	bool reverse;
	bool ignore_case;
};

static int compare(const void *a, const void *b, void *how)
{
	const struct order *o = how;
	char *const *left = a;
	char *const *right = b;
	const char *l = left[o->column] ? left[o->column] : "-";
	const char *r = right[o->column] ? right[o->column] : "-";
	char *lend, *rend;
	long long ln = strtoll(l, &lend, 10);
	long long rn = strtoll(r, &rend, 10);
	int order;

	if (lend != l && rend != r && !*lend && !*rend)
		order = (ln > rn) - (ln < rn);
	else
		order = o->ignore_case ? strcasecmp(l, r) : strcmp(l, r);
	return o->reverse ? -order : order;
}

void table_sort(struct table *t, uint32_t first, uint32_t column, bool reverse,
                bool ignore_case)
{
	struct order o = {column, reverse, ignore_case};

	if (t->bad || t->rows <= first)
		return;
	qsort_r(t->cell + (size_t)first * t->columns, t->rows - first,
	        t->columns * sizeof(*t->cell), compare, &o);
}

static void print_row(const struct table *t, uint32_t row, const int width[],
                      FILE *to)
{
	for (uint32_t i = 0; i < t->columns; i++) {
		const char *text = table_at(t, row, i);

		if (width)
			(void)fprintf(to, i + 1 < t->columns ? "%-*s  " : "%*s",
			              i + 1 < t->columns ? width[i] : 0, text);
		else
			(void)fprintf(to, "%s%s", i ? "|" : "", text);
	}
	(void)fputc('\n', to);
}

int table_print(const struct table *t, enum table_form form, bool heading,
                FILE *to)
{
	autofree int *width = calloc(t->columns, sizeof(*width));
	bool raw = form == TABLE_RAW;

	if (t->bad || !width)
		return -ENOMEM;
	/* One row is one line, and what is in it does nothing to a terminal. */
	for (size_t i = 0; i < (size_t)t->rows * t->columns; i++)
		if (t->cell[i])
			visible_line(t->cell[i]);
	for (uint32_t row = 0; row < t->rows && !raw; row++)
		for (uint32_t i = 0; i < t->columns; i++)
			width[i] = MAX(width[i],
			               (int)strlen(table_at(t, row, i)));
	for (uint32_t row = raw && heading ? 1 : 0; row < t->rows; row++)
		print_row(t, row, raw ? NULL : width, to);
	return 0;
}

void table_fini(struct table *t)
{
	for (size_t i = 0; i < (size_t)t->rows * t->columns; i++)
		free(t->cell[i]);
	free(t->cell);
	*t = (struct table){.columns = t->columns};
}

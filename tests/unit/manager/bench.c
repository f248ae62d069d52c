/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cmocka_all.h"
#include "scratch.h"

static void open_ledger(struct bench *b)
{
	struct fault f;

	assert_int_equal(ledger_open(b->folder, b->runtime, &b->ledger, &f), 0);
	assert_int_equal(ledger_begin(b->ledger, true, &f), 0);
}

int bench_setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	assert_int_equal(scratch_make(b->path), 0);
	b->folder = open(b->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(b->folder >= 0);
	assert_int_equal(mkdirat(b->folder, "run", 0700), 0);
	b->runtime = openat(b->folder, "run",
	                    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(b->runtime >= 0);
	open_ledger(b);
	qube_first(b->ledger);
	*state = b;
	return 0;
}

int bench_teardown(void **state)
{
	struct bench *b = *state;

	ledger_close(b->ledger);
	close(b->runtime);
	close(b->folder);
	assert_int_equal(scratch_drop(b->path), 0);
	free(b);
	return 0;
}

void bench_again(struct bench *b)
{
	struct fault f;

	assert_int_equal(ledger_commit(b->ledger, &f), 0);
	ledger_close(b->ledger);
	open_ledger(b);
}

struct qube bench_qube(struct bench *b, enum qube_class class, const char *name)
{
	struct qube q;

	qube_add(b->ledger, class, name, &q);
	return q;
}

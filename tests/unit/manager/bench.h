/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ledger to work on: new, in a folder of its own, with a transaction open.
 */
#pragma once

#include "manager/qube.h"

struct bench {
	char path[64];
	int folder;
	int runtime; /* a folder in it */
	struct ledger *ledger;
};

/* Setup and teardown of a cmocka test: *state is the bench. */
int bench_setup(void **state);
int bench_teardown(void **state);

/* Commits, closes, opens again, and begins the next transaction. */
void bench_again(struct bench *b);

/* A new qube with this name. */
struct qube bench_qube(struct bench *b, enum qube_class class,
                       const char *name);

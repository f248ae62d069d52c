/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A manager that answers as it is told, and verbs of the command line that
 * are run against it.
 */
#pragma once

#include <pthread.h>

#include "base/buffer.h"

/*
 * What a request is answered with.  The first row that fits is used; of rows
 * for the same request each is used once, the last one ever again.
 */
struct fake_row {
	const char *request; /* "admin.vm.List dom0", "X.Y+ARG work" */
	const char *answer;  /* behind "0\0"; or an exception, see FAKE_NO */
};

/* An exception: its type and message. */
#define FAKE_NO(type, message) "\002" type "\003" message

struct fake_manager {
	const struct fake_row *rows;
	size_t count;
	bool used[64];
	int listener;
	pthread_t thread;
	pthread_mutex_t lock;
	struct buffer asked; /* "REQUEST" or "REQUEST PAYLOAD", one a line */
	char folder[64];
	struct buffer out, err; /* of the verb that was run last */
};

void fake_manager_start(struct fake_manager *m, const struct fake_row *rows,
                        size_t count);
void fake_manager_stop(struct fake_manager *m);

/* Runs a verb by the name it is called by; its exit status. */
int fake_manager_run(struct fake_manager *m, const char *input,
                     const char *const argv[]);

/* What the verb said, and what it asked since the start. */
const char *fake_manager_out(struct fake_manager *m);
const char *fake_manager_err(struct fake_manager *m);
const char *fake_manager_asked(struct fake_manager *m);

#define RUN(m, ...) \
	fake_manager_run(m, "", (const char *const[]){__VA_ARGS__, NULL})

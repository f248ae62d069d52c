/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is the same in most verbs: their structure is made, options are read
 * into it, the other words collected and counted, --help answered; what went
 * wrong is said once, behind the name that the verb was called by.
 *
 * Exit statuses are those of the qvm-* programs: 0; 1, it did not work; 2, the
 * command made no sense.
 */
#pragma once

#include "cli/options.h"

#define FRAME_FAILED EXIT_FAILURE
#define FRAME_USAGE  2

#define FRAME_ANY UINT32_MAX /* no limit to the words */

struct frame_call {
	const char *name;   /* argv[0]: "ls", or "qvm-ls" */
	const char *prefix; /* of messages: "bento ls", or "qvm-ls" */
	char **words;       /* what is not an option; NULL behind them */
	uint32_t count;
	bool quiet;
	bool verbose;
	bool usage; /* set by frame_usage() */
	struct fault *fault;
};

struct frame {
	const struct option_row *rows;
	size_t count;
	size_t size;       /* of the verb's structure, which begins zeroed */
	uint32_t min, max; /* words */
	uint32_t most;     /* behind so many, options are words; 0: never */
	/*
	 * Returns the exit status; or a negative errno when fault->text says
	 * why, and the status is FRAME_FAILED or, after frame_usage(),
	 * FRAME_USAGE.
	 */
	int (*go)(void *options, struct frame_call *c);
};

/* Reads the words, runs `go`, and says what was wrong.  The exit status. */
int frame_run(const struct frame *frame, char *const argv[]);

/* Writes the fault of a command that makes no sense; returns -EINVAL. */
must_check int frame_usage(struct frame_call *c, const char *fmt, ...)
	printf_like(2);

/* Was the verb called as a qvm-* program? */
bool frame_is_qvm(const struct frame_call *c);

/*
 * A sentence on standard error, behind the prefix.  _say is for what need not
 * be known: not with --quiet.
 */
void frame_warn(const struct frame_call *c, const char *fmt, ...)
	printf_like(2);
void frame_say(const struct frame_call *c, const char *fmt, ...) printf_like(2);

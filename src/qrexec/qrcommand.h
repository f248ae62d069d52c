/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of EXEC_CMDLINE: who shall run what.
 *
 *	USER:[nogui:]COMMAND
 *	USER:[nogui:]QUBESRPC SERVICE[+ARGUMENT] SOURCE
 *	      ... to dom0 also: name TARGET, or: keyword KEYWORD
 */
#pragma once

#include "base/buffer.h"

struct qrcommand {
	struct span user; /* may be DEFAULT: as the qube says */
	bool nogui;
	bool service;        /* QUBESRPC */
	struct span command; /* for a shell, if not a service */
	struct span full;    /* SERVICE[+ARGUMENT] */
	struct span source;
	struct span kind; /* "name", "keyword"; empty without it */
	struct span target;
};

/*
 * Reads one; the spans point into it. 0; -EPROTO, when it is not of that form;
 * or -EINVAL, when a name in it is refused (qrname.h). *out is left alone then.
 */
must_check int qrcommand_read(struct span text, struct qrcommand *out);

/* Writes one, without a NUL. */
void qrcommand_write(const struct qrcommand *c, struct buffer *to);

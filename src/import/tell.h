/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports to whoever started us (channel/report.h).
 */
#pragma once

#include "base/span.h"
#include "channel/report.h"

struct tell {
	int fd;
	uint64_t last_ms; /* of a report on how far we are */
};

/* How far we are: at most ten times a second. */
void tell_progress(struct tell *t, enum report_kind kind, uint64_t done,
                   uint64_t of);

/* Something about a file. */
void tell_file(struct tell *t, enum report_kind kind, struct span path,
               const char *text);

/* The last one: 0 or -errno, and why. */
void tell_end(struct tell *t, int err, const char *text);

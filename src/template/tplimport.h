/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs bento-import for one job and hears its reports (channel/report.h).
 */
#pragma once

#include "base/fault.h"
#include "channel/report.h"

#define TPLIMPORT_INPUTS 128u

struct tplimport {
	/* "write", with inputs; or "check", without. */
	const char *job;
	int fd[3]; /* .erofs, .data, .tree; borrowed */
	uint32_t count;
	/* Of each input: tar, oci, ...; NULL: goes with the one before. */
	const char *kind[TPLIMPORT_INPUTS];
	int input[TPLIMPORT_INPUTS]; /* borrowed */
	/* All reports but the last are told to it; strings are a stranger's. */
	void (*told)(void *ctx, const struct report *r);
	void *ctx;
	int patience_ms; /* told(NULL) when nothing came for so long; 0: never */
};

/* 0; or what the helper failed with, or why it could not be run. */
must_check int tplimport(const struct tplimport *job, struct fault *f);

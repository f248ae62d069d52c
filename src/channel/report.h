/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What bento-import and bento-receive tell whoever started them: one message of
 * a SEQPACKET socket for each thing.
 *
 *	le32 kind, le64 done, le64 of, le32 errno, path, text
 *
 * Strings are their length in four bytes and their bytes; they come from
 * strangers, and are to be escaped before a person sees them.
 */
#pragma once

#include "base/span.h"

#define REPORT_SIZE_MAX 4680u
#define REPORT_PATH_MAX 4096u
#define REPORT_TEXT_MAX 512u

enum report_kind {
	REPORT_READ,    /* so many bytes of the archives are read */
	REPORT_HASHED,  /* so many blocks, of so many, are looked at */
	REPORT_SKIPPED, /* the entry `path` is left out: `text` */
	REPORT_DAMAGED, /* the file `path` of an image is damaged: `text` */
	REPORT_FAILED,  /* the end: -errno, and `text` */
	REPORT_DONE,    /* the end: all is written, or all is well */
	REPORT_KINDS,
};

struct report {
	uint32_t kind;
	uint64_t done, of;
	uint32_t error;
	struct span path;
	struct span text;
};

/* 0 and the report, whose strings lie in `wire`; or -EPROTO. */
must_check int report_parse(struct span wire, struct report *out);

/* The message's size; strings are cut to what fits. */
size_t report_format(const struct report *r,
                     uint8_t to[static REPORT_SIZE_MAX]);

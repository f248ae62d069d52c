/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a kernel is told what to run: one record, and descriptors.
 *
 * Whoever starts a kernel (the command line, later the manager) leaves it the
 * descriptors numbered below and nothing else.  The record, in a memory file,
 * says what they are for.  All numbers are little-endian; a string is its
 * length in four bytes and its bytes, without NUL; a list of strings is their
 * count in four bytes and one string in which each ends with a NUL.
 *
 * From LAUNCH_FD_FIRST on, in this order, each only if the record has it:
 * the cell's executable, the streams that are descriptors, the terminal, the
 * trace, the template folders, the shares.
 */
#pragma once

#include "base/span.h"

#define LAUNCH_FD_SAY     2 /* a pipe: a dying kernel's last words */
#define LAUNCH_FD_CONTROL 3 /* SEQPACKET; channel/control.h */
#define LAUNCH_FD_RECORD  4
#define LAUNCH_FD_FIRST   5

#define LAUNCH_TEMPLATES 32u
#define LAUNCH_SHARES    64u
#define LAUNCH_NAME_MAX  31u
#define LAUNCH_LINK_MAX  63u
#define LAUNCH_PATH_MAX  255u
#define LAUNCH_SIZE_MAX  ((size_t)16 << 20)

/* What one of the program's three streams is. */
enum launch_stream {
	LAUNCH_CLOSED,     /* the host has none either */
	LAUNCH_DESCRIPTOR, /* a descriptor of the host, handed over */
	LAUNCH_TERMINAL,   /* the qube's console */
};

#define LAUNCH_TRACE   1u /* tell every call of `trace`... */
#define LAUNCH_VERBOSE 2u /* tell what is unsupported, once each; ... */
#define LAUNCH_TELL    3u /* either: a descriptor to tell it to comes along */
/*
 * The kernel is in a user namespace in which only its own user has a number:
 * files of all others seem to belong to nobody (65534).
 */
#define LAUNCH_ALONE 4u
/* Reach guest memory through the stubs only, as where the host forbids. */
#define LAUNCH_FAR   8u
#define LAUNCH_FLAGS 15u

/* Where in the record the lowest byte of `flags` lies. */
#define LAUNCH_AT_FLAGS 4

/* Strings one behind the other, each with its NUL. */
struct launch_list {
	uint32_t count;
	struct span packed;
};

struct launch_template {
	struct span name; /* below / */
	struct span link; /* not empty: a symbolic link, no descriptor */
};

#define LAUNCH_SHARE_WRITABLE 1u
#define LAUNCH_SHARE_FILE     2u
#define LAUNCH_SHARE_FLAGS    3u

struct launch_share {
	uint32_t flags;
	struct span at; /* absolute path inside */
};

struct launch {
	uint32_t flags;
	uint64_t memory; /* bytes; not 0 */
	uint32_t tasks;  /* not 0 */
	uint8_t stream[3];
	uint16_t rows, columns; /* of the terminal */
	struct span user;
	struct span cwd;
	struct span trace; /* names of calls, or empty: all */
	struct launch_list args;
	struct launch_list env;
	uint32_t template_count;
	struct launch_template template[LAUNCH_TEMPLATES];
	uint32_t share_count;
	struct launch_share share[LAUNCH_SHARES];
};

/*
 * Reads a record.  The strings in *out lie in `wire`.  Returns 0, or -EPROTO
 * when it is not as described, and leaves *out alone.
 */
must_check int launch_parse(struct span wire, struct launch *out);

/*
 * Writes a record into memory of its own, which the caller frees.  Returns 0,
 * -EINVAL when launch_parse() would refuse it, -ENOMEM.
 */
must_check int launch_format(const struct launch *l, uint8_t **out,
                             size_t *size);

/* How many descriptors follow from LAUNCH_FD_FIRST on. */
uint32_t launch_descriptors(const struct launch *l);

/* Is it an absolute path without "", "." and ".." as components? */
bool launch_path_ok(struct span path);

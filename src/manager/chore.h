/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An order to a worker (manager/worker.h): what to do with the volumes of a qube.
 * It goes to the spawner as bytes, and is checked there as foreign ones are.
 */
#pragma once

#include "base/fault.h"
#include "base/span.h"
#include "manager/keyring.h"
#include "manager/manager.h"
#include "manager/qube.h"

struct revision_watch;

enum chore_kind {
#define CHORE(number, name, what) CHORE_##name = (number),
#include "manager/chore.def"
};

#define CHORE_VOLUME_SIZE 16u
#define CHORE_SIZE_MAX    256u

struct chore {
	enum chore_kind kind;
	char uuid[QUBE_UUID_SIZE];      /* whose volumes */
	char from[QUBE_UUID_SIZE];      /* ... are copied; or "" */
	char also_from[QUBE_UUID_SIZE]; /* begin: the private one's; or "" */
	char volume[CHORE_VOLUME_SIZE]; /* or "" */
	char image[QUBE_NAME_MAX + 1];  /* a template below the root; or "" */
	uint32_t volumes;               /* DISK_* */
	uint64_t number;
	uint32_t keep[2];       /* begin: revisions of root and private */
	struct keyring_key key; /* of the volume, if it is encrypted */
	int fd;                 /* goes along, unless it is 0 or less */
	/* In the worker: who is told how far a copy is; or NULL. */
	struct revision_watch *watch;
};

/* Writes it down; returns its size.  The descriptor goes beside it. */
size_t chore_format(const struct chore *w, uint8_t wire[static CHORE_SIZE_MAX]);

/* 0 and *out, or -EPROTO for what is no order. */
must_check int chore_parse(struct span wire, struct chore *out);

/*
 * Does it, in the worker, who has nothing but m->volumes.  0 or a negative errno
 * and why; what the fault says after success is the answer.
 */
must_check int chore_do(const struct manager *m, const struct chore *w,
                        struct fault *f);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A template image as the root of a qube that is to be started.
 */
#pragma once

#include "supervise/start.h"
#include "template/tplstore.h"

/* What it is mounted by; open until the kernel was started. */
struct tplmount {
	struct tplstore_used used;
	int root_fd; /* a file with the root of the tree of hashes */
};

/* Opens the current version of a template.  Errors are tplstore_use()'s. */
must_check int tplmount_open(struct tplmount *m, const char *name,
                             struct fault *f);

/* Opens what tplstore_link() has put into a folder. */
must_check int tplmount_open_linked(struct tplmount *m, int folder,
                                    struct fault *f);

/* Adds it to what a kernel is started with. */
must_check int tplmount_add(const struct tplmount *m, struct start *s,
                            struct fault *f);

void tplmount_close(struct tplmount *m);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making files below one folder, whatever others do to it meanwhile.
 *
 * Every folder on the way is opened by itself, from the one above, which is
 * held, and never through a link: whoever puts a link, or another folder, into
 * the place of one at the wrong moment gets an error or files in the folder he
 * moved, and never a file outside.  No openat2(2) is needed for that, and
 * names may be longer than PATH_MAX.  The folder of the last file stays open, so
 * its neighbours cost nothing.
 *
 * A file has no name until it is complete (O_TMPFILE).  Where the file system
 * cannot do that it has a hidden one, ".bento-copy-" and a random number, that
 * is taken away when it fails.  Under its own name a file is whole, and it takes
 * nobody's place.
 */
#pragma once

#include "base/base.h"

struct copyplace {
	int root; /* borrowed */
	int proc; /* /proc/self/fd, or -1; borrowed */
	int at;   /* the folder `path`; -1: the root itself */
	bool named;
	char *path; /* its name below the root */
};

#define COPYPLACE_TEMP 32u

/* A file that is being written. */
struct copyplace_file {
	int fd;
	char temp[COPYPLACE_TEMP]; /* "": it has no name */
};

/*
 * Files will be made below `root`, a folder that is held.  `proc` is
 * /proc/self/fd, opened by this very process, which gives names to files without
 * one; with -1 all files get hidden names.  0 or -ENOMEM; copyplace_fini() in
 * every case.
 */
must_check int copyplace_init(struct copyplace *p, int root, int proc);
void copyplace_fini(struct copyplace *p);

/*
 * Goes to the folder in which the path `name` lies.  Its descriptor, which is
 * the place's and lasts until the next call, and *last, which is the last
 * component; or a negative errno, such as -ENOENT, -ENOTDIR or -ELOOP.
 */
must_check int copyplace_enter(struct copyplace *p, const char *name,
                               const char **last);

/* Makes a file in `folder`, for writing, mode 0600.  0 or a negative errno. */
must_check int copyplace_create(struct copyplace *p, int folder,
                                struct copyplace_file *out);

/* Gives it its name and closes it.  0, -EEXIST or another negative errno. */
must_check int copyplace_keep(struct copyplace *p, int folder, const char *last,
                              struct copyplace_file *file);

/* Closes it, and nothing is left of it. */
void copyplace_drop(int folder, struct copyplace_file *file);

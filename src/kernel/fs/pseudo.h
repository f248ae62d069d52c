/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File systems whose files are made up when they are read: /proc and /sys.
 *
 * A table lists files by their path; directories are implied.  A directory may
 * have numbered children besides (processes, tasks, descriptors): each is the
 * top of another table, or a file of one row.  What they are about is in the
 * context that every function is given.
 */
#pragma once

#include "kernel/fs/inode.h"
#include "kernel/fs/path.h"
#include "kernel/fs/text.h"

struct file;
struct process;
struct pseudo_table;

struct pseudo_ctx {
	struct kernel *kernel;
	struct task *task; /* who asks; may be NULL */
	int32_t pid;       /* of the process it is about; 0: none */
	int32_t tid;       /* of the task; 0: any of the process */
	int32_t number;    /* of a descriptor and the like */
};

struct pseudo_row {
	const char *path;
	uint32_t mode; /* S_IFMT and permissions */
	/* The mode of this very file, if it differs from one to the next. */
	uint32_t (*mode_now)(const struct pseudo_ctx *c);
	const char *text; /* the contents, if they are always the same */
	/* The contents.  0 or a negative errno, -EWAIT among them. */
	long (*show)(const struct pseudo_ctx *c, struct text *out);
	/* A file with operations of its own: fills in f->ops.  Or NULL. */
	long (*open)(const struct pseudo_ctx *c, struct file *f);
	/* What was written, all at once.  0 or a negative errno. */
	long (*store)(const struct pseudo_ctx *c, struct span text);
	/* A link's target: fixed, or by function; and where it really goes. */
	const char *target;
	long (*link)(const struct pseudo_ctx *c, char *to, size_t room);
	long (*jump)(const struct pseudo_ctx *c, struct path *out);
	const struct pseudo_numbers *numbers; /* of a directory */
};

/* Numbered children. */
struct pseudo_numbers {
	const char *prefix; /* before the number in their names; or NULL */
	/* Is there one?  Fills in the child's context. */
	bool (*find)(const struct pseudo_ctx *c, int32_t number,
	             struct pseudo_ctx *child);
	/* The lowest number there is that is at least `from`, or -1. */
	int32_t (*next)(const struct pseudo_ctx *c, int32_t from);
	const struct pseudo_table *table; /* they are directories */
	const struct pseudo_row *row;     /* or files like this one */
};

struct pseudo_table {
	const struct pseudo_row *rows;
	size_t count;
	uint32_t mode;                        /* of its directories; 0: 0555 */
	const struct pseudo_numbers *numbers; /* of the top */
};

/* A file system of one table.  0 and a reference, or -ENOMEM. */
must_check int pseudo_create(struct kernel *k, const struct superblock_ops *ops,
                             uint32_t magic, const struct pseudo_table *table,
                             struct superblock **out);

/*
 * Is the open file a process's folder: the top of a table about it, and not
 * about one of its tasks?  *p is the process, borrowed, or NULL: it has gone.
 */
bool pseudo_process(const struct file *f, struct process **p);

/* Rows of .def files. */
#define PSEUDO_FILE(path_, mode_, show_) \
	{.path = (path_), .mode = 0100000 | (mode_), .show = (show_)},
#define PSEUDO_KNOB(path_, mode_, show_, store_) \
	{.path = (path_),                        \
	 .mode = 0100000 | (mode_),              \
	 .show = (show_),                        \
	 .store = (store_)},
#define PSEUDO_TEXT(path_, text_) \
	{.path = (path_), .mode = 0100444, .text = (text_)},
#define PSEUDO_LINK(path_, target_) \
	{.path = (path_), .mode = 0120777, .target = (target_)},

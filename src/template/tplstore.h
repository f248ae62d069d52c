/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of template images: README.md says what lies where.
 *
 * A version is written under its final name and counts once `current` leads to
 * it, which happens in one step at the end; what a maker that was killed left
 * is taken away by the next one.
 */
#pragma once

#include "base/fault.h"
#include "image/merkle.h"

#define TPLSTORE_NAME_MAX 31u

struct tplstore {
	int data;   /* the data folder */
	int folder; /* templates/ in it */
};

/* Opens the user's store.  0, or a negative errno and why. */
must_check int tplstore_open(struct tplstore *s, struct fault *f);
void tplstore_close(struct tplstore *s);

/* A letter, then letters, digits, '-', '_' and '.': could it be one's name? */
bool tplstore_name_ok(const char *name);

/* Names of all templates that have a version, sorted; the caller frees each
 * and the array. */
must_check int tplstore_list(const struct tplstore *s, char ***names,
                             size_t *count, struct fault *f);

/* What is known of a template's current version. */
struct tplstore_info {
	uint32_t version;
	uint32_t older;   /* versions that still are used */
	uint64_t size;    /* bytes on disk, of all its files */
	int64_t made;     /* seconds since 1970 */
	char source[256]; /* what it was made from; "" unknown */
};
must_check int tplstore_info(const struct tplstore *s, const char *name,
                             struct tplstore_info *out, struct fault *f);

/* A version in use: its descriptors, for a kernel or for looking at it. */
struct tplstore_used {
	uint32_t version;
	int main_fd;
	int data_fd; /* -1: it has none */
	int tree_fd; /* holds the lock; so does whoever inherits it */
	struct merkle_head head;
	uint8_t root[SHA256_SIZE];
};

/* Of nothing. */
#define TPLSTORE_UNUSED \
	((struct tplstore_used){.main_fd = -1, .data_fd = -1, .tree_fd = -1})

/*
 * Opens the current version, and makes sure that its tree is signed with the
 * user's key.  0; -ENOENT: there is no such template; -EBADMSG; ...
 */
must_check int tplstore_use(const struct tplstore *s, const char *name,
                            struct tplstore_used *out, struct fault *f);
void tplstore_release(struct tplstore_used *u);

/*
 * Gives the files of the current version a second name, in another folder of
 * the same file system: what they hold stays as long as these names, and can be
 * used by them, whatever becomes of the template.  The name of the tree comes
 * last and says that all are there.  0; -ENOENT: there is no such template; ...
 */
#define TPLSTORE_LINKED "base.tree"
must_check int tplstore_link(const struct tplstore *s, const char *name,
                             int folder, struct fault *f);
must_check int tplstore_use_linked(const struct tplstore *s, int folder,
                                   struct tplstore_used *out, struct fault *f);

/* A version being made. */
struct tplstore_new {
	const struct tplstore *store;
	int folder; /* templates/NAME */
	int lock;
	uint32_t version;
	int fd[3]; /* .erofs, .data, .tree; empty */
	char name[TPLSTORE_NAME_MAX + 1];
};

/*
 * Begins a new version of a template, perhaps its first.  0; -EBUSY: somebody
 * else makes one; -EINVAL: the name will not do; ...
 */
must_check int tplstore_begin(const struct tplstore *s, const char *name,
                              struct tplstore_new *n, struct fault *f);

/* The files are written: signs the tree, and makes it the current version. */
must_check int tplstore_commit(struct tplstore_new *n, const char *source,
                               struct fault *f);

/* Takes away what was made; nothing after a commit but closing. */
void tplstore_end(struct tplstore_new *n);

/*
 * Takes away a template with all versions.  0; -ENOENT; -EBUSY: one of them is
 * used.
 */
must_check int tplstore_remove(const struct tplstore *s, const char *name,
                               struct fault *f);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy of this machine and user: the files of four layers.
 *
 *	the program's own             (policy_builtin.def)
 *	/etc/bento/policy.d
 *	$XDG_CONFIG_HOME/bento/policy.d    (else ~/.config)
 *	$XDG_RUNTIME_DIR/bento/policy.d    (not without the variable)
 *
 * Of files with one name the last layer's counts.  All are sorted by name, by
 * bytes, and read in that order.  Only *.policy counts; one bad name, one error
 * in a file, or a file that others than its owner, root and we could write
 * to, and there is no policy: every call is denied.
 *
 * What was read is remembered with size, times and inode; every look at the
 * policy compares, and reads anew what changed.  A file that changed less than
 * two seconds before it was read is read again, since two changes within one
 * tick of the host's clock look the same.
 */
#pragma once

#include "policy/policy_rules.h"
#include "policy/policy_source.h"

#define POLICY_STORE_LAYERS 4u

enum policy_layer {
	POLICY_LAYER_BUILTIN,
	POLICY_LAYER_ETC,
	POLICY_LAYER_CONFIG,
	POLICY_LAYER_RUNTIME,
};

struct policy_store;

/* The folders of the layers; NULL where there is none.  Owned. */
struct policy_folders {
	char *path[POLICY_STORE_LAYERS];
};

/* By the environment.  0 or -ENOMEM. */
must_check int policy_store_folders(struct policy_folders *out);
void policy_store_folders_fini(struct policy_folders *f);

/* Takes over the folders' strings, on failure too.  0 or -ENOMEM. */
must_check int policy_store_open(struct policy_folders *folders,
                                 struct policy_store **out);
void policy_store_close(struct policy_store *s);

/*
 * The policy as it is now.  Returns 0 and *out, which is good until the next
 * look; or a negative errno and what is wrong: then every call is denied.
 */
must_check int policy_store_look(struct policy_store *s,
                                 const struct policy_rules **out,
                                 struct fault *f);

/* One file as it counts: its name, and the path it is read from. */
struct policy_main {
	char *name;
	char *path;
	enum policy_layer layer;
	bool hides; /* a lower layer has one of this name */
};

/*
 * The files in the order in which they are read.  Returns their number, and
 * the list, which policy_store_free() frees; or a negative errno and why.
 */
must_check int64_t policy_store_list(const struct policy_store *s,
                                     struct policy_main **out, struct fault *f);
void policy_store_free(struct policy_main *list, size_t count);

/*
 * The rules as they would be if `path` held `text`; with `text.at` NULL, if it
 * were gone.  Returns 0 and *out, which the caller destroys, or a negative
 * errno and what would be wrong.
 */
must_check int policy_store_try(const struct policy_store *s, const char *path,
                                struct span text, struct policy_rules **out,
                                struct fault *f);

/*
 * A file of a layer, or of the program.  0 and *text, which the caller frees;
 * -ENOENT or another negative errno and why.
 */
must_check int policy_store_read(const char *path, uint8_t **text, size_t *size,
                                 struct fault *f);

/*
 * One file of the host by itself, with what it includes; paths are relative to
 * its folder.  0 and *out, which the caller destroys, or what is wrong.
 */
must_check int policy_store_file(const char *path, struct policy_rules **out,
                                 struct fault *f);

/* The names in a folder of the host.  As for a source's list(). */
must_check int policy_store_names(const char *path, struct policy_names *names,
                                  struct fault *f);

const char *policy_store_folder(const struct policy_store *s,
                                enum policy_layer layer);

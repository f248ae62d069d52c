/* SPDX-License-Identifier: Apache-2.0 */
/* A volume in a folder of its own, for the tests of this folder. */
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cmocka_all.h"
#include "scratch.h"
#include "volume/tree.h"
#include "volume/volume_check.h"

#define BED_BYTES  ((uint64_t)1 << 20)
#define BED_INODES 400

struct bed {
	char host[64];
	int dir;
	struct volume *v;
	struct tree_node root;
};

static inline void bed_open(struct bed *b)
{
	struct fault f;

	if (volume_open(b->dir, NULL, &b->v, &f) < 0)
		fail_msg("%s", f.text);
	assert_int_equal(tree_load(b->v, VRECORD_ROOT, &b->root), 0);
}

static inline int bed_setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	struct volume_limits limits = {BED_BYTES, BED_INODES};
	struct fault f;

	assert_int_equal(scratch_make(b->host), 0);
	b->dir = open(b->host, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (volume_create(b->dir, &limits, HEADER_OPEN, (struct span){NULL, 0},
	                  &f) < 0)
		fail_msg("%s", f.text);
	bed_open(b);
	*state = b;
	return 0;
}

static inline int bed_teardown(void **state)
{
	struct bed *b = *state;

	if (b->v)
		(void)volume_close(b->v);
	close(b->dir);
	assert_int_equal(scratch_drop(b->host), 0);
	free(b);
	return 0;
}

#define BED(f) cmocka_unit_test_setup_teardown(f, bed_setup, bed_teardown)

/* Makes a file, directory... with a name; its object is written with text. */
static inline int bed_make(struct bed *b, struct tree_node *dir,
                           const char *name, uint32_t mode, const char *text,
                           struct tree_node *out)
{
	struct tree_node n = {.r = {.mode = mode}};
	int object = -1;
	int err;

	n.r.atime = n.r.mtime = n.r.ctime = n.r.btime = tree_now(b->v);
	if (S_ISLNK(mode))
		n.r.target = span_str(text);
	err = tree_create(b->v, dir, span_str(name), &n, &object);
	if (err == 0 && object >= 0 && text &&
	    pwrite(object, text, strlen(text), 0) != (ssize_t)strlen(text))
		err = -EIO;
	base_close(&object);
	if (err == 0 && out)
		*out = n;
	return err;
}

static inline void bed_tell(void *arg, const char *what)
{
	char *all = arg;
	size_t used = strlen(all);

	(void)snprintf(all + used, 2048 - used, "%s\n", what);
}

/* What the checker says: "" if all is well. */
static inline const char *bed_check(struct bed *b)
{
	static char told[2048];
	struct volume_check_report r;

	told[0] = '\0';
	assert_int_equal(
		volume_check(b->v, VOLUME_CHECK_CONTENTS, bed_tell, told, &r),
		0);
	return told;
}

/* As after a crash. */
static inline void bed_crash(struct bed *b)
{
	volume_abandon(b->v);
	b->v = NULL;
	bed_open(b);
}

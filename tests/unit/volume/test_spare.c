/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/spare.h"

#include "volume/bed.h"
#include "volume/object.h"

static void make(struct bed *b, int n)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "f%d", n);
	assert_int_equal(bed_make(b, &b->root, name, S_IFREG | 0600, "x", NULL),
	                 0);
}

static void make_safe(struct bed *b, int n)
{
	make(b, n);
	spare_sync(b->v);
}

/* Files, each made safe, until there is a stock; how many. */
static int stock(struct bed *b)
{
	int n = 0;

	while (!spare_order(b->v))
		make_safe(b, n++);
	spare_make(b->v);
	spare_settle(b->v);
	return n;
}

static void files_are_made_of_what_is_in_stock(void **state)
{
	struct bed *b = *state;
	int n = stock(b);
	uint64_t first = b->v->sums.next_ino - SPARE_COUNT;
	struct tree_node f = {0}, dir = {0};
	struct timespec old[2] = {{1, 0}, {1, 0}};
	struct stat st;

	assert_true(n > 1);
	assert_int_equal(b->v->spares.count, SPARE_COUNT);
	assert_int_equal(futimens(b->v->spares.stock[0].fd, old), 0);
	assert_int_equal(bed_make(b, &b->root, "a", S_IFREG | 0600, NULL, &f),
	                 0);
	assert_int_equal(f.ino, first);
	assert_int_equal(object_stat(b->v->objects_fd, f.ino, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(st.st_mtim.tv_sec, 1); /* and the caller is told */
	assert_true(f.older);
	/* Other inodes have numbers of their own. */
	assert_int_equal(bed_make(b, &b->root, "d", S_IFDIR | 0700, NULL, &dir),
	                 0);
	assert_int_equal(dir.ino, first + SPARE_COUNT);
	make(b, n);
	assert_int_equal(b->v->spares.count, SPARE_COUNT - 2);
	/* More are wanted when half is gone, and fill the ring anew. */
	for (uint32_t i = 2; i < SPARE_COUNT / 2; i++) {
		assert_false(spare_order(b->v));
		make_safe(b, ++n);
	}
	assert_int_equal(stock(b), 0);
	assert_int_equal(b->v->spares.count, SPARE_COUNT);
	for (uint32_t i = 0; i < SPARE_COUNT; i++)
		make(b, ++n);
	assert_int_equal(b->v->spares.count, 0);
	make(b, ++n);
}

static void who_does_not_sync_gets_none(void **state)
{
	struct bed *b = *state;
	int n = 0;

	for (int round = 0; round < 2; round++) {
		for (; n < 20 * (round + 1); n++)
			make(b, n);
		assert_false(spare_order(b->v));
		for (int i = 0; i < 7; i++)
			spare_sync(b->v);
		assert_false(spare_order(b->v));
		spare_sync(b->v);
		assert_true(spare_order(b->v));
		spare_make(b->v);
		spare_settle(b->v);
		/* Nor more, when what was in stock has gone. */
		for (uint32_t i = 0; i < SPARE_COUNT; i++)
			make(b, 1000 * (round + 1) + (int)i);
		assert_int_equal(b->v->spares.count, 0);
	}
	assert_false(spare_order(b->v));
	assert_string_equal(bed_check(b), "");
}

static void names_are_made_safe_once(void **state)
{
	struct bed *b = *state;
	int n = stock(b);

	make(b, n++);
	assert_true(b->v->created);
	assert_int_equal(volume_flush(b->v), 0);
	make(b, n++);
	assert_false(b->v->created);
	/* Not by a batch that was frozen before they were made. */
	while (!spare_order(b->v))
		make_safe(b, n++);
	assert_false(b->v->created);
	make(b, n++);
	assert_true(volume_freeze(b->v));
	spare_make(b->v);
	spare_settle(b->v);
	b->v->created_before = true;
	volume_settle(b->v, volume_commit(b->v));
	while (!b->v->created && b->v->spares.count > 0)
		make(b, n++);
	/* The first of them was just taken. */
	assert_int_equal(b->v->spares.count, SPARE_COUNT / 2 - 1);
}

static void what_is_left_of_the_stock_goes(void **state)
{
	struct bed *b = *state;
	int n = stock(b);

	make(b, n);
	bed_crash(b);
	assert_string_equal(bed_check(b), "");
	(void)stock(b);
	assert_int_equal(volume_close(b->v), 0);
	bed_open(b);
	assert_string_equal(bed_check(b), "");
}

static void what_could_not_be_made_is_not_in_stock(void **state)
{
	struct bed *b = *state;
	char path[80];
	int n = 0;

	while (!spare_order(b->v))
		make_safe(b, n++);
	/* Something stands in the place of the third. */
	(void)snprintf(path, sizeof(path), "%s/objects/%llu", b->host,
	               (unsigned long long)b->v->spares.stock[2].ino);
	assert_int_equal(mkdir(path, 0700), 0);
	spare_make(b->v);
	spare_settle(b->v);
	assert_int_equal(b->v->spares.count, 2);
	for (int i = 0; i < 4; i++)
		make(b, n++);
	assert_int_equal(rmdir(path), 0);
	assert_string_equal(bed_check(b), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BED(files_are_made_of_what_is_in_stock),
		BED(who_does_not_sync_gets_none),
		BED(names_are_made_safe_once),
		BED(what_is_left_of_the_stock_goes),
		BED(what_could_not_be_made_is_not_in_stock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

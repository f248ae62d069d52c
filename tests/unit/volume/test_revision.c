/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/revision.h"

#include "scratch.h"
#include "volume/bed.h"
#include "volume/object.h"

struct home {
	char host[64];
	int fd;
};

static int setup(void **state)
{
	struct home *h = calloc(1, sizeof(*h));
	struct volume_limits limits = {BED_BYTES, BED_INODES};
	struct fault f;

	assert_int_equal(scratch_make(h->host), 0);
	h->fd = open(h->host, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (revision_init(h->fd, &limits, HEADER_OPEN, (struct span){NULL, 0},
	                  &f) < 0)
		fail_msg("%s", f.text);
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	struct home *h = *state;
	struct fault f;

	assert_int_equal(revision_remove(h->fd, &f), 0);
	close(h->fd);
	assert_int_equal(rmdir(h->host), 0);
	free(h);
	return 0;
}

static struct bed opened(const struct home *h)
{
	struct bed b = {0};
	struct fault f;

	b.dir = revision_live(h->fd, &f);
	assert_true(b.dir >= 0);
	bed_open(&b);
	return b;
}

static void closed(struct bed *b)
{
	assert_string_equal(bed_check(b), "");
	assert_int_equal(volume_close(b->v), 0);
	close(b->dir);
}

/* Writes as the kernel does: to an object of one's own. */
static void put(struct home *h, const char *name, const char *text)
{
	struct bed b = opened(h);
	struct stat st;
	uint64_t ino;
	int fd;

	if (tree_lookup(b.v, VRECORD_ROOT, span_str(name), &ino, NULL) < 0) {
		struct tree_node n;

		assert_int_equal(bed_make(&b, &b.root, name, S_IFREG, text, &n),
		                 0);
	} else {
		assert_int_equal(object_stat(b.v->objects_fd, ino, &st), 0);
		if (object_shared(&st))
			assert_int_equal(object_unshare(b.v->objects_fd, ino),
			                 0);
		fd = object_open(b.v->objects_fd, ino, O_WRONLY | O_TRUNC);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, text, strlen(text)), strlen(text));
		close(fd);
	}
	closed(&b);
}

static const char *text_of(struct home *h, const char *name)
{
	static char text[64];
	struct bed b = opened(h);
	uint64_t ino;
	int fd;

	(void)snprintf(text, sizeof(text), "none");
	if (tree_lookup(b.v, VRECORD_ROOT, span_str(name), &ino, NULL) == 0) {
		ssize_t n;

		fd = object_open(b.v->objects_fd, ino, O_RDONLY);
		assert_true(fd >= 0);
		n = read(fd, text, sizeof(text) - 1);
		assert_true(n >= 0);
		text[n] = '\0';
		close(fd);
	}
	closed(&b);
	return text;
}

static void a_reverted_volume_is_what_it_was(void **state)
{
	struct home *h = *state;
	struct fault f;
	uint64_t id;

	put(h, "a", "before");
	put(h, "same", "same");
	assert_int_equal(revision_take(h->fd, 2, &id, &f), 0);
	put(h, "a", "after!");
	put(h, "b", "new");
	assert_string_equal(text_of(h, "a"), "after!");
	assert_int_equal(revision_revert(h->fd, 0, &f), 0);
	assert_string_equal(text_of(h, "a"), "before");
	assert_string_equal(text_of(h, "same"), "same");
	assert_string_equal(text_of(h, "b"), "none");
	/* The revision is not spent. */
	put(h, "a", "again");
	assert_int_equal(revision_revert(h->fd, id, &f), 0);
	assert_string_equal(text_of(h, "a"), "before");
	assert_int_equal(revision_revert(h->fd, id + 1, &f), -ENOENT);
}

static void only_the_newest_are_kept(void **state)
{
	struct home *h = *state;
	uint64_t id[4];
	uint64_t *ids;
	struct fault f;

	for (int i = 0; i < 4; i++) {
		char text[8];

		(void)snprintf(text, sizeof(text), "%d", i);
		put(h, "n", text);
		assert_int_equal(revision_take(h->fd, 2, &id[i], &f), 0);
	}
	assert_int_equal(revision_list(h->fd, &ids, &f), 2);
	assert_int_equal(ids[0], id[2]);
	assert_int_equal(ids[1], id[3]);
	free(ids);
	assert_int_equal(revision_revert(h->fd, id[2], &f), 0);
	assert_string_equal(text_of(h, "n"), "2");
	assert_int_equal(revision_take(h->fd, 0, NULL, &f), 0);
	assert_int_equal(revision_list(h->fd, &ids, &f), 0);
	free(ids);
	assert_int_equal(revision_revert(h->fd, 0, &f), -ENOENT);
}

static void note_step(void *ctx, uint64_t done, uint64_t all)
{
	uint64_t *next = ctx;

	assert_int_equal(done, *next);
	assert_in_range(done, 0, all - 1);
	++*next;
}

static void a_clone_is_a_volume_of_its_own(void **state)
{
	struct home *h = *state;
	struct home other = {0};
	uint64_t steps = 0;
	struct revision_watch watch = {.step = note_step, .ctx = &steps};
	struct fault f;

	put(h, "a", "first");
	assert_int_equal(scratch_make(other.host), 0);
	other.fd = open(other.host, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	watch.all = (uint64_t)revision_measure(h->fd, &f);
	assert_in_range(watch.all, 1, 9);
	assert_int_equal(revision_clone(h->fd, other.fd, &watch, &f), 0);
	/* One that is borrowed is the same. */
	assert_int_equal(revision_remove(other.fd, &f), 0);
	assert_int_equal(revision_borrow(h->fd, other.fd, &f), 0);
	assert_string_equal(text_of(&other, "a"), "first");
	/* Each object is told of once, and none was forgotten. */
	assert_int_equal(steps, watch.all);
	assert_int_equal(revision_measure(other.fd, &f), watch.all);
	put(&other, "a", "clone");
	assert_string_equal(text_of(h, "a"), "first");
	put(h, "a", "orig.");
	assert_string_equal(text_of(&other, "a"), "clone");
	assert_int_equal(revision_remove(other.fd, &f), 0);
	close(other.fd);
	assert_int_equal(rmdir(other.host), 0);
	assert_string_equal(text_of(h, "a"), "orig.");
}

static void a_volume_in_use_is_left_alone(void **state)
{
	struct home *h = *state;
	struct bed b = opened(h);
	struct fault f;

	assert_int_equal(revision_take(h->fd, 2, NULL, &f), -EBUSY);
	assert_int_equal(revision_revert(h->fd, 0, &f), -EBUSY);
	assert_int_equal(revision_clear(h->fd, NULL, &f), -EBUSY);
	assert_int_equal(revision_remove(h->fd, &f), -EBUSY);
	closed(&b);
}

static void clearing_and_resizing_leave_the_rest(void **state)
{
	struct home *h = *state;
	struct volume_limits limits = {8192, 5};
	struct fault f;
	struct bed b;

	put(h, "a", "x");
	assert_int_equal(revision_take(h->fd, 2, NULL, &f), 0);
	assert_int_equal(revision_resize(h->fd, NULL, &limits, &f), 0);
	assert_int_equal(revision_clear(h->fd, NULL, &f), 0);
	b = opened(h);
	assert_int_equal(b.v->sums.max_bytes, 8192);
	assert_int_equal(b.v->sums.max_inodes, 5);
	assert_int_equal(b.v->sums.inodes, 1);
	closed(&b);
	assert_int_equal(revision_revert(h->fd, 0, &f), 0);
	assert_string_equal(text_of(h, "a"), "x");
}

static void what_a_crash_left_goes(void **state)
{
	struct home *h = *state;
	char command[256];
	struct fault f;

	put(h, "a", "x");
	(void)snprintf(command, sizeof(command),
	               "cd %s && mkdir -p new.rev/objects vol.77/objects && "
	               "touch new.rev/objects/1 vol.77/objects/2 new.live",
	               h->host);
	assert_int_equal(system(command), 0);
	assert_int_equal(revision_take(h->fd, 1, NULL, &f), 0);
	assert_int_equal(faccessat(h->fd, "new.rev", F_OK, 0), -1);
	assert_int_equal(faccessat(h->fd, "vol.77", F_OK, 0), -1);
	assert_string_equal(text_of(h, "a"), "x");
}

#define HOME(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOME(a_reverted_volume_is_what_it_was),
		HOME(only_the_newest_are_kept),
		HOME(a_clone_is_a_volume_of_its_own),
		HOME(a_volume_in_use_is_left_alone),
		HOME(clearing_and_resizing_leave_the_rest),
		HOME(what_a_crash_left_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/furnish.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmocka_all.h"

#define TEXT(s) ((struct span){(const uint8_t *)(s), sizeof(s) - 1})

static int plan(const struct launch_mount *m, uint32_t count, int first,
                struct world_options *o, struct places *p)
{
	static struct launch l;
	struct fault f = {"old words"};
	int err;

	l.mount_count = count;
	memcpy(l.mount, m, count * sizeof(*m));
	err = furnish_world(&l, first, o, p, &f);
	if (err < 0)
		assert_string_not_equal(f.text, "old words");
	return err;
}

/* Descriptors nobody opens here: places and options only name them. */
static void descriptors_go_to_their_mounts_in_order(void **state)
{
	const struct launch_mount m[] = {
		{LAUNCH_TEMPLATE, 0, 1, TEXT("/usr"), TEXT("")},
		{LAUNCH_LINK, 0, 0, TEXT("/bin"), TEXT("usr/bin")},
		{LAUNCH_VOLATILE, 0, 1, TEXT("/"), TEXT("")},
		{LAUNCH_SHARE, LAUNCH_MOUNT_WRITABLE, 1, TEXT("/mnt/a"),
	         TEXT("")},
		{LAUNCH_BIND, 0, 0, TEXT("/home"), TEXT("/rw/home")},
		{LAUNCH_SHARE, LAUNCH_MOUNT_FILE, 1, TEXT("/mnt/b"), TEXT("")},
		{LAUNCH_TOOLS, 0, 1, TEXT("/"), TEXT("")},
	};
	static struct world_options o;
	struct places p = {0};

	(void)state;
	assert_int_equal(plan(m, ARRAY_LEN(m), 700, &o, &p), 0);
	assert_int_equal(o.template_count, 2);
	assert_string_equal(o.template[0].name, "usr");
	assert_int_equal(o.template[0].fd, 700);
	assert_string_equal(o.template[1].name, "bin");
	assert_string_equal(o.template[1].link, "usr/bin");
	assert_int_equal(o.template[1].fd, -1);
	assert_int_equal(o.spill_fd, 701);
	assert_int_equal(o.share_count, 2);
	assert_int_equal(o.share[0].fd, 702);
	assert_true(o.share[0].writable && !o.share[0].is_file);
	assert_int_equal(o.share[1].fd, 703);
	assert_true(!o.share[1].writable && o.share[1].is_file);
	assert_int_equal(o.tools_fd, 704);
	assert_int_equal(o.bind_count, 1);
	assert_string_equal(o.bind[0].at, "/home");
	assert_string_equal(o.bind[0].from, "/rw/home");

	assert_int_equal(p.count, 5);
	assert_int_equal(p.place[0].what, LANDLOCK_READ);
	assert_int_equal(p.place[1].what, LANDLOCK_READ | LANDLOCK_WRITE);
	assert_int_equal(p.place[2].what, LANDLOCK_READ | LANDLOCK_WRITE);
	assert_int_equal(p.place[3].what, LANDLOCK_READ | LANDLOCK_FILE);
	assert_int_equal(p.place[3].fd, 703);
	assert_int_equal(p.place[4].what, LANDLOCK_READ);
	assert_int_equal(p.place[4].fd, 704);
	places_fini(&p);
}

static void an_image_comes_with_the_root_of_its_tree(void **state)
{
	static const struct launch_mount m[] = {
		{LAUNCH_IMAGE, 0, 4, TEXT("/"), TEXT("")},
	};
	static struct world_options o;
	struct places p = {0};
	uint8_t root[32];
	int first = 700;

	(void)state;
	memset(root, 0x5a, sizeof(root));
	for (int i = 0; i < 4; i++) {
		int fd = memfd_create("part", MFD_CLOEXEC);

		assert_int_equal(write(fd, root, sizeof(root)), sizeof(root));
		assert_int_equal(dup2(fd, first + i), first + i);
		close(fd);
	}
	assert_int_equal(plan(m, 1, first, &o, &p), 0);
	assert_int_equal(o.image.main_fd, first);
	assert_int_equal(o.image.tree_fd, first + 1);
	assert_int_equal(o.image.data_fd, first + 3);
	assert_memory_equal(o.image.root, root, sizeof(root));
	/* It has been read and is not needed any more. */
	assert_int_equal(fcntl(first + 2, F_GETFD), -1);
	assert_int_equal(p.count, 0);

	/* Without a root to hold it to, it is none. */
	assert_int_equal(dup2(first, first + 2), first + 2);
	assert_int_equal(ftruncate(first, 31), 0);
	assert_int_equal(plan(m, 1, first, &o, &p), -EIO);
	close(first);
	close(first + 1);
	close(first + 3);
}

static const struct {
	const char *why;
	struct launch_mount m[2];
} refused[] = {
	{"an image anywhere but at /",
         {{LAUNCH_IMAGE, 0, 3, TEXT("/mnt"), TEXT("")}}},
	{"an image without a tree",
         {{LAUNCH_IMAGE, 0, 2, TEXT("/"), TEXT("")}}},
	{"a volatile side anywhere but at /",
         {{LAUNCH_VOLATILE, 0, 1, TEXT("/mnt"), TEXT("")}}},
	{"two volatile sides",
         {{LAUNCH_VOLATILE, 0, 1, TEXT("/"), TEXT("")},
          {LAUNCH_VOLATILE, 0, 1, TEXT("/"), TEXT("")}}},
	{"tools anywhere but at /",
         {{LAUNCH_TOOLS, 0, 1, TEXT("/usr"), TEXT("")}}},
	{"tools twice",
         {{LAUNCH_TOOLS, 0, 1, TEXT("/"), TEXT("")},
          {LAUNCH_TOOLS, 0, 1, TEXT("/"), TEXT("")}}},
	{"a kind nobody knows", {{250, 0, 0, TEXT("/"), TEXT("")}}},
};

static void what_makes_no_sense_is_refused(void **state)
{
	static struct world_options o;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct places p = {0};
		uint32_t count = refused[i].m[1].at.size > 0 ? 2 : 1;
		int err = plan(refused[i].m, count, 700, &o, &p);

		if (err != -EOPNOTSUPP)
			fail_msg("%s: %d", refused[i].why, err);
		places_fini(&p);
	}
}

/* One more than there is room for, of each kind that may come often. */
static void too_many_of_a_kind_are_refused(void **state)
{
	static const struct {
		struct launch_mount m;
		size_t room;
	} kinds[] = {
		{{LAUNCH_LINK, 0, 0, TEXT("/a"), TEXT("b")},
	         ARRAY_LEN(((struct world_options *)0)->template)},
		{{LAUNCH_SHARE, 0, 1, TEXT("/a"), TEXT("")},
	         ARRAY_LEN(((struct world_options *)0)->share)},
		{{LAUNCH_BIND, 0, 0, TEXT("/a"), TEXT("/b")},
	         ARRAY_LEN(((struct world_options *)0)->bind)},
	};
	static struct launch_mount many[LAUNCH_MOUNTS];
	static struct world_options o;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		uint32_t room = (uint32_t)kinds[i].room;
		struct places p = {0};

		assert_true(room < ARRAY_LEN(many));
		for (uint32_t n = 0; n <= room; n++)
			many[n] = kinds[i].m;
		assert_int_equal(plan(many, room, 700, &o, &p), 0);
		places_fini(&p);
		assert_int_equal(plan(many, room + 1, 700, &o, &p),
		                 -EOPNOTSUPP);
		places_fini(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descriptors_go_to_their_mounts_in_order),
		cmocka_unit_test(an_image_comes_with_the_root_of_its_tree),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(too_many_of_a_kind_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

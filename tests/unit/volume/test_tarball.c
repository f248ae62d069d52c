/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/tarball.h"

#include <sys/mman.h>

#include "volume/bed.h"
#include "volume/object.h"

static char *listing(int fd, const char *options)
{
	static char text[4096];
	char command[128];
	size_t used;
	FILE *p;

	(void)snprintf(command, sizeof(command),
	               "tar %s -f /proc/%d/fd/%d 2>/dev/null", options,
	               getpid(), fd);
	p = popen(command, "r");
	assert_non_null(p);
	used = fread(text, 1, sizeof(text) - 1, p);
	text[used] = '\0';
	assert_int_equal(pclose(p), 0);
	return text;
}

static void fill(struct bed *b)
{
	struct tree_node d, f;

	assert_int_equal(bed_make(b, &b->root, "d", S_IFDIR | 0750, NULL, &d),
	                 0);
	assert_int_equal(bed_make(b, &d, "f", S_IFREG | 04711, "contents", &f),
	                 0);
	f.r.uid = 1234;
	f.r.gid = 77;
	assert_int_equal(tree_update(b->v, &f), 0);
	assert_int_equal(tree_xattr_set(b->v, &f, span_str("user.a"),
	                                span_str("value"), 0),
	                 0);
	assert_int_equal(tree_link(b->v, &b->root, span_str("hard"), &f), 0);
	assert_int_equal(bed_make(b, &d, "l", S_IFLNK | 0777, "f", NULL), 0);
	assert_int_equal(bed_make(b, &d, "p", S_IFIFO | 0600, NULL, NULL), 0);
}

static void an_exported_volume_is_what_tar_reads(void **state)
{
	struct bed *b = *state;
	int fd = memfd_create("tar", 0);
	struct fault f;
	char *text;

	fill(b);
	assert_int_equal(tarball_export(b->v, fd, &f), 0);
	text = listing(fd, "--numeric-owner -tv");
	assert_non_null(strstr(text, "-rws--x--x 1234/77"));
	assert_non_null(strstr(text, "drwxr-x--- 0/0"));
	assert_non_null(strstr(text, "d/l -> f"));
	assert_non_null(strstr(text, "link to"));
	assert_string_equal(listing(fd, "-xO"), "contents");
	close(fd);
}

static void an_imported_volume_is_the_exported_one(void **state)
{
	struct bed *b = *state;
	struct bed *other;
	int fd = memfd_create("tar", 0);
	struct tree_node n;
	struct span value;
	struct fault f;
	uint64_t dir, ino, hard;

	fill(b);
	assert_int_equal(tarball_export(b->v, fd, &f), 0);
	assert_int_equal(bed_setup((void **)&other), 0);
	/* Twice: what is there is replaced. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		if (tarball_import(other->v, fd, &f) < 0)
			fail_msg("%s", f.text);
	}
	assert_int_equal(
		tree_lookup(other->v, VRECORD_ROOT, span_str("d"), &dir, NULL),
		0);
	assert_int_equal(tree_lookup(other->v, dir, span_str("f"), &ino, NULL),
	                 0);
	assert_int_equal(tree_lookup(other->v, VRECORD_ROOT, span_str("hard"),
	                             &hard, NULL),
	                 0);
	assert_int_equal(ino, hard);
	assert_int_equal(tree_load(other->v, ino, &n), 0);
	assert_int_equal(n.r.mode, S_IFREG | 04711);
	assert_int_equal(n.r.uid, 1234);
	assert_int_equal(n.r.nlink, 2);
	assert_int_equal(
		tree_xattr_get(other->v, ino, span_str("user.a"), &value), 0);
	assert_true(span_is(value, "value"));
	assert_string_equal(bed_check(other), "");
	bed_crash(other);
	assert_string_equal(bed_check(other), "");
	assert_int_equal(bed_teardown((void **)&other), 0);
	close(fd);
}

static int made(const char *command)
{
	int fd = memfd_create("tar", 0);
	char line[320];

	(void)snprintf(line, sizeof(line), "(%s) >/proc/%d/fd/%d", command,
	               getpid(), fd);
	assert_int_equal(system(line), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void names_that_lead_out_are_refused(void **state)
{
	struct bed *b = *state;
	int fd = made("tar -cP -f - --transform 's,^/etc,../etc,' /etc/passwd");
	struct fault f;

	assert_int_equal(tarball_import(b->v, fd, &f), -EINVAL);
	assert_non_null(strstr(f.text, "../etc"));
	assert_string_equal(bed_check(b), "");
	close(fd);
}

static void the_limit_holds_for_imports(void **state)
{
	struct bed *b = *state;
	int fd = made("head -c 3000000 /dev/zero >/tmp/large.$$ && "
	              "tar -c -f - -C /tmp large.$$; rm /tmp/large.$$; true");
	struct fault f;

	assert_int_equal(tarball_import(b->v, fd, &f), -ENOSPC);
	assert_string_equal(bed_check(b), "");
	close(fd);
}

static void half_an_archive_is_an_error(void **state)
{
	struct bed *b = *state;
	int fd = made("tar -c -f - /etc/passwd 2>/dev/null | head -c 700");
	struct fault f;

	assert_true(tarball_import(b->v, fd, &f) < 0);
	assert_string_equal(bed_check(b), "");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BED(an_exported_volume_is_what_tar_reads),
		BED(an_imported_volume_is_the_exported_one),
		BED(names_that_lead_out_are_refused),
		BED(the_limit_holds_for_imports),
		BED(half_an_archive_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

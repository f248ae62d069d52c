/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/clipboard.h"

#include <fcntl.h>
#include <string.h>

#include "cmocka_all.h"

struct bench {
	char path[32];
	int folder;
	struct fault fault;
};

static int bench_init(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	strcpy(b->path, "/tmp/bento-clip.XXXXXX");
	assert_non_null(mkdtemp(b->path));
	b->folder = open(b->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(b->folder >= 0);
	*state = b;
	return 0;
}

static int bench_fini(void **state)
{
	struct bench *b = *state;

	(void)unlinkat(b->folder, "clipboard", 0);
	close(b->folder);
	assert_int_equal(rmdir(b->path), 0); /* nothing else was there */
	free(b);
	return 0;
}

static void put(struct bench *b, const char *source, const char *text)
{
	assert_int_equal(
		clipboard_put(b->folder, source, span_str(text), &b->fault), 0);
}

static void is(const struct clipboard *c, const char *source, const char *text)
{
	assert_string_equal(c->source, source);
	assert_true(span_is(buffer_span(&c->text), text));
}

static void a_text_is_there_until_it_is_taken(void **state)
{
	struct bench *b = *state;
	struct clipboard c, again;

	assert_int_equal(clipboard_get(b->folder, &c, &b->fault), -ENOENT);
	clipboard_fini(&c);
	put(b, "work", "one\ntwo");
	assert_int_equal(clipboard_get(b->folder, &c, &b->fault), 0);
	is(&c, "work", "one\ntwo");
	/* Looking does not take it; taking does, once. */
	assert_int_equal(clipboard_get(b->folder, &again, &b->fault), 0);
	assert_int_equal(clipboard_take(&c, &b->fault), 0);
	assert_int_equal(clipboard_take(&again, &b->fault), -ESTALE);
	clipboard_fini(&again);
	assert_int_equal(clipboard_get(b->folder, &again, &b->fault), -ENOENT);
	clipboard_fini(&again);
	/* What did not arrive comes back. */
	clipboard_return(&c);
	assert_int_equal(clipboard_get(b->folder, &again, &b->fault), 0);
	is(&again, "work", "one\ntwo");
	clipboard_fini(&again);
	clipboard_fini(&c);
}

static void another_text_is_not_taken_for_the_first(void **state)
{
	struct bench *b = *state;
	struct clipboard c, again;

	put(b, "work", "one");
	assert_int_equal(clipboard_get(b->folder, &c, &b->fault), 0);
	put(b, "bank", "secret");
	assert_int_equal(clipboard_take(&c, &b->fault), -ESTALE);
	clipboard_return(&c); /* nor is it pushed aside */
	assert_int_equal(clipboard_get(b->folder, &again, &b->fault), 0);
	is(&again, "bank", "secret");
	clipboard_fini(&again);
	clipboard_fini(&c);
	assert_int_equal(clipboard_clear(b->folder, &b->fault), 0);
	assert_int_equal(clipboard_clear(b->folder, &b->fault), 0);
	assert_int_equal(clipboard_get(b->folder, &c, &b->fault), -ENOENT);
	clipboard_fini(&c);
}

static void only_text_of_a_size_will_do(void **state)
{
	size_t size = CLIPBOARD_MAX + 1;
	autofree char *large = malloc(size);

	(void)state;
	assert_non_null(large);
	memset(large, 'x', size);
	assert_int_equal(
		clipboard_check((struct span){(uint8_t *)large, size - 1}), 0);
	assert_int_equal(clipboard_check((struct span){(uint8_t *)large, size}),
	                 -EFBIG);
	assert_int_equal(clipboard_check(span_str("\303\244\t\r\n~ ")), 0);
	assert_int_equal(clipboard_check(span_str("a\033[2J")), -EILSEQ);
	assert_int_equal(clipboard_check(span_str("\177")), -EILSEQ);
	assert_int_equal(
		clipboard_check((struct span){(const uint8_t *)"a\0b", 3}),
		-EILSEQ);
}

static void a_damaged_file_is_said_to_be(void **state)
{
	struct bench *b = *state;
	struct clipboard c;
	int fd = openat(b->folder, "clipboard", O_WRONLY | O_CREAT | O_CLOEXEC,
	                0600);

	assert_int_equal(write(fd, "no line end", 11), 11);
	close(fd);
	assert_int_equal(clipboard_get(b->folder, &c, &b->fault), -EPROTO);
	clipboard_fini(&c);
}

int main(void)
{
#define WITH_BENCH(name) \
	cmocka_unit_test_setup_teardown(name, bench_init, bench_fini)
	const struct CMUnitTest tests[] = {
		WITH_BENCH(a_text_is_there_until_it_is_taken),
		WITH_BENCH(another_text_is_not_taken_for_the_first),
		cmocka_unit_test(only_text_of_a_size_will_do),
		WITH_BENCH(a_damaged_file_is_said_to_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

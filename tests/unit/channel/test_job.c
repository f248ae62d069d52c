/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/job.h"

#include "cmocka_all.h"

/* A list of strings from a literal with a NUL behind each. */
#define LIST(n, s) \
	((struct wire_list){(n), {(const uint8_t *)(s), sizeof(s) - 1}})

static struct job usual(void)
{
	return (struct job){
		.stream = {JOB_DESCRIPTOR, JOB_TERMINAL, JOB_CLOSED},
		.rows = 24,
		.columns = 80,
		.user = span_str("user"),
		.cwd = span_str("/home/user"),
		.args = LIST(2, "ls\0-l\0"),
		.env = LIST(1, "A=b\0"),
	};
}

static void what_was_written_is_read(void **state)
{
	struct job j = usual(), got;
	autofree uint8_t *wire = NULL;
	size_t size;

	(void)state;
	assert_int_equal(job_format(&j, &wire, &size), 0);
	assert_int_equal(job_parse((struct span){wire, size}, &got), 0);
	assert_memory_equal(got.stream, j.stream, sizeof(j.stream));
	assert_int_equal(got.columns, 80);
	assert_true(span_is(got.user, "user"));
	assert_int_equal(got.args.count, 2);
	assert_true(span_eq(got.args.packed, j.args.packed));
	assert_true(span_eq(got.env.packed, j.env.packed));
	assert_int_equal(job_descriptors(&got), 2);
}

static void a_record_cut_anywhere_is_refused(void **state)
{
	struct job j = usual(), got = {.rows = 77};
	autofree uint8_t *wire = NULL;
	size_t size;

	(void)state;
	assert_int_equal(job_format(&j, &wire, &size), 0);
	for (size_t n = 0; n < size; n++) {
		autofree uint8_t *cut = malloc(n + 1);

		memcpy(cut, wire, n);
		assert_int_equal(job_parse((struct span){cut, n}, &got),
		                 -EPROTO);
	}
	assert_int_equal(got.rows, 77);
}

static void no_stream(struct job *j)
{
	j->stream[2] = JOB_TERMINAL + 1;
}

static void nul_in_user(struct job *j)
{
	j->user = (struct span){(const uint8_t *)"a\0b", 3};
}

static void relative_cwd(struct job *j)
{
	j->cwd = span_str("home");
}

static void no_args(struct job *j)
{
	j->args = LIST(0, "");
}

static void too_few_args(struct job *j)
{
	j->args = LIST(3, "ls\0-l\0");
}

static void unended_args(struct job *j)
{
	j->args = (struct wire_list){1, span_str("ls")};
}

static const struct {
	const char *why;
	void (*spoil)(struct job *j);
} refused[] = {
	{"unknown kind of stream", no_stream},
	{"a NUL in the user's name", nul_in_user},
	{"relative folder", relative_cwd},
	{"nothing to run", no_args},
	{"fewer arguments than said", too_few_args},
	{"an argument without its end", unended_args},
};

static void what_makes_no_sense_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct job j = usual();
		uint8_t *wire = NULL;
		size_t size;

		refused[i].spoil(&j);
		if (job_format(&j, &wire, &size) != -EINVAL)
			fail_msg("%s", refused[i].why);
		assert_null(wire);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(a_record_cut_anywhere_is_refused),
		cmocka_unit_test(what_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls, and through them the changes they make.
 */
#include "policy/policy_calls.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cmocka_all.h"
#include "scratch.h"

struct bed {
	char top[64];
	struct policy_store *store;
	struct fault fault;
	char out[8192];
};

static int set_up(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	struct policy_folders folders = {0};

	assert_non_null(b);
	assert_int_equal(scratch_make(b->top), 0);
	assert_true(asprintf(&folders.path[POLICY_LAYER_ETC], "%s/etc",
	                     b->top) > 0);
	assert_true(asprintf(&folders.path[POLICY_LAYER_CONFIG],
	                     "%s/config/bento/policy.d", b->top) > 0);
	assert_true(asprintf(&folders.path[POLICY_LAYER_RUNTIME], "%s/run",
	                     b->top) > 0);
	assert_int_equal(mkdir(folders.path[POLICY_LAYER_ETC], 0755), 0);
	assert_int_equal(policy_store_open(&folders, &b->store), 0);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	policy_store_close(b->store);
	assert_int_equal(scratch_drop(b->top), 0);
	free(b);
	return 0;
}

/* A call; its answer is in b->out, or the exception's name. */
static int ask(struct bed *b, const char *method, const char *argument,
               const char *payload)
{
	const struct policy_call c = {span_str(method), span_str(argument),
	                              span_str(payload)};
	autobuffer struct buffer out = {0};
	const char *exception = "";
	int err = policy_calls_serve(b->store, &c, &out, &exception, &b->fault);

	buffer_text0(&out, "");
	(void)snprintf(b->out, sizeof(b->out), "%s",
	               err < 0 ? exception : (char *)out.at);
	return err;
}

static void write_file(const struct bed *b, const char *name, const char *text)
{
	autofree char *path = NULL;
	autoclose int fd = -1;

	assert_true(asprintf(&path, "%s/%s", b->top, name) > 0);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void a_file_is_made_read_replaced_and_removed(void **state)
{
	struct bed *b = *state;
	char payload[256];
	char token[POLICY_TOKEN_MAX];

	assert_int_equal(ask(b, "policy.List", "", ""), 0);
	assert_string_equal(b->out, "90-default\n");
	assert_int_equal(
		ask(b, "policy.Replace", "30-user", "new\na * b c deny\n"), 0);
	assert_int_equal(ask(b, "policy.List", "", ""), 0);
	assert_string_equal(b->out, "30-user\n90-default\n");
	assert_int_equal(ask(b, "policy.Get", "30-user", ""), 0);
	policy_change_token(span_str("a * b c deny\n"), token);
	(void)snprintf(payload, sizeof(payload), "%s\na * b c deny\n", token);
	assert_string_equal(b->out, payload);

	(void)snprintf(payload, sizeof(payload), "%s\na * b c allow\n", token);
	assert_int_equal(ask(b, "policy.Replace", "30-user", payload), 0);
	/* The second editor has the token of what was there before. */
	assert_int_equal(ask(b, "policy.Replace", "30-user", payload), -ESTALE);
	assert_string_equal(b->out, "PolicyAdminTokenException");
	assert_int_equal(ask(b, "policy.Remove", "30-user", token), -ESTALE);
	assert_int_equal(ask(b, "policy.Replace", "30-user", "any\n"), 0);
	assert_int_equal(ask(b, "policy.Get", "30-user", ""), 0);
	assert_string_equal(b->out, "sha256:e3b0c44298fc1c149afbf4c8996fb924"
	                            "27ae41e4649b934ca495991b7852b855\n");
	assert_int_equal(ask(b, "policy.Remove", "30-user", "any"), 0);
	assert_int_equal(ask(b, "policy.Get", "30-user", ""), -ENOENT);
	assert_string_equal(b->out, "PolicyAdminFileNotFoundException");
}

static void tokens_are_new_any_or_of_a_content(void **state)
{
	struct bed *b = *state;
	static const char none[] =
		"sha256:"
		"0000000000000000000000000000000000000000000000000000000000000"
		"000\n";

	assert_int_equal(ask(b, "policy.Replace", "a", "new\n"), 0);
	assert_int_equal(ask(b, "policy.Replace", "a", "new\n"), -EEXIST);
	assert_string_equal(b->out, "PolicyAdminTokenException");
	assert_int_equal(ask(b, "policy.Replace", "90-default", "new\n"),
	                 -EEXIST);
	assert_int_equal(ask(b, "policy.Replace", "a", "sha256:x\n"), -ESTALE);
	assert_int_equal(ask(b, "policy.Replace", "a", "\n"), -EINVAL);
	assert_int_equal(ask(b, "policy.Replace", "a", "New\n"), -EINVAL);
	assert_int_equal(ask(b, "policy.Replace", "b", none), -ENOENT);
	assert_int_equal(ask(b, "policy.Remove", "b", "any"), -ENOENT);
	assert_int_equal(ask(b, "policy.Replace", "a", "any"), -EINVAL);
}

static void calls_take_what_the_table_says(void **state)
{
	struct bed *b = *state;

	assert_int_equal(ask(b, "policy.List", "x", ""), -EPROTO);
	assert_int_equal(ask(b, "policy.List", "", "x"), -EPROTO);
	assert_int_equal(ask(b, "policy.Get", "", ""), -EPROTO);
	assert_int_equal(ask(b, "policy.Get", "90-default", "x"), -EPROTO);
	assert_int_equal(ask(b, "policy.Replace", "a", ""), -EPROTO);
	assert_int_equal(ask(b, "policy.Remove", "a", ""), -EPROTO);
	assert_int_equal(ask(b, "policy.Nothing", "", ""), -ENOSYS);
	assert_true(policy_calls_has(span_str("policy.include.Remove")));
	assert_false(policy_calls_has(span_str("policy.include")));
}

static void names_lead_nowhere_else(void **state)
{
	static const char *const names[] = {
		"..", ".", ".a", "a/b", "../a", "A", "a b", "a\n", "/etc/x",
	};
	struct bed *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(ask(b, "policy.Replace", names[i], "any\n"),
		                 -EINVAL);
		assert_int_equal(ask(b, "policy.Get", names[i], ""), -EINVAL);
		assert_int_equal(ask(b, "policy.Remove", names[i], "any"),
		                 -EINVAL);
		if (strcmp(names[i], "A") != 0)
			assert_int_equal(ask(b, "policy.include.Replace",
			                     names[i], "any\n"),
			                 -EINVAL);
	}
}

static void what_would_be_an_error_is_refused(void **state)
{
	struct bed *b = *state;

	assert_int_equal(ask(b, "policy.Replace", "a", "new\na * b\n"),
	                 -EINVAL);
	assert_string_equal(b->out, "PolicyAdminSyntaxException");
	assert_non_null(strstr(b->fault.text, "a.policy, line 1: word 4"));
	assert_int_equal(ask(b, "policy.Get", "a", ""), -ENOENT);

	/* What is included cannot be taken away, nor be broken. */
	assert_int_equal(ask(b, "policy.Replace", "a",
	                     "new\n!include "
	                     "include/x\n"),
	                 -EINVAL);
	assert_int_equal(
		ask(b, "policy.include.Replace", "x", "new\na * b c deny\n"),
		0);
	assert_int_equal(
		ask(b, "policy.Replace", "a", "new\n!include include/x\n"), 0);
	assert_int_equal(ask(b, "policy.include.Replace", "x", "any\nwrong\n"),
	                 -EINVAL);
	assert_int_equal(ask(b, "policy.include.Remove", "x", "any"), -EINVAL);
	assert_int_equal(ask(b, "policy.include.List", "", ""), 0);
	assert_string_equal(b->out, "x\n");
	assert_int_equal(ask(b, "policy.Remove", "a", "any"), 0);
	assert_int_equal(ask(b, "policy.include.Remove", "x", "any"), 0);
}

static void a_policy_in_error_can_be_mended_file_by_file(void **state)
{
	struct bed *b = *state;

	assert_int_equal(ask(b, "policy.Replace", "a", "new\n"), 0);
	write_file(b, "config/bento/policy.d/b.policy", "wrong\n");
	write_file(b, "config/bento/policy.d/c.policy", "wrong\n");
	assert_int_equal(ask(b, "policy.Replace", "a", "any\nwrong\n"),
	                 -EINVAL);
	assert_int_equal(ask(b, "policy.Replace", "b", "any\na * b c deny\n"),
	                 0);
	assert_int_equal(ask(b, "policy.Replace", "a", "any\na * b c deny\n"),
	                 0);
	assert_int_equal(ask(b, "policy.Remove", "c", "any"), 0);
	assert_int_equal(ask(b, "policy.GetFiles", "a", ""), 0);
	assert_non_null(strstr(b->out, "a.policy\n"));
	assert_non_null(strstr(b->out, "b.policy\n"));
}

static void the_layer_that_counts_is_read_and_the_users_written(void **state)
{
	struct bed *b = *state;

	write_file(b, "etc/e.policy", "etc * b c deny\n");
	assert_int_equal(ask(b, "policy.Get", "e", ""), 0);
	assert_non_null(strstr(b->out, "\netc * b c deny\n"));
	assert_int_equal(ask(b, "policy.Remove", "e", "any"), -EPERM);
	assert_int_equal(ask(b, "policy.Remove", "90-default", "any"), -EPERM);
	assert_int_equal(
		ask(b, "policy.Replace", "e", "any\nmine * b c deny\n"), 0);
	assert_int_equal(ask(b, "policy.Get", "e", ""), 0);
	assert_non_null(strstr(b->out, "\nmine * b c deny\n"));
	assert_int_equal(ask(b, "policy.Remove", "e", "any"), 0);
	assert_int_equal(ask(b, "policy.Get", "e", ""), 0);
	assert_non_null(strstr(b->out, "\netc * b c deny\n"));
	/* What the runtime folder has is changed there. */
	{
		autofree char *run = NULL;

		assert_true(asprintf(&run, "%s/run", b->top) > 0);
		assert_int_equal(mkdir(run, 0700), 0);
	}
	write_file(b, "run/e.policy", "run * b c deny\n");
	assert_int_equal(
		ask(b, "policy.Replace", "e", "any\nrun2 * b c deny\n"), 0);
	assert_int_equal(ask(b, "policy.Get", "e", ""), 0);
	assert_non_null(strstr(b->out, "\nrun2 * b c deny\n"));
	assert_int_equal(ask(b, "policy.Remove", "e", "any"), 0);
}

#define WITH_BED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BED(a_file_is_made_read_replaced_and_removed),
		WITH_BED(tokens_are_new_any_or_of_a_content),
		WITH_BED(calls_take_what_the_table_says),
		WITH_BED(names_lead_nowhere_else),
		WITH_BED(what_would_be_an_error_is_refused),
		WITH_BED(a_policy_in_error_can_be_mended_file_by_file),
		WITH_BED(the_layer_that_counts_is_read_and_the_users_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

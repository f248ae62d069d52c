/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_prompt.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "cmocka_all.h"
#include "policybed.h"

struct bed {
	struct policy_rules *rules;
	struct policy_request request;
	struct policy_prompt prompt;
	struct policy_answer answer;
};

/* The offer: 1 is @dispvm:base, 2 is mail. */
static void begin(struct bed *b, const char *service, bool preset)
{
	struct fault f;

	*b = (struct bed){
		.request = {span_str("work"), span_str("\033[31mnowhere"),
	                    span_str(service)},
	};
	b->prompt = (struct policy_prompt){&policybed_system, &b->request};
	assert_int_equal(policybed_parse(preset ? "* * work @anyvm ask "
	                                          "default_target=mail\n"
	                                          "* * work other deny"
	                                        : "s * work @default ask\n"
	                                          "s * work @tag:b ask\n"
	                                          "s * work @dispvm ask",
	                                 &b->rules, &f),
	                 0);
	assert_int_equal(policy_eval_call(b->rules, &policybed_system,
	                                  &b->request, &b->answer),
	                 0);
	assert_int_equal(b->answer.action, POLICY_ASK);
}

static void end(struct bed *b)
{
	policy_eval_fini(&b->answer);
	policy_rules_destroy(b->rules);
}

static int file_of(const char *text)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* What is typed, and the target that comes of it; NULL: a denial. */
static const struct {
	const char *typed;
	bool preset;
	const char *target;
} typed[] = {
	{"1\n", false, "@dispvm:base"},
	{"2\n", false, "mail"},
	{"02\n", false, "mail"},
	{"3\n", false, NULL},
	{"0\n", false, NULL},
	{"-1\n", false, NULL},
	{"99999999999999999999999\n", false, NULL},
	{"1 \n", false, NULL},
	{"mail\n", false, NULL},
	{"n\n", false, NULL},
	{"y\n", false, NULL},
	{"\n", false, NULL},
	{"\n", true, "mail"},
	{"", true, NULL},
	{"2", false, NULL},
};

static void only_a_number_or_the_preset_allows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(typed); i++) {
		autoclose int in = file_of(typed[i].typed);
		autoclose int out = file_of("");
		char name[64];
		struct bed b;

		begin(&b, "s+x", typed[i].preset);
		assert_int_equal(
			policy_prompt_terminal(&b.prompt, in, out, &b.answer),
			0);
		if ((b.answer.action == POLICY_ALLOW) != !!typed[i].target)
			fail_msg("typed \"%s\"", typed[i].typed);
		if (typed[i].target) {
			assert_true(policy_system_write(
					    &policybed_system, b.answer.target,
					    false, name, sizeof(name)) > 0);
			assert_string_equal(name, typed[i].target);
		}
		end(&b);
	}
}

static void the_terminal_shows_everything_and_nothing_raw(void **state)
{
	autoclose int in = file_of("n\n");
	autoclose int out = file_of("");
	char text[3072] = "";
	struct bed b;

	(void)state;
	begin(&b, "s+x", false);
	assert_int_equal(policy_prompt_terminal(&b.prompt, in, out, &b.answer),
	                 0);
	assert_true(pread(out, text, sizeof(text) - 1, 0) > 0);
	assert_non_null(strstr(text, "from       work\n"));
	assert_non_null(strstr(text, "label      blue\n"));
	assert_non_null(strstr(text, "service    s\n"));
	assert_non_null(strstr(text, "argument   +x\n"));
	assert_non_null(strstr(text, "wanted     \\x1b[31mnowhere\n"));
	assert_non_null(strstr(text, "   1  @dispvm:base"));
	assert_non_null(strstr(text, "   2  mail                     red\n"));
	assert_null(strchr(text, '\033'));
	end(&b);
}

static void a_terminal_that_cannot_be_read_or_written_denies(void **state)
{
	struct bed b;

	(void)state;
	begin(&b, "s", false);
	assert_int_equal(policy_prompt_terminal(&b.prompt, -1, -1, &b.answer),
	                 0);
	assert_int_equal(b.answer.action, POLICY_DENY);
	end(&b);
}

/* A prompt program as a script for sh, and what comes of it. */
static const struct {
	const char *script;
	const char *target;
} programs[] = {
	{"echo allow:mail", "mail"},
	{"printf allow:@dispvm:base", "@dispvm:base"},
	{"printf 'allow:mail\\n\\n'", NULL},
	{"echo allow:work", NULL},
	{"echo allow:vault", NULL},
	{"echo allow:", NULL},
	{"echo allow", NULL},
	{"echo ALLOW:mail", NULL},
	{"echo deny", NULL},
	{"echo", NULL},
	{"true", NULL},
	{"echo allow:mail; exit 1", NULL},
	{"echo allow:mail; kill -9 $$", NULL},
	{"echo allow:mail; echo allow:mail", NULL},
	{"echo allow:mail; dd if=/dev/zero bs=4096 count=1 2>/dev/null", NULL},
	/* The question is on its standard input. */
	{"grep -q '\"service\":\"s\",\"argument\":\"+x\"' && echo allow:mail",
         "mail"},
	{"grep -q '\"targets\":\\[\"@dispvm:base\",\"mail\"\\]' && "
         "echo allow:mail",
         "mail"},
};

static void only_a_clear_allow_of_a_program_allows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
		char script[256];
		char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, script, NULL};
		char name[64];
		struct fault f;
		struct bed b;

		(void)strcpy(script, programs[i].script);
		begin(&b, "s+x", false);
		assert_int_equal(policy_prompt_program(&b.prompt, argv, -1,
		                                       &b.answer, &f),
		                 0);
		if ((b.answer.action == POLICY_ALLOW) != !!programs[i].target)
			fail_msg("%s", script);
		if (programs[i].target) {
			assert_true(policy_system_write(
					    &policybed_system, b.answer.target,
					    false, name, sizeof(name)) > 0);
			assert_string_equal(name, programs[i].target);
		}
		end(&b);
	}
}

static void a_program_that_is_not_there_denies(void **state)
{
	char *argv[] = {(char[]){"/no/such/prompt"}, NULL};
	struct fault f = {""};
	struct bed b;

	(void)state;
	begin(&b, "s", false);
	assert_int_equal(
		policy_prompt_program(&b.prompt, argv, -1, &b.answer, &f),
		-ENOENT);
	assert_non_null(strstr(f.text, "/no/such/prompt"));
	assert_int_equal(b.answer.action, POLICY_DENY);
	end(&b);
}

static void a_program_that_never_answers_is_killed(void **state)
{
	char *argv[] = {(char[]){"sh"}, (char[]){"-c"},
	                (char[]){"exec sleep 1000"}, NULL};
	struct fault f;
	struct bed b;

	(void)state;
	begin(&b, "s", false);
	assert_int_equal(
		policy_prompt_program(&b.prompt, argv, 0, &b.answer, &f), 0);
	assert_int_equal(b.answer.action, POLICY_DENY);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_number_or_the_preset_allows),
		cmocka_unit_test(the_terminal_shows_everything_and_nothing_raw),
		cmocka_unit_test(
			a_terminal_that_cannot_be_read_or_written_denies),
		cmocka_unit_test(only_a_clear_allow_of_a_program_allows),
		cmocka_unit_test(a_program_that_is_not_there_denies),
		cmocka_unit_test(a_program_that_never_answers_is_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

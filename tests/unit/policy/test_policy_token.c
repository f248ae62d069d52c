/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_token.h"

#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"

#define UUID "01234567-89ab-cdef-0123-456789abcdef"
#define ZERO "00000000-0000-0000-0000-000000000000"

enum {
	S = POLICY_SOURCE,
	T = POLICY_TARGET,
	R = POLICY_REDIRECT,
	W = POLICY_WANTED
};

/* The table of words: what each is, and where it may stand. */
static const struct {
	const char *word;
	enum policy_kind kind;
	const char *value;
	unsigned places;
} words[] = {
	{"work", POLICY_NAME, "work", S | T | R | W},
	{"uuid:" UUID, POLICY_UUID, UUID, S | T | R | W},
	{"*", POLICY_ANY, "", S | T},
	{"@adminvm", POLICY_ADMINVM, "", S | T | R | W},
	{"dom0", POLICY_ADMINVM, "", S | T | R | W},
	{"uuid:" ZERO, POLICY_ADMINVM, "", S | T | R | W},
	{"@anyvm", POLICY_ANYVM, "", S | T},
	{"@tag:t", POLICY_TAG, "t", S | T},
	{"@type:AppVM", POLICY_TYPE, "AppVM", S | T},
	{"@dispvm:@tag:t", POLICY_DISPVM_TAG, "t", S | T},
	{"@default", POLICY_DEFAULT, "", T | W},
	{"@dispvm", POLICY_DISPVM, "", T | R | W},
	{"@dispvm:work", POLICY_DISPVM_OF, "work", S | T | R | W},
	{"@dispvm:uuid:" UUID, POLICY_DISPVM_OF_UUID, UUID, S | T | R | W},
	/* Names are not checked. */
	{"$anyvm", POLICY_NAME, "$anyvm", S | T | R | W},
	{"a/b", POLICY_NAME, "a/b", S | T | R | W},
	{"dom01", POLICY_NAME, "dom01", S | T | R | W},
	{"*x", POLICY_NAME, "*x", S | T | R | W},
	/* Nowhere. */
	{"", POLICY_NONE, "", 0},
	{"@", POLICY_NONE, "", 0},
	{"@anyvm2", POLICY_NONE, "", 0},
	{"@AnyVM", POLICY_NONE, "", 0},
	{"@adminvm:x", POLICY_NONE, "", 0},
	{"@tag:", POLICY_NONE, "", 0},
	{"@type:", POLICY_NONE, "", 0},
	{"@dispvm:", POLICY_NONE, "", 0},
	{"@dispvm:@tag:", POLICY_NONE, "", 0},
	{"@dispvm:@anyvm", POLICY_NONE, "", 0},
	{"@dispvm:uuid:x", POLICY_NONE, "", 0},
	{"@tag:@x", POLICY_NONE, "", 0},
	{"uuid:", POLICY_NONE, "", 0},
	{"uuid:x", POLICY_NONE, "", 0},
	{"uuid:0123456789abcdef0123456789abcdef----", POLICY_NONE, "", 0},
	{"uuid:01234567-89AB-cdef-0123-456789abcdef", POLICY_NONE, "", 0},
	{"uuid:" UUID "0", POLICY_NONE, "", 0},
};

static void each_word_stands_where_the_table_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		for (unsigned place = S; place <= W; place <<= 1) {
			size_t size = strlen(words[i].word);
			autofree uint8_t *exact = malloc(size ? size : 1);
			struct policy_token t = {.kind = POLICY_NONE};
			int want = words[i].places & place ? 0 : -EINVAL;
			int got;

			assert_non_null(exact);
			memcpy(exact, words[i].word, size);
			got = policy_token_read((struct span){exact, size},
			                        place, &t);
			if (got != want)
				fail_msg("\"%s\" in place %u: %d",
				         words[i].word, place, got);
			if (got < 0) {
				assert_int_equal(t.kind, POLICY_NONE);
				continue;
			}
			assert_int_equal(t.kind, words[i].kind);
			assert_true(span_is(t.value, words[i].value));
		}
}

static void spelling_and_value_make_the_word_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		char word[128];
		struct policy_token t;

		if (!words[i].places || words[i].kind == POLICY_ADMINVM)
			continue;
		assert_int_equal(policy_token_read(span_str(words[i].word),
		                                   POLICY_TARGET, &t),
		                 0);
		(void)snprintf(word, sizeof(word), "%s%.*s",
		               policy_token_spelling(t.kind), (int)t.value.size,
		               (const char *)t.value.at);
		assert_string_equal(word, words[i].word);
	}
	assert_string_equal(policy_token_spelling(POLICY_ADMINVM), "@adminvm");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_word_stands_where_the_table_says),
		cmocka_unit_test(spelling_and_value_make_the_word_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Properties of the evaluator, on rules and qubes made at random.
 */
#include <locale.h>
#include <stdio.h>

#include "cmocka_all.h"
#include "invent.h"

#define ROUNDS 20000u
#define BYTES  256u

/* The same sequence everywhere. */
static uint8_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint8_t)(*state >> 32);
}

static void run(uint64_t seed)
{
	autofree struct invention *v = malloc(sizeof(*v));
	uint8_t bytes[BYTES];

	assert_non_null(v);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct reader r = {.rest = {bytes, sizeof(bytes)}};
		const char *differs;
		char why[2 * REFERENCE_ROOM];

		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = next(&seed);
		invent(&r, v);
		differs = invent_check(v, why, sizeof(why));
		if (!differs)
			continue;
		for (size_t k = 0; k < v->call.count; k++)
			print_error("%s\n", v->call.line[k]);
		fail_msg("round %u, %s: %s", i, differs, why);
	}
}

static void answers_are_those_of_the_reference(void **state)
{
	(void)state;
	run(0x9e3779b97f4a7c15ull);
}

static void locale_has_no_say(void **state)
{
	(void)state;
	assert_non_null(setlocale(LC_ALL, "C.UTF-8"));
	run(0xd1b54a32d192ed03ull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_those_of_the_reference),
		cmocka_unit_test(locale_has_no_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

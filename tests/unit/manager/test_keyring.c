/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/keyring.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmocka_all.h"

static const uint8_t one[16] = {1}, two[16] = {2};
static const uint8_t key[HEADER_KEY] = "thirty-two bytes that nobody has";

static void knows_what_it_was_given(void **state)
{
	static const uint8_t other[HEADER_KEY] = {7};
	struct keyring *k;
	struct fault f;

	(void)state;
	assert_int_equal(keyring_create(&k, &f), 0);
	assert_false(keyring_has(k, one));
	assert_int_equal(keyring_put(k, one, key), 0);
	assert_int_equal(keyring_put(k, one, other), 0);
	assert_true(keyring_has(k, one));
	assert_false(keyring_has(k, two));
	keyring_drop(k, two);
	keyring_drop(k, one);
	assert_false(keyring_has(k, one));
	keyring_destroy(k);
	keyring_destroy(NULL);
}

static void has_an_end(void **state)
{
	uint8_t id[16] = {0};
	struct keyring *k;
	struct fault f;
	unsigned n = 0;

	(void)state;
	assert_int_equal(keyring_create(&k, &f), 0);
	while (keyring_put(k, id, key) == 0) {
		n++;
		memcpy(id, &n, sizeof(n));
	}
	assert_true(n > 1000);
	keyring_drop(k, (const uint8_t[16]){0});
	assert_int_equal(keyring_put(k, id, key), 0);
	keyring_destroy(k);
}

/* Keepers and workers are forked from the manager. */
static void is_empty_in_a_child(void **state)
{
	struct keyring *k;
	struct fault f;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(keyring_create(&k, &f), 0);
	assert_int_equal(keyring_put(k, one, key), 0);
	pid = fork();
	if (pid == 0)
		_exit(keyring_has(k, one) ? 1 : 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(keyring_has(k, one));
	keyring_destroy(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_what_it_was_given),
		cmocka_unit_test(has_an_end),
		cmocka_unit_test(is_empty_in_a_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

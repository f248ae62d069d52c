/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/capability.h>
#include <sys/syscall.h>

#include "kernel/testbed.h"

#define KEEP UINT32_MAX

struct ids {
	uint32_t real, effective, saved;
};

/* Calls on ids: who may become what, and the ids afterwards. */
static const struct {
	const char *why;
	struct ids before;
	long nr;
	uint32_t arg[3];
	long want;
	struct ids after;
} table[] = {
	{"root becomes a user for good",
         {0, 0, 0},
         SYS_setuid,
         {7},
         0,
         {7, 7, 7}},
	{"a user cannot become another",
         {7, 7, 7},
         SYS_setuid,
         {8},
         -EPERM,
         {7, 7, 7}},
	{"back to the saved one", {7, 7, 8}, SYS_setuid, {8}, 0, {7, 8, 8}},
	{"-1 is nobody", {0, 0, 0}, SYS_setuid, {KEEP}, -EINVAL, {0, 0, 0}},
	{"real and effective swap",
         {7, 8, 8},
         SYS_setreuid,
         {8, 7},
         0,
         {8, 7, 7}},
	{"effective alone keeps saved",
         {7, 8, 8},
         SYS_setreuid,
         {KEEP, 7},
         0,
         {7, 7, 8}},
	{"real may not become saved",
         {7, 7, 9},
         SYS_setreuid,
         {9, KEEP},
         -EPERM,
         {7, 7, 9}},
	{"effective may become saved",
         {7, 7, 9},
         SYS_setreuid,
         {KEEP, 9},
         0,
         {7, 9, 9}},
	{"all three at will",
         {0, 0, 0},
         SYS_setresuid,
         {1, 2, 3},
         0,
         {1, 2, 3}},
	{"any of the three", {1, 2, 3}, SYS_setresuid, {3, 1, 2}, 0, {3, 1, 2}},
	{"none but the three",
         {1, 2, 3},
         SYS_setresuid,
         {KEEP, 4, KEEP},
         -EPERM,
         {1, 2, 3}},
	{"nothing at all",
         {1, 2, 3},
         SYS_setresuid,
         {KEEP, KEEP, KEEP},
         0,
         {1, 2, 3}},
};

static void become(struct testbed *bed, const struct ids *ids)
{
	struct cred *c = cred_create(0, 0, NULL, 0);

	assert_non_null(c);
	c->uid = ids->real;
	c->euid = c->fsuid = ids->effective;
	c->suid = ids->saved;
	if (ids->effective != 0)
		c->cap_effective = 0;
	cred_replace(bed->task, c);
}

static void user_ids_follow_the_table(void **state)
{
	struct testbed *bed = *state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct cred *c;
		long got;

		become(bed, &table[i].before);
		got = testbed_call(bed, (uint32_t)table[i].nr, table[i].arg[0],
		                   table[i].arg[1], table[i].arg[2]);
		c = bed->task->cred;
		if (got != table[i].want || c->uid != table[i].after.real ||
		    c->euid != table[i].after.effective ||
		    c->suid != table[i].after.saved || c->fsuid != c->euid)
			fail_msg("%s: %ld, %u %u %u", table[i].why, got, c->uid,
			         c->euid, c->suid);
	}
}

static void the_slot_shows_the_ids(void **state)
{
	struct testbed *bed = *state;

	assert_int_equal(testbed_call(bed, SYS_setresuid, 1, 2, 3), 0);
	assert_int_equal(atomic_load(&bed->task->slot->uid), 1);
	assert_int_equal(atomic_load(&bed->task->slot->euid), 2);
}

static void leaving_root_loses_capabilities(void **state)
{
	struct testbed *bed = *state;

	assert_true(cred_capable(bed->task->cred, CRED_CAP_KILL));
	assert_int_equal(testbed_call(bed, SYS_setresuid, -1, 7, -1), 0);
	assert_false(cred_capable(bed->task->cred, CRED_CAP_KILL));
	assert_int_not_equal(bed->task->cred->cap_permitted, 0);
	assert_int_equal(testbed_call(bed, SYS_setresuid, -1, 0, -1), 0);
	assert_true(cred_capable(bed->task->cred, CRED_CAP_KILL));
	assert_int_equal(testbed_call(bed, SYS_setuid, 7), 0);
	assert_int_equal(bed->task->cred->cap_permitted, 0);
	assert_false(bed->process->dumpable);
}

static void keepcaps_keeps_the_permitted(void **state)
{
	struct testbed *bed = *state;

	assert_int_equal(testbed_call(bed, SYS_prctl, 8, 1), 0);
	assert_int_equal(testbed_call(bed, SYS_setuid, 7), 0);
	assert_int_equal(bed->task->cred->cap_effective, 0);
	assert_int_equal(bed->task->cred->cap_permitted, CRED_CAPS_ALL);
}

static void fsuid_tells_the_old_one(void **state)
{
	struct testbed *bed = *state;

	assert_int_equal(testbed_call(bed, SYS_setfsuid, 7), 0);
	assert_int_equal(testbed_call(bed, SYS_setfsuid, -1), 7);
	assert_false(cred_capable(bed->task->cred, CRED_CAP_DAC_OVERRIDE));
	assert_true(cred_capable(bed->task->cred, CRED_CAP_KILL));
	assert_int_equal(testbed_call(bed, SYS_setfsuid, 0), 7);
	assert_true(cred_capable(bed->task->cred, CRED_CAP_DAC_OVERRIDE));
}

static void groups_are_kept_sorted(void **state)
{
	struct testbed *bed = *state;
	const uint32_t list[] = {9, 3, 27, 4};
	uint32_t got[4] = {0};

	assert_int_equal(testbed_call(bed, SYS_setgroups, 4, list), 0);
	assert_int_equal(testbed_call(bed, SYS_getgroups, 0, 0), 4);
	assert_int_equal(testbed_call(bed, SYS_getgroups, 3, got), -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_getgroups, 4, got), 4);
	assert_int_equal(got[0], 3);
	assert_int_equal(got[3], 27);
	assert_true(cred_in_group(bed->task->cred, 27));
	assert_false(cred_in_group(bed->task->cred, 28));
	testbed_become(bed, 1000);
	assert_int_equal(testbed_call(bed, SYS_setgroups, 0, 0), -EPERM);
}

static void many_groups_are_sorted_too(void **state)
{
	struct testbed *bed = *state;
	static uint32_t list[65537];
	const struct cred *c;

	for (uint32_t i = 0; i < ARRAY_LEN(list); i++)
		list[i] = i * 2654435761u;
	assert_int_equal(testbed_call(bed, SYS_setgroups, 65537, list),
	                 -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_setgroups, 65536, list), 0);
	c = bed->task->cred;
	for (uint32_t i = 1; i < c->group_count; i++)
		assert_true(c->groups[i - 1] < c->groups[i]);
	for (uint32_t i = 0; i < c->group_count; i += 1000)
		assert_true(cred_has_group(c, list[i]));
}

static void capabilities_only_shrink(void **state)
{
	struct testbed *bed = *state;
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2];

	assert_int_equal(testbed_call(bed, SYS_capget, &h, d), 0);
	assert_int_equal(d[0].effective, UINT32_MAX);
	assert_int_equal(d[1].permitted, CRED_CAPS_ALL >> 32);
	d[0].effective = d[0].permitted = 1u << CAP_KILL;
	d[1].effective = d[1].permitted = 0;
	assert_int_equal(testbed_call(bed, SYS_capset, &h, d), 0);
	d[0].permitted |= 1u << CAP_CHOWN;
	assert_int_equal(testbed_call(bed, SYS_capset, &h, d), -EPERM);
	d[0].permitted = 0;
	assert_int_equal(testbed_call(bed, SYS_capset, &h, d), -EPERM);
	h.version = 5;
	assert_int_equal(testbed_call(bed, SYS_capget, &h, d), -EINVAL);
	assert_int_equal(h.version, _LINUX_CAPABILITY_VERSION_3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(user_ids_follow_the_table),
		TESTBED(the_slot_shows_the_ids),
		TESTBED(leaving_root_loses_capabilities),
		TESTBED(keepcaps_keeps_the_permitted),
		TESTBED(fsuid_tells_the_old_one),
		TESTBED(groups_are_kept_sorted),
		TESTBED(many_groups_are_sorted_too),
		TESTBED(capabilities_only_shrink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

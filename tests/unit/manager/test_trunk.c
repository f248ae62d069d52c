/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/trunk.h"

#include "manager/board.h"

/* One that would not have waited, so that the next one need not. */
static void begin_early(struct board *b)
{
	struct callmsg m;
	char *text;

	call_with(b, WORK, 1, 0, CALLMSG_EARLY, "s+", "mail");
	serves(b, WORK, MAIL, 1, &m, &text);
	free(text);
	assert_int_not_equal(b->ahead, 0);
}

static void what_was_written_early_is_there(void **state)
{
	struct board *b = *state;
	int far[CALLMSG_STREAMS];
	struct control_fds fds;
	struct callmsg m;
	struct control c;
	char *text, byte;

	write_policy(b, "s * work mail allow\n");
	begin_early(b);
	assert_int_equal(write(b->near[CALLMSG_IN], "x", 1), 1);
	call_with(b, WORK, 2, b->ahead, CALLMSG_EARLY, "s+", "mail");
	assert_int_equal(hear(b->kernel[MAIL], &c, &fds), CONTROL_serve);
	assert_int_equal(callmsg_take(&c, &fds, &text, &m, far), 0);
	free(text);
	assert_int_equal(read(far[CALLMSG_IN], &byte, 1), 1);
	assert_int_equal(byte, 'x');
	callmsg_close(far);
	/* It has its streams; what comes are those of a third. */
	assert_int_equal(hear(b->kernel[WORK], &c, &fds), CONTROL_allowed);
	assert_int_equal(c.value[0], 2);
	assert_int_equal(fds.count, CALLMSG_STREAMS);
	assert_int_not_equal(c.value[1], b->ahead);
	control_close(&fds);
	assert_int_equal(b->trunk[WORK]->early, 0);
	callmsg_close(b->near);
}

static void a_refusal_ends_what_had_begun(void **state)
{
	struct board *b = *state;
	uint8_t status[8];

	write_policy(b, "s * work mail allow\n");
	begin_early(b);
	call_with(b, WORK, 2, b->ahead, CALLMSG_EARLY, "t+", "mail");
	assert_int_equal(read(b->near[CALLMSG_STATUS], status, 8), 4);
	assert_int_equal(status[0], CALLMSG_EXIT_REFUSED);
	assert_int_equal(read(b->near[CALLMSG_OUT], status, 8), 0);
	hear_only(b->kernel[WORK], CONTROL_refused, 2);
	hear_nothing(b->kernel[WORK]);
	hear_nothing(b->kernel[MAIL]);
	callmsg_close(b->near);
}

/* However many calls wait for the user, few of them hold streams of ours. */
static void few_calls_begin_before_they_are_decided(void **state)
{
	struct board *b = *state;
	struct callmsg m;
	struct fault f;
	int terminal;
	char *text;

	write_policy(b, "s * work mail allow\nt * work mail ask\n");
	assert_int_equal(prompts_open(b->m.prompts, &terminal, &f), 0);
	for (uint64_t i = 0; i < TRUNK_EARLY_MAX; i++) {
		begin_early(b);
		callmsg_close(b->near);
		call_with(b, WORK, i + 2, b->ahead, CALLMSG_EARLY, "t+",
		          "mail");
	}
	call_with(b, WORK, 1, 0, CALLMSG_EARLY, "s+", "mail");
	serves(b, WORK, MAIL, 1, &m, &text);
	free(text);
	assert_int_equal(b->ahead, 0);
	close(terminal);
}

/* As if a kernel used what comes ahead, and never read an answer. */
static void what_does_not_fit_leaves_no_streams(void **state)
{
	struct board *b = *state;
	struct trunk *t = b->trunk[WORK];

	for (uint64_t id = 1; list_empty(&t->kept); id++) {
		callmsg_close(t->far);
		t->ahead = 0;
		trunk_allowed(t, id, NULL, true);
	}
	assert_int_equal(t->ahead, 0);
	for (size_t i = 0; i < CALLMSG_STREAMS; i++)
		assert_int_equal(t->far[i], -1);
}

/* A number that was never given, or was used before. */
static void forged_streams_cost_the_connection(void **state)
{
	struct board *b = *state;
	struct control_fds fds;
	struct control c;

	write_policy(b, "s * work mail allow\n");
	begin_early(b);
	call_with(b, WORK, 2, b->ahead + 1, 0, "s+", "mail");
	assert_int_equal(
		control_receive(b->kernel[WORK], CONTROL_CLIENT, &c, &fds), 0);
	callmsg_close(b->near);
}

/* What no kernel of ours says costs it its connection, and nobody else's. */
static void garbage_costs_the_connection_only(void **state)
{
	static const char *const texts[] = {"a b c d", "a+ b c", "+a b c d",
	                                    "a+ b\x1b c d", "a+ b c d e"};
	struct board *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct control c = {.kind = CONTROL_call, .value = {1}};
		struct domain *d = domain_find(&b->m, b->work.id);
		struct callmsg m;
		char *text;

		(void)snprintf(c.text, sizeof(c.text), "%s", texts[i]);
		assert_int_equal(control_send(b->kernel[WORK], &c, NULL, 0), 0);
		read_all(b->trunk[WORK]);
		assert_null(trunk_find(&b->m, b->work.uuid));
		assert_int_equal(domain_state(&b->m, b->work.id),
		                 DOMAIN_RUNNING);
		write_policy(b, "s * mail late deny\ns * work mail allow\n");
		call(b, MAIL, 1, "s+", "late");
		hear_only(b->kernel[MAIL], CONTROL_refused, 1);
		close(b->kernel[WORK]);
		b->trunk[WORK] = run_domain(b, d, &b->kernel[WORK]);
		hear_only(b->kernel[WORK], CONTROL_calls, 0);
		call(b, WORK, 1, "s+", "mail");
		serves(b, WORK, MAIL, 1, &m, &text);
		free(text);
	}
}

static void a_message_of_another_kind_is_garbage(void **state)
{
	struct control c = {.kind = CONTROL_exited, .value = {1}};
	struct board *b = *state;

	assert_int_equal(control_send(b->kernel[WORK], &c, NULL, 0), 0);
	read_all(b->trunk[WORK]);
	assert_null(trunk_find(&b->m, b->work.uuid));
	assert_non_null(trunk_find(&b->m, b->mail.uuid));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(what_was_written_early_is_there),
		TEST(a_refusal_ends_what_had_begun),
		TEST(few_calls_begin_before_they_are_decided),
		TEST(what_does_not_fit_leaves_no_streams),
		TEST(forged_streams_cost_the_connection),
		TEST(garbage_costs_the_connection_only),
		TEST(a_message_of_another_kind_is_garbage),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/broker.h"

#include "manager/board.h"

static void an_allowed_call_is_joined(void **state)
{
	struct board *b = *state;
	struct callmsg m;
	char *text;

	write_policy(b, "s +a work mail allow user=root\n");
	call(b, WORK, 7, "s+a", "mail");
	serves(b, WORK, MAIL, 7, &m, &text);
	assert_true(span_is(m.service, "s+a"));
	assert_true(span_is(m.source, "work"));
	assert_true(span_is(m.target, "mail"));
	assert_true(span_is(m.user, "root"));
	free(text);
	assert_int_equal(b->trunk[WORK]->count, 0);
}

static void a_redirected_call_goes_elsewhere(void **state)
{
	struct board *b = *state;
	struct callmsg m;
	char *text;

	write_policy(b, "s * work @default allow target=mail\n");
	call(b, WORK, 1, "s+", "");
	serves(b, WORK, MAIL, 1, &m, &text);
	assert_true(span_is(m.target, "@default"));
	assert_true(span_is(m.user, "user"));
	free(text);
}

/* Who is denied cannot tell why: no such qube, no rule, itself, or a mistake. */
static void all_refusals_look_the_same(void **state)
{
	static const struct {
		const char *why, *service, *target;
	} rows[] = {
		{"denied", "s+", "mail"},     {"unknown", "s+", "nobody"},
		{"itself", "s+", "work"},     {"no target", "s+", ""},
		{"keyword", "s+", "@dispvm"}, {"no such uuid", "s+", "uuid:x"},
		{"no rule", "t+x", "late"},
	};
	struct board *b = *state;

	write_policy(b, "s * work mail deny\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		call(b, WORK, i + 1, rows[i].service, rows[i].target);
		hear_only(b->kernel[WORK], CONTROL_refused, i + 1);
	}
	hear_nothing(b->kernel[MAIL]);
}

static void a_policy_holds_for_the_next_call(void **state)
{
	struct board *b = *state;
	struct callmsg m;
	char *text;

	write_policy(b, "s * work mail allow\n");
	call(b, WORK, 1, "s+", "mail");
	serves(b, WORK, MAIL, 1, &m, &text);
	free(text);
	write_policy(b, "s * work mail deny notify=no\n");
	call(b, WORK, 2, "s+", "mail");
	hear_only(b->kernel[WORK], CONTROL_refused, 2);
	write_policy(b, "s * work mail allow and more\n");
	call(b, WORK, 3, "s+", "mail");
	hear_only(b->kernel[WORK], CONTROL_refused, 3);
}

static void nobody_to_ask_is_a_denial(void **state)
{
	struct board *b = *state;

	write_policy(b, "s * work mail ask\n");
	call(b, WORK, 1, "s+", "mail");
	hear_only(b->kernel[WORK], CONTROL_refused, 1);
}

static void stop(struct reactor_watch *w, uint32_t events)
{
	struct board *b = container_of(w, struct board, stop);

	(void)events;
	reactor_stop(b->m.reactor);
}

/* What there is to be heard now is heard. */
static void turn(struct board *b)
{
	autoclose int ready = eventfd(1, EFD_CLOEXEC);
	struct fault f;

	b->stop.ready = stop;
	assert_int_equal(reactor_add(b->m.reactor, &b->stop, ready, EPOLLIN),
	                 0);
	assert_int_equal(reactor_run(b->m.reactor, &f), 0);
	reactor_remove(b->m.reactor, &b->stop);
}

/* The terminal is asked for a call of `source`; the number of the question. */
static unsigned hear_question(int terminal, const char *source)
{
	char text[64] = "", json[2048] = "", want[64];
	struct rights_got got;
	unsigned number;
	int fd;

	assert_true(rights_receive(terminal, text, sizeof(text) - 1, &fd, 1,
	                           &got, MSG_DONTWAIT) > 0);
	assert_int_equal(sscanf(text, "ask %u", &number), 1);
	assert_int_equal(got.count, 1);
	assert_true(read(fd, json, sizeof(json) - 1) > 0);
	close(fd);
	(void)snprintf(want, sizeof(want), "\"source\":\"%s\"", source);
	if (!strstr(json, want))
		fail_msg("not asked by %s: %s", source, json);
	return number;
}

static void answer(struct board *b, int terminal, unsigned number,
                   const char *what)
{
	char text[64];
	int size = snprintf(text, sizeof(text), "%u %s", number, what);

	assert_int_equal(send(terminal, text, (size_t)size, 0), size);
	turn(b);
}

struct turn {
	const char *source;
	int from;
	uint64_t id;
};

/* One that asks often delays another by one question. */
static void qubes_take_turns_with_the_user(void **state)
{
	/* When the second came nobody else had asked. */
	static const struct turn order[] = {{"work", WORK, 1},
	                                    {"work", WORK, 2},
	                                    {"mail", MAIL, 9},
	                                    {"work", WORK, 3},
	                                    {"work", WORK, 4}};
	struct board *b = *state;
	unsigned number;
	struct fault f;
	int terminal;
	char byte;

	write_policy(b, "s * @anyvm @anyvm ask\n");
	assert_int_equal(prompts_open(b->m.prompts, &terminal, &f), 0);
	for (uint64_t id = 1; id <= 4; id++)
		call(b, WORK, id, "s+", "mail");
	call(b, MAIL, 9, "s+", "work");
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		number = hear_question(terminal, order[i].source);
		/* An answer to another question is none to this. */
		answer(b, terminal, number + 1, "allow:mail");
		hear_nothing(b->kernel[order[i].from]);
		assert_int_equal(recv(terminal, &byte, 1, MSG_DONTWAIT), -1);
		answer(b, terminal, number, "deny");
		hear_only(b->kernel[order[i].from], CONTROL_refused,
		          order[i].id);
	}
	hear_nothing(b->kernel[WORK]);
	hear_nothing(b->kernel[MAIL]);
	close(terminal);
	turn(b);
}

static void nobody_calls_in_another_name(void **state)
{
	struct board *b = *state;
	struct control c = {.kind = CONTROL_call, .value = {1}};
	struct callmsg m = {span_str("s+"), span_str("mail"), span_str("mail"),
	                    span_str("")};

	write_policy(b, "s * * mail allow\ns * mail work allow\n");
	assert_int_equal(callmsg_send(b->kernel[WORK], &c, &m, NULL), 0);
	read_all(b->trunk[WORK]);
	hear_only(b->kernel[WORK], CONTROL_refused, 1);
}

static void paused_and_ending_qubes_are_not_called(void **state)
{
	struct board *b = *state;
	struct domain *d = domain_find(&b->m, b->mail.id);

	write_policy(b, "s * work mail allow\n");
	d->state = DOMAIN_PAUSED;
	census_forget(&b->m);
	call(b, WORK, 1, "s+", "mail");
	hear_only(b->kernel[WORK], CONTROL_refused, 1);
	d->state = DOMAIN_HALTING;
	call(b, WORK, 2, "s+", "mail");
	hear_only(b->kernel[WORK], CONTROL_refused, 2);
	hear_nothing(b->kernel[MAIL]);
}

static void waiting_calls_are_bounded_and_none_is_lost(void **state)
{
	struct board *b = *state;
	struct domain *d = add_domain(b, &b->late);
	struct control_fds fds;
	struct control c;
	uint64_t served = 0;
	int kernel;

	write_policy(b, "s * work late allow\n");
	for (uint64_t i = 1; i <= BROKER_WAITING_MAX; i++)
		call(b, WORK, i, "s+", "late");
	hear_nothing(b->kernel[WORK]);
	call(b, WORK, BROKER_WAITING_MAX + 1, "s+", "late");
	hear_only(b->kernel[WORK], CONTROL_refused, BROKER_WAITING_MAX + 1);
	/* Another's go on meanwhile. */
	call(b, MAIL, 1, "s+", "work");
	hear_only(b->kernel[MAIL], CONTROL_refused, 1);
	/* One that went away is not answered. */
	c = (struct control){.kind = CONTROL_gone, .value = {5}};
	assert_int_equal(control_send(b->kernel[WORK], &c, NULL, 0), 0);
	read_all(b->trunk[WORK]);
	assert_int_equal(b->trunk[WORK]->count, BROKER_WAITING_MAX - 1);
	(void)run_domain(b, d, &kernel);
	d->trunk->once = true; /* so that it counts what it sends */
	while (!list_empty(&d->waiters)) {
		struct domain_waiter *w = list_first(
			&d->waiters, struct domain_waiter, link);

		list_del(&w->link);
		w->done(w, NULL);
	}
	/* None is lost, as both kernels read. */
	while (served < BROKER_WAITING_MAX - 1) {
		while (control_receive(kernel, CONTROL_CLIENT, &c, &fds) == 1)
			control_close(&fds);
		d->trunk->watch.ready(&d->trunk->watch, EPOLLOUT);
		while (control_receive(b->kernel[WORK], CONTROL_CLIENT, &c,
		                       &fds) == 1) {
			assert_int_equal(c.kind, CONTROL_allowed);
			assert_int_not_equal(c.value[0], 5);
			control_close(&fds);
			served++;
		}
		b->trunk[WORK]->watch.ready(&b->trunk[WORK]->watch, EPOLLOUT);
	}
	hear_nothing(b->kernel[WORK]);
	assert_int_equal(b->trunk[WORK]->count, 0);
	assert_int_equal(d->trunk->serves, served);
	close(kernel);
}

/* It never starts: the call is refused, and nobody waits for it any more. */
static void a_target_has_its_time_to_start(void **state)
{
	struct board *b = *state;
	struct domain *d = add_domain(b, &b->late);

	write_policy(b, "s * work late allow\n");
	call(b, WORK, 1, "s+", "late");
	domain_hurry(d, 1000);
	turn(b);
	hear_nothing(b->kernel[WORK]);
	domain_hurry(d, 0);
	turn(b);
	hear_only(b->kernel[WORK], CONTROL_refused, 1);
	assert_true(d->unwanted);
	/* It is about to end, so that later calls do not wait either. */
	call(b, WORK, 2, "s+", "late");
	hear_only(b->kernel[WORK], CONTROL_refused, 2);
}

static void the_end_of_a_source_ends_what_it_waits_for(void **state)
{
	struct board *b = *state;
	struct domain *d = add_domain(b, &b->late);

	write_policy(b, "s * work late allow\n");
	call(b, WORK, 1, "s+", "late");
	assert_false(list_empty(&d->waiters));
	assert_int_equal(shutdown(b->kernel[WORK], SHUT_RDWR), 0);
	read_all(b->trunk[WORK]);
	assert_true(list_empty(&d->waiters));
	assert_null(trunk_find(&b->m, b->work.uuid));
}

/* One made for a call ends with the last call it serves. */
static void a_disposable_goes_with_its_last_call(void **state)
{
	struct board *b = *state;
	struct domain *d = domain_find(&b->m, b->mail.id);
	struct control c = {.kind = CONTROL_over};
	struct control_fds fds;

	write_policy(b, "s * work mail allow\n");
	b->trunk[MAIL]->once = true;
	call(b, WORK, 1, "s+", "mail");
	call(b, WORK, 2, "s+", "mail");
	for (uint64_t left = 2; left-- > 0;) {
		struct control serve;

		assert_int_equal(hear(b->kernel[MAIL], &serve, &fds),
		                 CONTROL_serve);
		control_close(&fds);
		assert_false(d->unwanted);
		c.value[0] = serve.value[0];
		c.value[2] = left;
		assert_int_equal(control_send(b->kernel[MAIL], &c, NULL, 0), 0);
		read_all(b->trunk[MAIL]);
	}
	assert_true(d->unwanted);
}

/* Every disposable costs the machine: a qube's calls have so many at once. */
static void disposables_of_a_qube_are_bounded(void **state)
{
	struct board *b = *state;
	struct qube dvm = b->late;
	uint64_t version;
	struct fault f;

	assert_int_equal(ledger_begin(b->m.ledger, true, &f), 0);
	property_put(b->m.ledger, &dvm,
	             property_find(&dvm, "template_for_dispvms"), "True");
	assert_int_equal(ledger_commit(b->m.ledger, &f), 0);
	write_policy(b, "s * @anyvm @dispvm:late allow\n");
	for (uint32_t i = 0; i < ROUTE_NEW_MAX; i++) {
		struct qube q = {.id = 1000 + i, .name = "disp"};

		(void)add_domain(b, &q);
		domain_set_caller(&b->m, q.id, b->work.id);
	}
	/* It is not even made... */
	version = ledger_version(b->m.ledger);
	call(b, WORK, 1, "s+", "@dispvm:late");
	hear_only(b->kernel[WORK], CONTROL_refused, 1);
	assert_int_equal(ledger_version(b->m.ledger), version);
	/* ... while another's is, though nobody can start it here. */
	call(b, MAIL, 1, "s+", "@dispvm:late");
	hear_only(b->kernel[MAIL], CONTROL_refused, 1);
	assert_int_not_equal(ledger_version(b->m.ledger), version);
}

/* A process that does nothing, in place of a keeper: its pidfd. */
static int start_sleeper(pid_t *pid)
{
	*pid = fork();
	assert_true(*pid >= 0);
	if (*pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		for (;;)
			(void)pause();
	}
	return (int)syscall(SYS_pidfd_open, *pid, 0);
}

/* It is told as ended, so it shall not run on unseen. */
static void a_kernel_that_hangs_up_is_ended(void **state)
{
	struct board *b = *state;
	struct domain *d = domain_find(&b->m, b->mail.id);
	int ends[2], how;
	struct pollfd end;
	pid_t pid;

	b->m.doors = b->bench->folder;
	end = (struct pollfd){.fd = start_sleeper(&pid), .events = POLLIN};
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(
		reactor_add(b->m.reactor, &d->control, ends[0], EPOLLIN), 0);
	assert_int_equal(reactor_add(b->m.reactor, &d->keeper, end.fd, EPOLLIN),
	                 0);
	close(ends[1]);
	d->control.ready(&d->control, EPOLLIN);
	assert_int_equal(domain_state(&b->m, b->mail.id), DOMAIN_HALTED);
	assert_int_equal(poll(&end, 1, 0), 0);
	assert_false(list_empty(&d->patience.link));
	d->patience.fire(&d->patience);
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_true(WIFSIGNALED(how));
	d->keeper.ready(&d->keeper, EPOLLIN);
	assert_true(list_empty(&b->m.domains->leaving));
}

/* As the manager does: what waits between sockets counts against it, too. */
int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(an_allowed_call_is_joined),
		TEST(a_redirected_call_goes_elsewhere),
		TEST(all_refusals_look_the_same),
		TEST(a_policy_holds_for_the_next_call),
		TEST(nobody_to_ask_is_a_denial),
		TEST(qubes_take_turns_with_the_user),
		TEST(nobody_calls_in_another_name),
		TEST(paused_and_ending_qubes_are_not_called),
		TEST(waiting_calls_are_bounded_and_none_is_lost),
		TEST(a_target_has_its_time_to_start),
		TEST(the_end_of_a_source_ends_what_it_waits_for),
		TEST(a_disposable_goes_with_its_last_call),
		TEST(disposables_of_a_qube_are_bounded),
		TEST(a_kernel_that_hangs_up_is_ended),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message of a kernel as the manager reads it: what is taken for a call has
 * harmless names, survives being sent on, and what it says to a policy has an
 * answer, which for a qube that is not there is that for no target.
 */
#include <sys/socket.h>

#include "channel/callmsg.h"
#include "policy/policy_eval.h"
#include "policy/policybed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool harmless(struct span s)
{
	for (size_t i = 0; i < s.size; i++)
		if (s.at[i] <= ' ' || s.at[i] > '~' || s.at[i] == '/' ||
		    s.at[i] == '\\' || s.at[i] == '$')
			return false;
	return true;
}

static enum policy_action decide(const struct callmsg *m, struct span target)
{
	const struct policy_request r = {span_str("work"), target, m->service};
	enum policy_action action = POLICY_DENY;
	struct policy_rules *rules;
	struct policy_answer a;
	struct fault f;

	if (policybed_parse("a * work @default allow target=mail\n"
	                    "* * work mail allow\n* * @anyvm @anyvm ask\n",
	                    &rules, &f) < 0)
		abort();
	if (policy_eval_call(rules, &policybed_system, &r, &a) == 0) {
		action = a.action;
		policy_eval_fini(&a);
	}
	policy_rules_destroy(rules);
	return action;
}

/* Sent on as a `serve` is, it comes back as it was. */
static void check_trip(const struct callmsg *m)
{
	const struct control c = {.kind = CONTROL_call, .value = {1}};
	struct control_fds fds = {0};
	struct control got;
	struct callmsg back;
	int ends[2];
	char *text;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return;
	if (callmsg_send(ends[0], &c, m, NULL) < 0 ||
	    control_receive(ends[1], CONTROL_KERNEL, &got, &fds) != 1 ||
	    callmsg_take(&got, &fds, &text, &back, NULL) < 0)
		abort();
	if (!span_eq(back.service, m->service) ||
	    !span_eq(back.target, m->target) ||
	    !span_eq(back.source, m->source) || !span_eq(back.user, m->user))
		abort();
	free(text);
	control_close(&fds);
	close(ends[0]);
	close(ends[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct control_fds fds = {0};
	struct control c;
	struct callmsg m;
	char *text;
	int err;

	if (control_parse((struct span){data, size}, CONTROL_KERNEL, &c) < 0 ||
	    c.kind != CONTROL_call)
		return 0;
	err = callmsg_take(&c, &fds, &text, &m, NULL);
	if (err < 0 && err != -EPROTO && err != -ENOMEM)
		abort();
	if (err < 0)
		return 0;
	if (!harmless(m.service) || !harmless(m.target) ||
	    !harmless(m.source) || !harmless(m.user))
		abort();
	check_trip(&m);
	(void)decide(&m, m.target);
	if (decide(&m, span_str("nobody")) != decide(&m, span_str("@default")))
		abort();
	free(text);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that others send: a question to the policy socket, whose answer is
 * always one of the two forms; and descriptions of qubes, which are written as
 * they are read.
 */
#include "policy/policy_json.h"
#include "policy/policy_socket.h"
#include "policy/policybed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void question(struct span text, const struct policy_system *s)
{
	static const char policy[] = "* * @anyvm @anyvm ask\n* * * * allow\n";
	autobuffer struct buffer out = {0};
	ssize_t whole = policy_socket_size(text);
	struct policy_rules *rules = NULL;
	struct policy_question q;
	struct policy_answer a;
	struct fault f;

	if (whole <= 0) {
		if (policy_socket_parse(text, &q) == 0)
			abort();
		return;
	}
	text.size = (size_t)whole;
	if (policy_socket_parse(text, &q) < 0)
		return;
	if (policybed_parse(policy, &rules, &f) < 0 ||
	    policy_eval_call(rules, s, &q.request, &a) < 0)
		abort();
	policy_socket_settle(&q, &a);
	policy_socket_format(s, &a, &out);
	if (out.size < 12 || (memcmp(out.at, "result=allow", 12) != 0 &&
	                      memcmp(out.at, "result=deny\n", 12) != 0))
		abort();
	policy_eval_fini(&a);
	policy_rules_destroy(rules);
}

static void description(struct span text)
{
	autobuffer struct buffer first = {0};
	autobuffer struct buffer second = {0};
	struct policy_world *w;
	struct fault f;

	if (policy_json_read(text, &w, &f) < 0)
		return;
	if (policy_json_write(policy_json_system(w), &first) < 0)
		abort();
	policy_json_free(w);
	if (policy_json_read(buffer_span(&first), &w, &f) < 0 ||
	    policy_json_write(policy_json_system(w), &second) < 0 ||
	    !span_eq(buffer_span(&first), buffer_span(&second)))
		abort();
	policy_json_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {data, size};

	question(text, &policybed_system);
	description(text);
	return 0;
}

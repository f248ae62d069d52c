/* SPDX-License-Identifier: Apache-2.0 */
/* policy.*: the files of the policy; and what evaluates them must know. */
#include "manager/census.h"
#include "manager/handlers.h"
#include "manager/manager.h"
#include "manager/prompts.h"
#include "policy/policy_calls.h"
#include "policy/policy_json.h"

#include <string.h>

int on_policy_system(struct call *c)
{
	struct census *census;
	struct fault f;
	int err = census_take(c->m, &census, &f);

	if (err < 0)
		return call_fault(c, err, &f);
	err = policy_json_write(census_system(census), &c->answer);
	census_put(census);
	return err < 0 ? call_fail(c, EX_QubesMemoryError, "out of memory") : 0;
}

int on_policy_prompt(struct call *c)
{
	struct fault f;
	int err = prompts_open(c->m->prompts, &c->fd, &f);

	return err < 0 ? call_fault(c, err, &f) : 0;
}

static enum exception exception_of(const char *name)
{
	for (enum exception ex = 0; ex < EX_COUNT; ex++)
		if (strcmp(call_exception_name(ex), name) == 0)
			return ex;
	return EX_QubesException;
}

int on_policy_call(struct call *c)
{
	const struct policy_call call = {
		.method = c->request.method,
		.argument = c->request.argument,
		.payload = c->request.payload,
	};
	const char *exception;
	struct fault f;
	int err = policy_calls_serve(c->m->policy, &call, &c->answer,
	                             &exception, &f);

	return err < 0 ? call_fail(c, exception_of(exception), "%s", f.text)
	               : 0;
}

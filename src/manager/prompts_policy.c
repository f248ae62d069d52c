/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/prompts_policy.h"

#include "manager/census.h"
#include "policy/policy_prompt.h"

static struct policy_prompt prompt_of(const struct prompts_policy *q)
{
	return (struct policy_prompt){census_system(q->census), q->request};
}

static int file(struct prompts_question *question, struct fault *f)
{
	const struct prompts_policy *q = container_of(
		question, struct prompts_policy, question);
	const struct policy_prompt p = prompt_of(q);

	return policy_prompt_question(&p, q->answer, f);
}

static void answered(struct prompts_question *question, struct span said,
                     int status)
{
	struct prompts_policy *q = container_of(question, struct prompts_policy,
	                                        question);
	const struct policy_prompt p = prompt_of(q);

	policy_prompt_settle(&p, said, status, q->answer);
	q->done(q);
}

void prompts_policy_ask(struct prompts *p, struct prompts_policy *q)
{
	const struct policy_system *s = census_system(q->census);

	q->question.asker = s->qube[q->answer->source].name;
	q->question.file = file;
	q->question.answered = answered;
	prompts_ask(p, &q->question);
}

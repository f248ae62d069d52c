/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times the policy, one line each: what, microseconds a call.
 *
 * 200 rules about 40 services, of which each call's are looked at to the last;
 * 100 qubes with two tags each.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "policy/policy_eval.h"
#include "policy/policy_line.h"

#define RULES  200u
#define QUBES  100u
#define ROUNDS 20000u
#define TURNS  9u

static struct policy_qube qubes[QUBES];
static char names[QUBES][16];
static struct span tags[QUBES][2];
static char tag_names[2][QUBES][16];

static double now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void make_qubes(void)
{
	for (size_t i = 0; i < QUBES; i++) {
		struct policy_qube *q = &qubes[i];

		(void)snprintf(names[i], sizeof(names[i]), "qube-%zu", i);
		(void)snprintf(tag_names[0][i], 16, "tag-%zu", i % 10);
		(void)snprintf(tag_names[1][i], 16, "group-%zu", i % 3);
		for (size_t k = 0; k < 2; k++)
			tags[i][k] = span_str(tag_names[k][i]);
		*q = (struct policy_qube){
			.name = span_str(names[i]),
			.klass = span_str(i ? "AppVM" : "AdminVM"),
			.tags = tags[i],
			.tag_count = 2,
			.running = true,
			.template_for_dispvms = i % 10 == 0,
		};
	}
}

static struct policy_rules *make_rules(void)
{
	struct policy_rules *p = policy_rules_create();
	struct policy_wrong wrong;
	char line[128];

	for (size_t i = 0; p && i < RULES; i++) {
		struct policy_rule r = {0};
		bool last = i >= RULES - 40;

		/* The last forty fit every source, one for each service. */
		(void)snprintf(line, sizeof(line), "service.%zu * %s%zu %s %s",
		               i % 40, last ? "@tag:group-" : "@tag:tag-",
		               last ? 1 : i % 10,
		               last ? "@anyvm" : "@tag:tag-3",
		               last && i % 2 ? "ask" : "allow");
		if (policy_line_read(span_str(line), POLICY_FORM_FULL, &r,
		                     &wrong) < 0 ||
		    policy_rules_add(p, &r) < 0)
			return NULL;
	}
	return p;
}

/* The least of several turns, since others use the machine as well. */
static int measure(const char *what, const struct policy_rules *rules,
                   const char *service)
{
	const struct policy_system s = {qubes, QUBES};
	const struct policy_request q = {
		span_str("qube-1"), span_str("qube-99"), span_str(service)};
	double best = 1e9;

	for (unsigned turn = 0; turn < TURNS; turn++) {
		double start = now_us();
		double took;

		for (unsigned i = 0; i < ROUNDS / TURNS; i++) {
			struct policy_answer a;

			if (policy_eval_call(rules, &s, &q, &a) < 0)
				return EXIT_FAILURE;
			policy_eval_fini(&a);
		}
		took = (now_us() - start) / (ROUNDS / TURNS);
		best = took < best ? took : best;
	}
	(void)printf("%-40s %8.2f us\n", what, best);
	return EXIT_SUCCESS;
}

int main(void)
{
	struct policy_rules *rules;
	int status;

	make_qubes();
	rules = make_rules();
	if (!rules)
		return EXIT_FAILURE;
	status = measure("policy, 200 rules, 100 qubes: allow", rules,
	                 "service.38") |
	         measure("policy, 200 rules, 100 qubes: ask", rules,
	                 "service.39") |
	         measure("policy, 200 rules, 100 qubes: no rule", rules,
	                 "service.none");
	policy_rules_destroy(rules);
	return status;
}

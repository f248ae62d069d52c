/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy says to a call.
 *
 *	1  A target that is empty, no target at all or unknown is @default.
 *	2  The first rule that fits decides.  If none does the call is denied,
 *	   and the user is told.
 *	3  Where a rule sends the call somewhere else (target=), that is not
 *	   looked up again.
 *	4  With autostart=no a target that does not run, or is to be made, is
 *	   denied.
 *	5  The targets an ask offers: the rules for this source and service are
 *	   walked backwards; allow and ask add what their target stands for,
 *	   deny takes it away.  Then the source goes, and what is internal.
 *	6  A call from a qube to itself is denied.
 *
 * The outcome depends on nothing else: not on the order of the qubes, nor on
 * qubes that no rule stands for, but for those that are offered.
 */
#pragma once

#include "policy/policy_rules.h"
#include "policy/policy_system.h"

struct policy_request {
	struct span source;  /* the calling qube's name */
	struct span target;  /* as it was asked for */
	struct span service; /* SERVICE or SERVICE+ARGUMENT */
};

struct policy_answer {
	enum policy_action action;
	const struct policy_rule *rule; /* NULL: none decided */
	size_t source;
	struct policy_target wanted; /* what was asked for */
	struct policy_target target; /* of an allow */
	/* Of an ask: sorted by what policy_system_write() makes of them. */
	struct policy_target *offer; /* owned */
	size_t offer_count;
	size_t preset; /* the default_target's place there; else offer_count */
	struct span user;
	bool notify;
	bool autostart;
	const char *why; /* of a deny: for the user, never for the caller */
};

/*
 * Decides.  0 and *out, which policy_eval_fini() empties; or -ENOMEM.
 * A request that cannot be understood is denied.  The answer borrows from
 * rules, system and request.
 */
must_check int policy_eval_call(const struct policy_rules *rules,
                                const struct policy_system *system,
                                const struct policy_request *request,
                                struct policy_answer *out);

/* The answer when there is no policy, since it is in error. */
void policy_eval_refuse(struct policy_answer *out, const char *why);

/*
 * Settles an ask: the user chose offer[which].  The answer becomes an allow,
 * or a deny if `which` is not on offer.
 */
void policy_eval_choose(struct policy_answer *a, size_t which);

/* The place of a target on offer, or offer_count. */
size_t policy_eval_find(const struct policy_answer *a, struct policy_target t);

/* The same by its name. */
size_t policy_eval_offered(const struct policy_system *system,
                           const struct policy_answer *a, struct span name);

void policy_eval_fini(struct policy_answer *a);

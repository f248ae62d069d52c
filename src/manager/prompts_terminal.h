/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal on which the user answers what the policy asks: `bento prompt`, at
 * the other end of a socket.  There is one at most.
 *
 * Messages to it: `ask N` with the question's file (policy/policy_json.h) as a
 * descriptor; `withdraw N` when nobody wants to know any more.  From it: `N `
 * and what a prompt program would say.  Numbers keep an answer that crosses a
 * withdrawal from being taken for the next question's.
 */
#pragma once

#include "base/fault.h"
#include "base/span.h"
#include "manager/reactor.h"

struct prompts_terminal {
	struct reactor *reactor;
	struct reactor_watch watch;
	uint64_t number; /* of the last question */
	bool asked;      /* it has no answer yet */
	/* status 0; or -1: it went without an answer */
	void (*answered)(struct prompts_terminal *t, struct span said,
	                 int status);
};

void prompts_terminal_init(struct prompts_terminal *t, struct reactor *r,
                           void (*answered)(struct prompts_terminal *t,
                                            struct span said, int status));
void prompts_terminal_fini(struct prompts_terminal *t);

/* Is there one? */
bool prompts_terminal_there(const struct prompts_terminal *t);

/*
 * Lets one come: 0 and the descriptor for it, which the caller owns; -EBUSY:
 * there is one; or another negative errno.
 */
must_check int prompts_terminal_open(struct prompts_terminal *t, int *theirs,
                                     struct fault *f);

/*
 * Asks; `question` is borrowed.  0, and `answered` comes later; or a negative
 * errno: nobody is there any more.
 */
must_check int prompts_terminal_ask(struct prompts_terminal *t, int question);

/* Takes the question back, if one is asked: `answered` does not come. */
void prompts_terminal_withdraw(struct prompts_terminal *t);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The qubes there are, as far as a policy can ask: what the caller of the
 * evaluator describes, borrowed from the caller.
 */
#pragma once

#include "base/fault.h"
#include "policy/policy_token.h"

struct policy_qube {
	struct span name;
	struct span uuid;  /* 36 characters, or empty */
	struct span klass; /* "AppVM", "DispVM", ... */
	struct span label; /* for those who look */
	struct span template;
	struct span default_dispvm; /* a name, or empty */
	struct span relayvm; /* of a RemoteVM: who speaks for it; or empty */
	const struct span *tags;
	size_t tag_count;
	bool internal; /* never offered */
	bool running;
	bool template_for_dispvms;
};

/*
 * Names are unique, and one qube, dom0, has the class AdminVM.
 */
struct policy_system {
	const struct policy_qube *qube;
	size_t count;
};

#define POLICY_NOBODY SIZE_MAX

/* The qube's place in the list, or POLICY_NOBODY. */
size_t policy_system_name(const struct policy_system *s, struct span name);
size_t policy_system_uuid(const struct policy_system *s, struct span uuid);
size_t policy_system_admin(const struct policy_system *s);

bool policy_system_is_admin(const struct policy_qube *q);
bool policy_system_has_tag(const struct policy_qube *q, struct span tag);

/*
 * Where a call may go: what tokens come down to when the qubes are known.
 */
struct policy_target {
	enum {
		POLICY_TO_NOWHERE, /* no target: @default */
		POLICY_TO_QUBE,
		POLICY_TO_DISPVM,    /* new, from the source's default */
		POLICY_TO_DISPVM_OF, /* new, from `qube` */
	} kind;
	size_t qube; /* 0 where there is none */
};

/*
 * The target that a redirect or a request names.  True, or false if there is
 * no such qube, or it makes no disposables.
 */
bool policy_system_target(const struct policy_system *s,
                          struct policy_token token, struct policy_target *out);

/*
 * The target @dispvm of a source: TO_DISPVM_OF, or false if the source has no
 * usable default.
 */
bool policy_system_dispvm(const struct policy_system *s, size_t source,
                          struct policy_target *out);

/* Does a rule's token stand for this source?  For this target? */
bool policy_system_is_source(const struct policy_system *s,
                             struct policy_token token, size_t source);
bool policy_system_is_target(const struct policy_system *s,
                             struct policy_token token, size_t source,
                             struct policy_target wanted);

/*
 * For whom a call of `source` is, which asks in the name of `requested`: itself, if
 * that is empty or its own name; a RemoteVM whose relay it is.  False: it speaks for
 * nobody else.
 */
must_check bool policy_system_speaker(const struct policy_system *s,
                                      struct span source, struct span requested,
                                      struct span *out);

/*
 * Writes the target's name: work, dom0, @default, @dispvm, @dispvm:work; by
 * `uuid` with uuid:... instead, where the qube has one.  A NUL ends it.  Its
 * length, or -ENOSPC.
 */
must_check int policy_system_write(const struct policy_system *s,
                                   struct policy_target t, bool uuid, char *to,
                                   size_t room);

/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_system.h"

#include <stdio.h>

size_t policy_system_name(const struct policy_system *s, struct span name)
{
	for (size_t i = 0; i < s->count; i++)
		if (span_eq(s->qube[i].name, name))
			return i;
	return POLICY_NOBODY;
}

size_t policy_system_uuid(const struct policy_system *s, struct span uuid)
{
	for (size_t i = 0; uuid.size > 0 && i < s->count; i++)
		if (span_eq(s->qube[i].uuid, uuid))
			return i;
	return POLICY_NOBODY;
}

size_t policy_system_admin(const struct policy_system *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (policy_system_is_admin(&s->qube[i]))
			return i;
	return POLICY_NOBODY;
}

bool policy_system_is_admin(const struct policy_qube *q)
{
	return span_is(q->klass, "AdminVM");
}

bool policy_system_has_tag(const struct policy_qube *q, struct span tag)
{
	for (size_t i = 0; i < q->tag_count; i++)
		if (span_eq(q->tags[i], tag))
			return true;
	return false;
}

bool policy_system_dispvm(const struct policy_system *s, size_t source,
                          struct policy_target *out)
{
	struct policy_token of = {POLICY_DISPVM_OF,
	                          s->qube[source].default_dispvm};

	return of.value.size > 0 && policy_system_target(s, of, out);
}

bool policy_system_target(const struct policy_system *s,
                          struct policy_token token, struct policy_target *out)
{
	struct policy_target t = {.kind = POLICY_TO_QUBE};

	switch (token.kind) {
	case POLICY_DEFAULT:
		*out = (struct policy_target){.kind = POLICY_TO_NOWHERE};
		return true;
	case POLICY_DISPVM:
		*out = (struct policy_target){.kind = POLICY_TO_DISPVM};
		return true;
	case POLICY_ADMINVM:
		t.qube = policy_system_admin(s);
		break;
	case POLICY_NAME:
	case POLICY_DISPVM_OF:
		t.qube = policy_system_name(s, token.value);
		break;
	case POLICY_UUID:
	case POLICY_DISPVM_OF_UUID:
		t.qube = policy_system_uuid(s, token.value);
		break;
	case POLICY_NONE:
	case POLICY_ANY:
	case POLICY_ANYVM:
	case POLICY_TAG:
	case POLICY_TYPE:
	case POLICY_DISPVM_TAG:
		return false;
	}
	if (t.qube == POLICY_NOBODY)
		return false;
	if (token.kind == POLICY_DISPVM_OF ||
	    token.kind == POLICY_DISPVM_OF_UUID) {
		t.kind = POLICY_TO_DISPVM_OF;
		if (!s->qube[t.qube].template_for_dispvms)
			return false;
	}
	*out = t;
	return true;
}

/* Does a token without dispvm in it stand for this qube? */
static bool is_qube(struct policy_token token, const struct policy_qube *q)
{
	switch (token.kind) {
	case POLICY_ANY:
		return true;
	case POLICY_ADMINVM:
		return policy_system_is_admin(q);
	case POLICY_ANYVM:
		return !policy_system_is_admin(q);
	case POLICY_NAME:
		return span_eq(q->name, token.value);
	case POLICY_UUID:
		return span_eq(q->uuid, token.value);
	case POLICY_TAG:
		return policy_system_has_tag(q, token.value);
	case POLICY_TYPE:
		return span_eq(q->klass, token.value);
	case POLICY_NONE:
	case POLICY_DEFAULT:
	case POLICY_DISPVM:
	case POLICY_DISPVM_OF:
	case POLICY_DISPVM_OF_UUID:
	case POLICY_DISPVM_TAG:
		break;
	}
	return false;
}

/* Does one of the @dispvm:... tokens stand for disposables of this qube? */
static bool is_base(struct policy_token token, const struct policy_qube *base)
{
	if (!base->template_for_dispvms)
		return false;
	switch (token.kind) {
	case POLICY_DISPVM_OF:
		return span_eq(base->name, token.value);
	case POLICY_DISPVM_OF_UUID:
		return span_eq(base->uuid, token.value);
	case POLICY_DISPVM_TAG:
		return policy_system_has_tag(base, token.value);
	case POLICY_ANY:
	case POLICY_ANYVM:
		return true;
	case POLICY_NONE:
	case POLICY_NAME:
	case POLICY_UUID:
	case POLICY_ADMINVM:
	case POLICY_TAG:
	case POLICY_TYPE:
	case POLICY_DEFAULT:
	case POLICY_DISPVM:
		break;
	}
	return false;
}

static bool is_dispvm_token(struct policy_token token)
{
	return token.kind == POLICY_DISPVM_OF ||
	       token.kind == POLICY_DISPVM_OF_UUID ||
	       token.kind == POLICY_DISPVM_TAG;
}

bool policy_system_is_source(const struct policy_system *s,
                             struct policy_token token, size_t source)
{
	const struct policy_qube *q = &s->qube[source];
	size_t base;

	if (!is_dispvm_token(token))
		return is_qube(token, q);
	if (!span_is(q->klass, "DispVM") || q->template.size == 0)
		return false;
	base = policy_system_name(s, q->template);
	return base != POLICY_NOBODY && is_base(token, &s->qube[base]);
}

bool policy_system_is_target(const struct policy_system *s,
                             struct policy_token token, size_t source,
                             struct policy_target wanted)
{
	bool any = token.kind == POLICY_ANY || token.kind == POLICY_ANYVM;
	struct policy_target base;

	switch (wanted.kind) {
	case POLICY_TO_NOWHERE:
		return any || token.kind == POLICY_DEFAULT;
	case POLICY_TO_QUBE:
		return is_qube(token, &s->qube[wanted.qube]);
	case POLICY_TO_DISPVM_OF:
		return is_base(token, &s->qube[wanted.qube]);
	case POLICY_TO_DISPVM:
		if (any || token.kind == POLICY_DISPVM)
			return true;
		return policy_system_dispvm(s, source, &base) &&
		       is_base(token, &s->qube[base.qube]);
	}
	return false;
}

bool policy_system_speaker(const struct policy_system *s, struct span source,
                           struct span requested, struct span *out)
{
	const struct policy_qube *q;
	size_t i;

	if (requested.size == 0 || span_eq(requested, source)) {
		*out = source;
		return true;
	}
	i = policy_system_name(s, requested);
	q = i == POLICY_NOBODY ? NULL : &s->qube[i];
	if (!q || !span_is(q->klass, "RemoteVM") || q->relayvm.size == 0 ||
	    !span_eq(q->relayvm, source))
		return false;
	*out = q->name;
	return true;
}

int policy_system_write(const struct policy_system *s, struct policy_target t,
                        bool uuid, char *to, size_t room)
{
	const struct policy_qube *q = s->count ? &s->qube[t.qube] : NULL;
	struct span name = {NULL, 0};
	const char *start = "";
	const char *middle = "";
	int n;

	if (!q && t.kind != POLICY_TO_NOWHERE && t.kind != POLICY_TO_DISPVM)
		return -ENOSPC;
	switch (t.kind) {
	case POLICY_TO_NOWHERE:
		start = "@default";
		break;
	case POLICY_TO_DISPVM:
		start = "@dispvm";
		break;
	case POLICY_TO_DISPVM_OF:
		start = "@dispvm:";
		name = q->name;
		break;
	case POLICY_TO_QUBE:
		name = policy_system_is_admin(q) ? span_str("dom0") : q->name;
		break;
	}
	if (uuid && name.size > 0 && q->uuid.size > 0) {
		middle = "uuid:";
		name = q->uuid;
	}
	n = snprintf(to, room, "%s%s%.*s", start, middle, (int)name.size,
	             (const char *)name.at);
	return n >= 0 && (size_t)n < room ? n : -ENOSPC;
}

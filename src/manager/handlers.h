/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handlers of the Admin API, on_*() in on_*.c, as admin/methods.def names
 * them.  What they find and return is in manager/call.h.
 */
#pragma once

#include "manager/call.h"

#define METHOD(handler, name, target, way, argument, payload, what) \
	int handler(struct call *c);
#include "admin/methods.def"

/*
 * 0 when the argument names a volume that stays, of a target that is halted;
 * else what to return.
 */
must_check int on_volume_halted(struct call *c);

/* How many revisions the volume of the argument keeps. */
uint32_t on_volume_kept(const struct call *c);

/* 0 when the argument names a volume that stays; else what to return. */
must_check int on_volume_kept_one(struct call *c);

/* The key of the volume of the argument: 0, or what to return. */
struct keyring_key;
must_check int on_volume_key(struct call *c, struct keyring_key *out);

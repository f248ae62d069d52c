/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `bento prefs` and `bento globals` share: showing and changing
 * properties of a qube or of the whole installation, as qvm-prefs and
 * qubes-prefs do.
 */
#pragma once

#include "cli/props.h"

struct properties {
	bool get;
	bool set;
	bool unset;
	bool hide_default;
	bool help_properties;
	bool json;
};

/*
 * `target` is the qube, NULL: the installation; `words` are [PROPERTY
 * [VALUE]].  An exit status or a negative errno, for struct frame.
 */
int properties_go(const struct properties *o, struct frame_call *c,
                  const char *target, char *const words[], uint32_t count);

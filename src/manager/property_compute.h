/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values and defaults that are worked out: the rule COMPUTED of
 * manager/properties.def.
 */
#pragma once

#include "manager/property.h"

/* True and the value, or false if there is none. */
bool property_compute(struct ledger *l, const struct qube *q, const char *name,
                      char out[PROPERTY_VALUE_MAX]);

/* The texts of numbers, so that all of them read the same. */
bool property_compute_number(const char *text, uint64_t *out);

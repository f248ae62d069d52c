/* SPDX-License-Identifier: Apache-2.0 */
/*
 * execve(2) and execveat(2): packs the strings and asks.  They return only on
 * failure; success is a new image here, or the end of this thread.
 */
#pragma once

#include "cell/stub/area.h"

long replace_execve(struct area *a, const uint64_t arg[6]);
long replace_execveat(struct area *a, const uint64_t arg[6]);

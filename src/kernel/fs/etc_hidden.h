/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of the host's /etc is nobody's business inside a qube.
 */
#pragma once

#include "kernel/fs/hostnode.h"

/* Is `name` in this directory hidden?  Only ever true in a template's /etc. */
bool etc_hidden(const struct hostnode *dir, const char *name);

/* The same for a path below /etc, without a leading slash. */
bool etc_hidden_path(const char *path);

/* May something be hidden below this folder, which itself is not? */
bool etc_hidden_below(const char *path);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening a file or an address with whatever program this qube has for it:
 * $BENTO_OPEN, or else the first of xdg-open(1), run-mailcap(1) and
 * sensible-browser(1) that is there and fits.
 */
#pragma once

#include "base/base.h"

/*
 * Runs it with nothing to read and with standard error as its output, and
 * waits. Returns its exit status; 127 when there is none, which it says.
 */
int opener_run(const char *name, const char *what, bool address);

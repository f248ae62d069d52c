/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What bento-guest can be called as. Each function is a program's main(): what
 * it returns is the exit status.
 */
#pragma once

#include "base/base.h"

#define APPLET(name, folder, stem) int stem##_main(int argc, char *argv[]);
#include "guest/applets.def"

/* What it was called by, without the folder. */
const char *main_name(const char *path);

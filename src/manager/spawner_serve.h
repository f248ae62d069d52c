/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spawner's own side (manager/spawner.h).  What it reads was written by a
 * manager that may be captured: it is checked, and what is not checked here but by
 * the process that is started is said beside it.
 */
#pragma once

#include "manager/manager.h"

enum spawner_ask {
#define SPAWN(number, name, what, answer) SPAWNER_##name = (number),
#include "manager/spawner.def"
};

/* Serves the manager behind the socket until it ends. */
_Noreturn void spawner_serve(struct manager *m, int sock);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names in calls between qubes: of services with their arguments, of qubes, of
 * those who ask. They are checked before anything else looks at them; none may
 * hold a byte that means something to a shell, a log, a path or a policy file.
 */
#pragma once

#include "base/span.h"

/* A service without argument that is longer is looked up without it. */
#define QRNAME_FILE_MAX 255u

/* letters, digits, '+', '-', '.', '_'; not empty, no '+' at the beginning */
bool qrname_service_ok(struct span s);

/* letters, digits, '-', '.', '_', '@', ':'; or empty */
bool qrname_qube_ok(struct span s);

/* letters, digits, '-', '.', '_', ' '; not empty */
bool qrname_ident_ok(struct span s);

/* Writes '_' in the place of every byte that no service's name has. */
void qrname_service_clean(char *name);

/*
 * A text in a field: up to the first NUL, of which there must be one, and all
 * behind it must be NUL.
 */
must_check bool qrname_padded(struct span field, struct span *out);

/* SERVICE and what follows the first '+'; true if there is one. */
bool qrname_split(struct span full, struct span *name, struct span *argument);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that others chose, made harmless for a terminal.
 *
 * The rule is that of qvm-run: printable ASCII stays, and tab, newline, return,
 * backspace and bell; every other byte becomes '_'.  So no escape sequence
 * gets through, in whatever encoding, and the length stays.
 */
#pragma once

#include "base/base.h"

void visible_filter(void *bytes, size_t size);

/* The same for a text that shall be one line: newlines and such, too. */
void visible_line(char *text);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting a program: the image the kernel describes (channel/image.h) takes
 * the place of whatever this process was.
 *
 * The ELF files are the guest's choice.  Nothing in them is believed further
 * than that it may break the process it is loaded into.
 */
#pragma once

#include "cell/stub/area.h"

/* Loads what lies in the data window.  The guest's old memory is gone. */
_Noreturn void load_image(struct area *a);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a gateway gives up before it reads a byte of a stranger's: it can make
 * and remove sockets in the current folder, connect to others, and move bytes;
 * no file can be opened, nothing executed, nobody signalled.
 */
#pragma once

#include "base/fault.h"

must_check int gwjail_enter(struct fault *f);

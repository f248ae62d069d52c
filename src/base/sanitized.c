/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What filters of host calls end is left out: a stack for signals in each thread,
 * and looking for leaks with ptrace(2).
 */
#include "base/sanitized.h"

const char *__asan_default_options(void)
{
	return "use_sigaltstack=0:detect_leaks=0";
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In builds with the address sanitizer only: what its runtime asks for when the
 * kernel starts.  The kernel's filter ends what it would do otherwise: give each
 * helper thread a stack for signals, and look for leaks with ptrace(2).  That it asks
 * where such a stack is has a row of its own (kernel/seccomp.def).
 */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "use_sigaltstack=0:detect_leaks=0";
}

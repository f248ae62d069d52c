/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qubes.VMShell and qubes.VMRootShell: a shell that reads what comes. Bash, where
 * it is: it reads no further than the line that it runs, so that what follows
 * that line is the command's.
 */
#include <stdio.h>

#include "guest/main.h"

int serve_shell_main(int argc, char *argv[])
{
	static const char *const shells[] = {"/bin/bash", "/bin/sh"};

	(void)argc, (void)argv;
	for (size_t i = 0; i < ARRAY_LEN(shells); i++)
		(void)execl(shells[i], shells[i], (char *)NULL);
	perror("/bin/sh");
	return 127;
}

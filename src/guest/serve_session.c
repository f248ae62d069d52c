/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qubes.WaitForSession: ends once programs can be started. That is so as soon as
 * a qube serves calls at all: there are no windows whose session could be late.
 */
#include "guest/main.h"

int serve_session_main(int argc, char *argv[])
{
	(void)argc, (void)argv;
	return EXIT_SUCCESS;
}

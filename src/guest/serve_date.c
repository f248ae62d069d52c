/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qubes.GetDate: what time it is, in UTC, as date --iso-8601=seconds writes it.
 */
#include <stdio.h>
#include <time.h>

#include "guest/main.h"

int serve_date_main(int argc, char *argv[])
{
	time_t now = time(NULL);
	struct tm tm;
	char text[64];

	(void)argc, (void)argv;
	if (!gmtime_r(&now, &tm) ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S+00:00", &tm) == 0)
		return EXIT_FAILURE;
	return puts(text) < 0 || fflush(stdout) != 0;
}

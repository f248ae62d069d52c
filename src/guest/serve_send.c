/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bento.Send: sends a file or folder of this qube, named by the argument (encoded
 * as qubes.VMExec's), to `bento pull`.  bento.Measure: how many bytes that will
 * be.  No qube may call them unless policy says so.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "filecopy/copysend.h"
#include "guest/main.h"
#include "qrexec/vmexec.h"

int serve_send_main(int argc, char *argv[])
{
	static char program[] = "qfile-agent", quiet[] = "--without-progress",
		    end[] = "--";
	char *words[] = {program, quiet, end, NULL, NULL};
	autobuffer struct buffer path = {0};
	const char *home = getenv("HOME");
	const char *name = main_name(argv[0]);

	if (argc < 2 || vmexec_decode(span_str(argv[1]), &path) != 1) {
		(void)fprintf(stderr, "%s wants one path\n", name);
		return EXIT_FAILURE;
	}
	/* Relative paths are the user's. */
	if (home && chdir(home) < 0)
		perror(home);
	words[3] = (char *)path.at;
	if (strcmp(name, "bento.Measure") == 0) {
		(void)printf("%" PRIu64 "\n", copysend_measure(words + 3));
		return EXIT_SUCCESS;
	}
	return sendfiles_main((int)ARRAY_LEN(words) - 1, words);
}

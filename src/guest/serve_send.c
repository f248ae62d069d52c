/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bento.Send: sends a file or folder of this qube, named by the argument (encoded
 * as qubes.VMExec's), to `bento pull`.  No qube may call it unless policy says
 * so.
 */
#include <stdio.h>

#include "base/buffer.h"
#include "guest/main.h"
#include "qrexec/vmexec.h"

int serve_send_main(int argc, char *argv[])
{
	static char program[] = "qfile-agent", quiet[] = "--without-progress",
		    end[] = "--";
	char *words[] = {program, quiet, end, NULL, NULL};
	autobuffer struct buffer path = {0};
	const char *home = getenv("HOME");

	if (argc < 2 || vmexec_decode(span_str(argv[1]), &path) != 1) {
		(void)fputs("bento.Send wants one path\n", stderr);
		return EXIT_FAILURE;
	}
	/* Relative paths are the user's. */
	if (home && chdir(home) < 0)
		perror(home);
	words[3] = (char *)path.at;
	return sendfiles_main((int)ARRAY_LEN(words) - 1, words);
}

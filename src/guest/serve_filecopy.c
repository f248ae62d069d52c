/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qubes.Filecopy: receives files into ~/QubesIncoming/SOURCE.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/visible.h"
#include "filecopy/copyhome.h"
#include "filecopy/copyrecv.h"
#include "guest/main.h"

static int receive(bool all_names, struct fault *f)
{
	autoclose int folder = copyhome_open(getenv("HOME"),
	                                     getenv("QREXEC_REMOTE_DOMAIN"), f);
	autoclose int proc = open("/proc/self/fd", O_PATH | O_CLOEXEC);
	const struct copyrecv_job job = {
		.in = STDIN_FILENO,
		.out = STDOUT_FILENO,
		.folder = folder,
		.proc = proc,
		.all_names = all_names,
		.sync = true,
	};
	struct copyrecv_count count;

	return folder < 0 ? folder : copyrecv(&job, &count, f);
}

int serve_filecopy_main(int argc, char *argv[])
{
	const char *how = argc > 1 ? argv[1] : "";
	struct fault f = {""};
	int err;

	if (*how && strcmp(how, "allow-all-names") != 0) {
		(void)fputs("qubes.Filecopy takes no argument but "
		            "allow-all-names\n",
		            stderr);
		return EXIT_FAILURE;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	err = receive(*how != '\0', &f);
	if (err == 0)
		return EXIT_SUCCESS;
	/* The sender explains what he is told; here it is for the log. */
	visible_line(f.text);
	(void)fprintf(stderr, "qubes.Filecopy: %s\n", f.text);
	return EXIT_FAILURE;
}

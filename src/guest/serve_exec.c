/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qubes.VMExec and qubes.VMExecGUI: run the command in the argument. No shell
 * sees it.
 */
#include <stdio.h>

#include "guest/main.h"
#include "qrexec/vmexec.h"

/* Where each of `count` texts begins; NULL behind the last. */
static char **words_of(const struct buffer *packed, size_t count)
{
	char **words = calloc(count + 1, sizeof(*words));
	char *at = (char *)packed->at;

	for (size_t i = 0; words && i < count; i++) {
		words[i] = at;
		at += strlen(at) + 1;
	}
	return words;
}

int serve_exec_main(int argc, char *argv[])
{
	struct buffer packed = {0};
	char **words;
	int count;

	if (argc != 2) {
		(void)fprintf(stderr, "%s: no command\n", argv[0]);
		return EXIT_FAILURE;
	}
	count = vmexec_decode(span_str(argv[1]), &packed);
	words = count < 0 ? NULL : words_of(&packed, (size_t)count);
	if (!words) {
		(void)fprintf(stderr, "%s: the argument is not a command\n",
		              argv[0]);
		return EXIT_FAILURE;
	}
	(void)execvp(words[0], words);
	count = errno == ENOENT ? 127 : 126;
	perror(words[0]);
	return count;
}

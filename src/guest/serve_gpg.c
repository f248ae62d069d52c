/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qubes.Gpg: gpg(1) with the keys of this qube, for another one.
 *
 * The first line that comes is the command line, encoded as an argument of
 * qubes.VMExec; what follows it is gpg's input.  Its output and its errors go back
 * by the call's streams.  Only what gpgoptions.def allows is run, written anew.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "guest/gpgwords.h"
#include "guest/main.h"
#include "qrexec/vmexec.h"

#define LINE_MAX_ 65536u

/* Byte by byte, since what is behind the line is gpg's. */
static bool read_line(struct buffer *line)
{
	uint8_t byte = 0;

	while (line->size < LINE_MAX_) {
		ssize_t n = read(STDIN_FILENO, &byte, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		if (byte == '\n')
			return !line->bad;
		buffer_put(line, &byte, 1);
	}
	return false;
}

/* Pointers to texts that lie one behind the other; room for `more` of others. */
static char **pointers(const struct buffer *texts, size_t count, size_t more)
{
	char **all = calloc(count + more + 1, sizeof(*all));
	char *at = (char *)texts->at;

	for (size_t i = 0; all && i < count; i++) {
		all[more + i] = at;
		at += strlen(at) + 1;
	}
	return all;
}

/* The signature becomes a file that gpg can open, without a name. */
static char *signature_file(const char *text)
{
	int fd = memfd_create("signature", 0);
	size_t size = strlen(text);
	char *path = NULL;

	if (fd < 0 || write(fd, text, size) != (ssize_t)size ||
	    asprintf(&path, "/proc/self/fd/%d", fd) < 0)
		return NULL;
	return path;
}

static int run(const struct gpgwords *w)
{
	static char program[] = "gpg", batch[] = "--batch",
		    no_tty[] = "--no-tty", no_locate[] = "--no-auto-key-locate",
		    no_import[] = "--no-auto-key-import",
		    no_retrieve[] = "--no-auto-key-retrieve";
	char *first[] = {program,   batch,     no_tty,
	                 no_locate, no_import, no_retrieve};
	char **all = pointers(&w->text, w->count, ARRAY_LEN(first));

	if (!all)
		return 125;
	memcpy(all, first, sizeof(first));
	if (w->verify) {
		char **signature = all + ARRAY_LEN(first) + w->count -
		                   w->others;

		*signature = signature_file(*signature);
		if (!*signature)
			return 125;
	}
	(void)execvp(program, all);
	perror(program);
	return 127;
}

int serve_gpg_main(int argc, char *argv[])
{
	autobuffer struct buffer line = {0}, words = {0};
	struct gpgwords w;
	struct fault f = {""};
	char **all;
	int count, err;

	(void)argc, (void)argv;
	if (!read_line(&line)) {
		(void)fputs("qubes.Gpg: no command line came\n", stderr);
		return EXIT_FAILURE;
	}
	count = vmexec_decode(buffer_span(&line), &words);
	all = count < 0 ? NULL : pointers(&words, (size_t)count, 0);
	if (!all) {
		(void)fputs("qubes.Gpg: that is not a command line\n", stderr);
		return EXIT_FAILURE;
	}
	err = gpgwords_check(all, &w, &f);
	free(all);
	if (err == 0)
		return run(&w);
	(void)fprintf(stderr, "qubes.Gpg: %s\n", f.text);
	gpgwords_fini(&w);
	return EXIT_FAILURE;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qvm-open-in-vm, qvm-open-in-dvm: opens a file or an address in another qube.
 * A file that was changed there takes the place of ours.
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "guest/guestpump.h"
#include "guest/main.h"
#include "guest/openfile.h"

enum { VIEW_ONLY = 256 };

static const struct option options[] = {
	{"view-only", no_argument, NULL, VIEW_ONLY},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const char help[] =
	"usage: qvm-open-in-vm [--view-only] QUBE FILE|ADDRESS\n"
	"       qvm-open-in-dvm [--view-only] FILE|ADDRESS\n";

/* What came back into a file of its own beside the old one; 0: nothing did. */
static int64_t receive(const char *path, char **temporary, struct fault *f)
{
	autoclose int fd = -1;
	struct stat st;
	int64_t size;

	if (asprintf(temporary, "%s.XXXXXX", path) < 0) {
		*temporary = NULL;
		return fault_set(f, -ENOMEM, "out of memory");
	}
	fd = mkostemp(*temporary, O_CLOEXEC);
	if (fd < 0) {
		size = fault_errno(f, "%s", *temporary);
		free(take_ptr(temporary));
		return size;
	}
	size = openfile_copy(STDIN_FILENO, fd);
	if (size < 0)
		return fault_set(f, (int)size, "%s: %s", *temporary,
		                 strerror((int)-size));
	if (stat(path, &st) == 0 && fchmod(fd, st.st_mode & 0777) < 0)
		return fault_errno(f, "%s", *temporary);
	return size;
}

static int send_file(const char *path, bool view_only, struct fault *f)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	char field[OPENFILE_NAME_SIZE];
	struct stat st;
	int64_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fault_errno(f, "%s", path);
	if (!S_ISREG(st.st_mode))
		return fault_set(f, -EINVAL, "%s is not a file", path);
	openfile_field(path, view_only, field);
	n = guestcall_write(STDOUT_FILENO, field, sizeof(field));
	if (n == 0)
		n = openfile_copy(fd, STDOUT_FILENO);
	if (n < 0)
		return fault_set(f, (int)n, "send %s: %s", path,
		                 strerror((int)-n));
	/* The other side waits for the end. */
	if (close(STDOUT_FILENO) < 0)
		return fault_errno(f, "send %s", path);
	return 0;
}

/* The local side: the file goes out, and what comes in takes its place. */
static int exchange(int argc, char *argv[])
{
	bool view_only = argc > 2;
	const char *path = argv[1];
	char *temporary = NULL;
	int status = EXIT_SUCCESS;
	struct fault f;
	int64_t size;

	if (send_file(path, view_only, &f) < 0) {
		(void)fprintf(stderr, "%s: %s\n", argv[0], f.text);
		return EXIT_FAILURE;
	}
	size = receive(path, &temporary, &f);
	if (size > 0 && !view_only && rename(temporary, path) < 0)
		size = fault_errno(&f, "put the changed file in place");
	else if (temporary && (size <= 0 || view_only))
		(void)unlink(temporary);
	if (size < 0) {
		(void)fprintf(stderr, "%s: %s\n", argv[0], f.text);
		status = EXIT_FAILURE;
	}
	free(temporary);
	return status;
}

static bool is_address(const char *what)
{
	const char *colon = strstr(what, "://");

	return colon && strcspn(what, "/") > (size_t)(colon - what);
}

static int open_address(const char *name, struct guestpump *p,
                        const char *address)
{
	autofree char *line = NULL;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    asprintf(&line, "%s\n", address) < 0)
		return AGENT_EXIT_PROBLEM;
	p->ask.service = "qubes.OpenURL";
	p->prefix = line;
	return guestpump(p, name);
}

int openvm_main(int argc, char *argv[])
{
	const char *dash = strrchr(argv[0], '-');
	bool dispvm = dash && strcmp(dash, "-dvm") == 0;
	struct guestpump p = {.words = NULL};
	char view[] = "view-only";
	char *words[4] = {argv[0], NULL, NULL, NULL};
	bool view_only = false;
	int c;

	while ((c = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		if (c == 'h')
			return fputs(help, stdout) < 0;
		if (c != VIEW_ONLY)
			optind = argc;
		view_only = true;
	}
	if (argc - optind != (dispvm ? 1 : 2)) {
		(void)fputs(help, stderr);
		return AGENT_EXIT_PROBLEM;
	}
	p.ask.target = dispvm ? "@dispvm" : argv[optind++];
	if (is_address(argv[optind]))
		return open_address(argv[0], &p, argv[optind]);
	/* Said before anybody is asked. */
	if (access(argv[optind], R_OK) < 0) {
		perror(argv[optind]);
		return EXIT_FAILURE;
	}
	p.ask.service = "qubes.OpenInVM";
	p.local = exchange;
	p.words = words;
	words[1] = argv[optind];
	words[2] = view_only ? view : NULL;
	return guestpump(&p, argv[0]);
}
